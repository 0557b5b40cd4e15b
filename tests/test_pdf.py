"""Laws of reading PDFs, on files written here line by line."""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from chatbot.articles import Article, load_articles
from chatbot.errors import CorpusError

CONTENT = [
    ("heading", "What a Garden Needs"),
    (
        "paragraph",
        "A garden asks for water, for light and for patience, and it gives back more than it gets. "
        "Nobody’s first bed is straight. By the third spring the soil is dark, and even the well-known weeds "
        "have moved on to the neighbours.",
    ),
    ("paragraph", "These are the tools that everyone ends up with, whatever the books recommend:"),
    ("item", "a spade with a handle that is long enough for the one who digs"),
    ("item", "string"),
    ("item", "a can of 10 litres"),
    ("heading", "When Should I Sow?"),
    (
        "paragraph",
        "Not before the nights are mild. Seeds wait longer than gardeners do, and a late row often overtakes "
        "an early one that the frost has touched.",
    ),
    ("heading", "Slugs and Snails"),
    (
        "paragraph",
        "They come when it is wet. Evenings with a torch and a bucket help better than any powder, and the "
        "ducks next door are glad of the harvest. Call 212-555-0199 for ducks.",
    ),
]
TITLE = "A Garden From Nothing"


@dataclass
class Paper:
    """Pages on which lines are printed from the top down."""

    height: int = 400
    columns: int = 60
    running: bool = True
    """Whether each page repeats the site's name above and its number below."""
    pages: list[list[str]] = field(default_factory=list)
    y: float = 0

    def line(self, text: str, size: float = 11, font: str = "F1", y: float | None = None) -> None:
        code = text.encode("cp1252").hex()
        self.pages[-1].append(f"BT /{font} {size} Tf 1 0 0 1 50 {self.y if y is None else y:.1f} Tm <{code}> Tj ET")

    def page(self) -> None:
        self.pages.append([])
        self.y = self.height - 60
        if self.running:
            self.line("The Spade & Bucket", 8, y=self.height - 20)
            self.line(f"Page {len(self.pages)}", 8, y=15)

    def block(self, kind: str, text: str, heading: tuple[float, str] = (16, "F1")) -> None:
        size, font = heading if kind == "heading" else (11, "F1")
        for row in textwrap.wrap(f"• {text}" if kind == "item" else text, self.columns):
            if not self.pages or self.y < 40:
                self.page()
            self.line(row, size, font)
            self.y -= 14
        self.y -= 4 if kind == "item" else 10

    def write(self, file: Path, title: str | None = None) -> None:
        """Objects: catalogue, page tree, two fonts, information, then a page and its contents in turn."""
        kids = " ".join(f"{6 + 2 * n} 0 R" for n in range(len(self.pages)))
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
        objects = [
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Count {len(self.pages)} /Kids [{kids}] >>",
            font.format("Helvetica"),
            font.format("Helvetica-Bold"),
            f"<< /Title ({title}) >>" if title else "<< >>",
        ]
        for n, lines in enumerate(self.pages):
            stream = "\n".join(lines)
            objects.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 500 {self.height}] /Contents {7 + 2 * n} 0 R"
                " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
            )
            objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        out, places = "%PDF-1.4\n", []
        for number, content in enumerate(objects, 1):
            places.append(len(out))
            out += f"{number} 0 obj\n{content}\nendobj\n"
        table = "".join(f"{place:010} 00000 n \n" for place in places)
        size = len(objects) + 1
        trailer = f"<< /Size {size} /Root 1 0 R /Info 5 0 R >>"
        end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n{trailer}\nstartxref\n{len(out)}\n%%EOF\n"
        file.write_text(out + end, encoding="ascii")


def printed(folder: Path, heading: tuple[float, str] = (16, "F1"), title: str | None = None) -> Article:
    paper = Paper()
    paper.block("heading", TITLE, (22, "F2"))
    for kind, text in CONTENT:
        paper.block(kind, text, heading)
    assert len(paper.pages) > 1
    paper.write(folder / "garden.pdf", title)
    (article,) = load_articles(folder)
    return article


def sections(article: Article) -> list[tuple[tuple[str, ...], str]]:
    for section in article.sections:
        assert article.text[section.start : section.end] == section.text
    return [(section.trail, section.text) for section in article.sections]


def error_of(folder: Path) -> CorpusError:
    with pytest.raises(CorpusError) as caught:
        load_articles(folder)
    assert caught.value.file.endswith("garden.pdf")
    return caught.value


def test_the_same_article_in_four_formats(tmp_path: Path) -> None:
    mark = {
        "heading": ("## ", "<h2>", "</h2>"),
        "paragraph": ("", "<p>", "</p>"),
        "item": ("- ", "<ul><li>", "</li></ul>"),
    }
    formats = {
        "garden.md": f"# {TITLE}\n\n" + "\n\n".join(mark[kind][0] + text for kind, text in CONTENT),
        "garden.txt": f"{TITLE}\n\n" + "\n\n".join(("• " if kind == "item" else "") + text for kind, text in CONTENT),
        "garden.html": f"<html><body><article><h1>{TITLE}</h1>"
        + "".join(f"{mark[kind][1]}{text}{mark[kind][2]}" for kind, text in CONTENT)
        + "</article></body></html>",
    }
    articles = [printed(tmp_path)]
    for name, text in formats.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        articles += load_articles(folder)
    assert {article.title for article in articles} == {TITLE}
    assert len(sections(articles[0])) == 3
    for article in articles[1:]:
        assert sections(article) == sections(articles[0])
        assert article.text == articles[0].text


def test_bold_headings_and_headings_like_the_text(tmp_path: Path) -> None:
    larger = sections(printed(tmp_path))
    assert sections(printed(tmp_path, (11, "F2"))) == larger
    assert sections(printed(tmp_path, (11, "F1"))) == larger


def test_running_lines_are_left_out_and_listed_once(tmp_path: Path) -> None:
    article = printed(tmp_path)
    assert "Bucket" not in article.text
    assert "Page" not in article.text
    assert set(article.dropped) >= {"The Spade & Bucket", "Page 1", "Page 2"}
    assert len(set(article.dropped)) == len(article.dropped)


def test_a_number_to_call_in_a_running_line_is_said_once(tmp_path: Path) -> None:
    paper = Paper()
    paper.block("heading", TITLE)
    for kind, text in CONTENT * 2:
        paper.block(kind, text)
    for page in paper.pages:
        footer = Paper(pages=[page])
        footer.line("Questions? 212-555-0123", 8, y=25)
    paper.write(tmp_path / "garden.pdf")
    (article,) = load_articles(tmp_path)
    assert article.text.count("212-555-0123") == 1
    assert not any("0123" in line for line in article.dropped)


@pytest.mark.parametrize("title", ["Microsoft Word - draft.docx", f"{TITLE} - The Spade", "untitled", None])
def test_the_title_is_the_printed_one(tmp_path: Path, title: str | None) -> None:
    assert printed(tmp_path, title=title).title == TITLE


def test_a_title_that_is_not_printed_comes_from_the_file(tmp_path: Path) -> None:
    paper = Paper(running=False)
    paper.block("paragraph", CONTENT[1][1])
    paper.write(tmp_path / "garden.pdf", TITLE)
    (article,) = load_articles(tmp_path)
    assert (article.title, article.text) == (TITLE, CONTENT[1][1])


def test_hyphens_at_line_ends(tmp_path: Path) -> None:
    """A word's own hyphen stays where the text or the word's first part shows it."""
    paper = Paper(running=False)
    paper.page()
    rows = (
        "A Tree",
        "",
        "The oak is a won-",
        "derful and self-",
        "assured tree. It is well-",
        "known and hard-",
        "wooded and step-",
        "wise grown.",
    )
    for row in filter(None, rows):
        paper.line(row, y=330 - 14 * rows.index(row))
    paper.line("A wooded hill may be known for one oak that grows stepwise.", y=190)
    paper.write(tmp_path / "garden.pdf")
    (article,) = load_articles(tmp_path)
    assert article.text == (
        "The oak is a wonderful and self-assured tree. "
        "It is well-known and hard-wooded and stepwise grown.\n\n"
        "A wooded hill may be known for one oak that grows stepwise."
    )


def test_a_picture_has_no_text(tmp_path: Path) -> None:
    paper = Paper(pages=[[]])
    paper.write(tmp_path / "garden.pdf")
    error = error_of(tmp_path)
    assert "no text" in error.problem
    assert "OCR" in error.mend


def test_a_locked_file(tmp_path: Path) -> None:
    paper = Paper(running=False)
    paper.block(*CONTENT[1])
    paper.write(tmp_path / "open.pdf")
    for owner, user in (("owner", "secret"), ("owner", "")):
        writer = PdfWriter(clone_from=PdfReader(tmp_path / "open.pdf"))
        writer.add_metadata({"/Title": TITLE})
        writer.encrypt(user, owner, algorithm="RC4-128")
        folder = tmp_path / f"locked {user}"
        folder.mkdir()
        writer.write(folder / "garden.pdf")
    assert "password" in error_of(tmp_path / "locked secret").problem
    (article,) = load_articles(tmp_path / "locked ")
    assert article.text == CONTENT[1][1]


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "garden.pdf").write_bytes(b"%PDF-1.4\nnothing more")
    assert "readable" in error_of(tmp_path).problem
