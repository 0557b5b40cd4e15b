"""Laws of reading articles: nothing lost, nothing invented, every offset right, every error with its mend."""

import os
import re
import string
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.articles import Article, load_articles
from chatbot.errors import CorpusError

ORIGINALS = Path(__file__).resolve().parents[2] / "shared" / "articles"
PHONE = re.compile(r"\(?\d{3}\)?[ -]\d{3}-\d{4}")

OUTLINES = {
    "addiction-program": """
        What Is an Intensive
        How Does an
            Structured yet
            Comprehensive Therapy
            Medical and
        Who Is a Good
            People with a
            Individuals with Mild
            People with Work
            Individuals Committed
        The Benefits of
            Flexibility and
            Affordability
            Continued Connection
            Peer Support
            Personalized Treatment
        Common Therapies
            Cognitive Behavioral
            Dialectical Behavior
            Motivational Interviewing
            Relapse Prevention
        Transitioning from
        What to Expect
            Initial Assessment
            Structured Schedule
            Regular Monitoring
            Graduation and
        Is an Intensive Outpatient Program
        How to Find
        Is an Intensive Outpatient Addiction
        """,
    "casa-palmera": """
        IOPs offer greater
        IOPs allow patients
        IOPs foster greater
        Disclaimer
        """,
    "miosuperhealth": """
        Understanding Intensive
        Key Components
        Benefits of IOP
            Focus on the
            Ongoing Support
            Connection with
        Is IOP Right
        Finding the Right
        """,
    "swiss-hospitality": """
        What Is An
        These Are The
            Lower Costs
            You Can Keep
            You Can Support
            The Ability
            Greater Accessibility
            You Are Held
        """,
    "synergy-sobriety": """
        Key Takeaways
        What is an
            Definition
            Flexibility for Patients
            Personal Responsibility
            Opportunity to
            More Privacy
            Support Networks
        Benefits of IOP
            Greater Privacy
            Support Systems
            Incorporation of
            Flexibility for Daily
        Conclusion
        What are the benefits
        How does an
        Can someone with
        Is medical
        Who decides
        What makes
        """,
}
"""How each original's headings begin, and how they nest."""


@pytest.fixture(scope="module")
def originals() -> dict[str, Article]:
    if not ORIGINALS.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("the original articles are missing, and continuous integration must test on them")
        pytest.skip("the original articles are not published with the project")
    return {article.id: article for article in load_articles(ORIGINALS)}


def write(folder: Path, **files: str) -> Path:
    """The folder with files written into it; `tea_md="…"` writes tea.md."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def load_one(folder: Path, **files: str) -> Article:
    (article,) = load_articles(write(folder, **files))
    return article


def error_of(folder: Path, **files: str) -> CorpusError:
    with pytest.raises(CorpusError) as caught:
        load_articles(write(folder, **files))
    assert caught.value.mend
    return caught.value


def check_offsets(article: Article) -> None:
    for section in article.sections:
        assert section.text
        assert article.text[section.start : section.end] == section.text
    assert [s.start for s in article.sections] == sorted(s.start for s in article.sections)


def outline(article: Article) -> list[str]:
    """Headings in order, four spaces in front for each level below the first."""
    seen: dict[tuple[str, ...], None] = {}
    for section in article.sections:
        for depth in range(1, len(section.trail) + 1):
            seen.setdefault(section.trail[:depth])
    return [" " * 4 * (len(trail) - 1) + trail[-1] for trail in seen]


def printed_lines(article_id: str) -> list[str]:
    """An original's lines as a reader sees them: without bullets, numbers and runs of spaces."""
    lines = (ORIGINALS / f"{article_id}.txt").read_text(encoding="utf-8").splitlines()
    plain = (" ".join(line.split()) for line in lines)
    return [re.sub(r"^(?:•|\d+\.) ", "", line) for line in plain if line]


# The five originals


@pytest.mark.parametrize("article_id", OUTLINES)
def test_headings_and_their_nesting(originals: dict[str, Article], article_id: str) -> None:
    expected = textwrap.dedent(OUTLINES[article_id]).strip().split("\n")
    found = outline(originals[article_id])
    assert len(found) == len(expected), found
    for heading, beginning in zip(found, expected, strict=True):
        assert heading.startswith(beginning)


@pytest.mark.parametrize("article_id", OUTLINES)
def test_nothing_is_lost_and_nothing_is_invented(originals: dict[str, Article], article_id: str) -> None:
    article = originals[article_id]
    printed = printed_lines(article_id)
    said = [line.removeprefix("- ") for line in article.text.split("\n") if line]
    for line in printed:
        assert line in said or line in article.dropped or line == article.title
    for line in said:
        assert any(line == original or original.startswith(f"{line} - ") for original in printed)
    assert len(said) == len(set(said)), "a paragraph or heading is there twice"


@pytest.mark.parametrize("article_id", OUTLINES)
def test_the_texts_are_in_the_sections(originals: dict[str, Article], article_id: str) -> None:
    """All that is not in a section is a heading."""
    article = originals[article_id]
    check_offsets(article)
    outside = article.text
    for section in reversed(article.sections):
        outside = outside[: section.start] + outside[section.end :]
    headings = {name for section in article.sections for name in section.trail}
    assert set(filter(None, outside.split("\n"))) == headings


def test_what_is_dropped_is_boilerplate(originals: dict[str, Article]) -> None:
    dropped = [line for article in originals.values() for line in article.dropped]
    assert not [line for line in dropped if PHONE.search(line) or "disclaimer" in line.lower()]
    assert {"Skip to content", "like", "wow", "Leave A Comment", "About the author"} <= set(dropped)
    assert len(dropped) == 29


def test_telephone_numbers_are_kept(originals: dict[str, Article]) -> None:
    numbers = 0
    for article_id, article in originals.items():
        for line in printed_lines(article_id):
            if PHONE.search(line):
                numbers += 1
                assert any(line in section.text for section in article.sections)
    assert numbers == 2


def test_the_disclaimer_is_kept(originals: dict[str, Article]) -> None:
    (section,) = [s for s in originals["casa-palmera"].sections if s.heading == "Disclaimer"]
    assert section.text.startswith("This blog is for informational")


def test_a_caption_heads_the_text_whose_heading_was_lost(originals: dict[str, Article]) -> None:
    (section,) = [s for s in originals["synergy-sobriety"].sections if s.heading == "Definition"]
    assert section.text.count("\n\n") == 3
    assert "at least 9 hours" in section.text


def test_text_whose_heading_was_lost_is_not_given_to_the_heading_before(
    originals: dict[str, Article],
) -> None:
    (section,) = [s for s in originals["swiss-hospitality"].sections if "reveal your identity" in s.text]
    assert len(section.trail) == 1


def test_list_items_are_canonical(originals: dict[str, Article]) -> None:
    (section,) = [s for s in originals["synergy-sobriety"].sections if s.heading == "Key Takeaways"]
    assert [line[:2] for line in section.text.split("\n")] == ["- "] * 5


def test_metadata_of_the_originals(originals: dict[str, Article]) -> None:
    listed = {e["id"]: e for e in yaml.safe_load((ORIGINALS / "articles.yaml").read_text(encoding="utf-8"))}
    assert set(originals) == set(listed)
    for article_id, article in originals.items():
        entry = listed[article_id]
        assert (article.title, article.publisher, article.url) == (
            entry["title"],
            entry["publisher"],
            entry["url"],
        )
        assert article.updated == (entry["updated"] and entry["updated"].isoformat())
        assert article.edition == "original"


def test_the_originals_need_no_listing(originals: dict[str, Article], tmp_path: Path) -> None:
    """Title and date are found on the page."""
    for file in ORIGINALS.glob("*.txt"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    for article in load_articles(tmp_path):
        listed = originals[article.id]
        assert (article.title, article.text, article.sections) == (listed.title, listed.text, listed.sections)
        assert article.updated == ("2024-03-29" if article.id == "casa-palmera" else None)


# Markdown


def test_markdown_with_front_matter(tmp_path: Path) -> None:
    text = """\
        ---
        title: Keeping Bees
        publisher: null
        url: https://bees.example/keeping
        updated: 2024-02-29
        edition: summary
        ---
        Bees **need** little, and
        give [much](https://x.example) `honey`.

        ## The *Hive*

        It has:

        1. a floor
        2. a roof with
           an overhang
           - and ~~more~~ slope

        ### Wood

        Fir \u00a0will do.<br>Or pine. <!-- oak? -->

        ## Empty

        ## Winter

        Leave them alone.
        """
    article = load_one(tmp_path, bees_md=textwrap.dedent(text))
    assert article == Article(
        id="bees",
        title="Keeping Bees",
        publisher=None,
        url="https://bees.example/keeping",
        updated="2024-02-29",
        edition="summary",
        text=article.text,
        sections=article.sections,
    )
    assert [(section.trail, section.text) for section in article.sections] == [
        ((), "Bees need little, and give much honey."),
        (("The Hive",), "It has:\n\n- a floor\n- a roof with an overhang\n- and more slope"),
        (("The Hive", "Wood"), "Fir will do. Or pine."),
        (("Winter",), "Leave them alone."),
    ]
    check_offsets(article)
    assert "\n\nEmpty\n\nWinter\n\n" in article.text


def test_markdown_takes_its_title_from_the_first_heading(tmp_path: Path) -> None:
    article = load_one(tmp_path, **{"Bees & Wasps_md": "# Two Insects\n\nThey fly.\n\n## Bees\n\nBees hum."})
    assert (article.id, article.title) == ("bees-wasps", "Two Insects")
    assert [section.trail for section in article.sections] == [(), ("Bees",)]
    assert article.text.startswith("They fly.")


def test_a_printed_title_is_no_section(tmp_path: Path) -> None:
    article = load_one(tmp_path, a_md="---\ntitle: Bees\n---\n# Bees\n\nThey hum.")
    assert [(section.trail, section.text) for section in article.sections] == [((), "They hum.")]


def test_a_table_gives_an_item_for_each_row(tmp_path: Path) -> None:
    article = load_one(tmp_path, a_md="# Hives\n\n| kind | frames |\n|---|---|\n| small | 5 |\n")
    assert article.text == "- kind; frames\n- small; 5"


WORD = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=8)
SENTENCE = st.lists(WORD, min_size=1, max_size=12).map(" ".join)


def escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in string.punctuation else char for char in text)


@st.composite
def markdown_parts(draw: st.DrawFn) -> list[tuple[str, list[list[str]]]]:
    """Headings with their paragraphs (lists of one) and lists (of two or more items)."""
    bodies = st.lists(st.lists(SENTENCE, min_size=1, max_size=3), min_size=1, max_size=3)
    return draw(st.lists(st.tuples(SENTENCE, bodies), min_size=1, max_size=4))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parts=markdown_parts(), columns=st.integers(1, 60))
def test_markdown_keeps_every_sentence(tmp_path: Path, parts: list[tuple[str, list[list[str]]]], columns: int) -> None:
    """Whatever characters, wherever soft-wrapped."""
    lines, expected = ["---", "title: '- a title of its own'", "---"], []
    for heading, bodies in parts:
        lines += ["", f"## {escaped(heading)}"]
        blocks: list[str] = []
        was_list = False
        for body in bodies:
            # A comment between two lists keeps Markdown from joining their items.
            lines += ["", "<!-- -->", ""]
            is_list = len(body) > 1
            first, rest = ("- ", "  ") if is_list else ("", "")
            for sentence in body:
                words = escaped(sentence).split(" ")
                rows = [" ".join(words[at : at + columns]) for at in range(0, len(words), columns)]
                lines += [first + rows[0], *(rest + row for row in rows[1:])]
            block = "\n".join(first + sentence for sentence in body)
            if is_list and was_list:
                blocks[-1] += f"\n{block}"
            else:
                blocks.append(block)
            was_list = is_list
        expected.append(((heading,), "\n\n".join(blocks)))
    article = load_one(tmp_path, a_md="\n".join(lines))
    assert [(section.trail, section.text) for section in article.sections] == expected
    check_offsets(article)


# Plain text

LINE = st.one_of(
    st.sampled_from(
        [
            "",
            "",
            "A Title",
            "A Heading - A Title",
            "What Now?",
            "1. First",
            "2) Second",
            "• a bee",
            "Call us now!",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    SENTENCE,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=st.lists(LINE, max_size=25), suffix=st.sampled_from([".txt", ".html", ".md"]))
def test_any_text_is_read_or_refused(tmp_path: Path, lines: list[str], suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_text("\n".join(lines), encoding="utf-8")
    try:
        (article,) = load_articles(tmp_path)
    except CorpusError as error:
        assert error.file == str(file)
    else:
        check_offsets(article)
    finally:
        file.unlink()


# HTML


PAGE = """\
<html><head><title>Keeping Bees | The Apiary</title>
<meta property="og:site_name" content="The Apiary">
<meta property="article:modified_time" content="2023-05-06T10:00:00Z">
<link rel="canonical" href="https://apiary.example/bees"></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop</a></li></ul></nav>
<article><h1>Keeping Bees</h1>
<p>Bees ask for <b>little</b>: a dry box, a sunny place and a keeper who is not in a hurry to open it.</p>
<h2>What a Hive Has</h2><p>Whatever it is made of, a hive always has these parts, from the ground up:</p>
<ul><li>a floor</li><li>a box or two <ul><li>with frames</li></ul></li></ul>
<h3>Wood</h3><p>Fir is light and cheap and lasts for ten years or so<br>if it is painted in spring.</p>
<h2>Reaching Us</h2><p>Call us today at 212-555-0199 and we will gladly tell you more about our hives!</p>
<p>Contact us today and we will show you our bees!</p>
</article><footer>Copyright</footer></body></html>"""


def test_html(tmp_path: Path) -> None:
    article = load_one(tmp_path, bees_html=PAGE)
    assert (article.title, article.publisher) == ("Keeping Bees", "The Apiary")
    assert (article.url, article.updated) == ("https://apiary.example/bees", "2023-05-06")
    assert outline(article) == ["What a Hive Has", "    Wood", "Reaching Us"]
    texts = [section.text for section in article.sections]
    assert texts[1].endswith("up:\n\n- a floor\n- a box or two\n- with frames")
    assert texts[2].endswith("or so if it is painted in spring.")
    assert "212-555-0199" in texts[3]
    assert article.dropped == ("Contact us today and we will show you our bees!",)
    check_offsets(article)


def test_html_may_declare_its_encoding(tmp_path: Path) -> None:
    page = PAGE.replace("<head>", "<head><meta charset='windows-1252'>").replace("little", "‘little’")
    (tmp_path / "bees.htm").write_bytes(page.encode("windows-1252"))
    (article,) = load_articles(tmp_path)
    assert "‘little’" in article.text


# The listing


def test_the_listing_wins_and_leaves_the_rest(tmp_path: Path) -> None:
    listing = """\
        - id: hives
          file: bees.md
          title: "Bees: The Book"
          updated: 2020-01-31
          publisher: null
          edition: summary
        """
    own = "---\ntitle: Bees\npublisher: Apiary\nedition: original\n---\nThey hum."
    files = {"bees_md": own, "wasps_md": "# Wasps\n\nThey sting.", "README_md": "no article"}
    write(tmp_path, **files, articles_yaml=textwrap.dedent(listing), questions_yaml="[]")
    hives, wasps = load_articles(tmp_path)
    assert (hives.id, hives.title, hives.publisher) == ("hives", "Bees: The Book", "Apiary")
    assert (hives.updated, hives.edition) == ("2020-01-31", "summary")
    assert (wasps.id, wasps.edition) == ("wasps", "original")


# Errors


def test_a_folder_that_is_missing_or_empty(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="not a folder"):
        load_articles(tmp_path / "nowhere")
    assert "no articles" in error_of(tmp_path, README_md="# Read me").problem


@pytest.mark.parametrize(
    ("name", "text", "problem", "line"),
    [
        ("a.md", "---\ntitle: A\nurl: [\n---\nText.", "YAML", 4),
        ("a.md", "---\ntitle: A: B\n---\nText.", "YAML", 2),
        ("a.md", "---\ntitle: A\nurl: \x01\n---\nText.", "YAML", 3),
        ("a.md", "---\n- title\n---\nText.", "names and values", 2),
        ("a.md", "---\ntitle: A\nText.", "no end", 1),
        ("a.md", "---\ntitle: A\nupdated: 2024-02-30\n---\nText.", "not a date", 3),
        ("a.md", "---\ntitle: A\nupdated: last May\n---\nText.", "not a date", 3),
        ("a.md", "---\ntitle: A\nedition: second\n---\nText.", "edition", 3),
        ("a.md", "---\ntitle: [A, B]\n---\nText.", "not one value", 2),
        ("a.md", "---\ntitle: A\n---\n", "no text", None),
        ("a.md", "# A\n\n## B\n", "no text", None),
        ("a.md", "", "no text", None),
        ("a.txt", " \n \n", "no text", None),
        ("a.txt", "Only a title", "no text", None),
        ("a.html", "<html><body></body></html>", "no text", None),
        ("a.txt", "It begins at once, with a sentence.\n\nAnd goes on.", "no title", None),
        ("§.md", "# A\n\nText.", "id", 1),
    ],
)
def test_errors_name_file_line_and_mend(tmp_path: Path, name: str, text: str, problem: str, line: int | None) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    error = error_of(tmp_path)
    assert error.file == str(tmp_path / name)
    assert problem in error.problem
    assert error.line == line


@pytest.mark.parametrize(
    ("listing", "problem", "line"),
    [
        ("- file: a.md\n- file: b.md\n", "b.md is not an article", 2),
        ("- file: a.md\n- title: B\n", "names no file", 2),
        ("- file: a.md\n- file: a.md\n", "listed twice", 2),
        ("- file: a.md\n  updated: 29/03/24\n", "not a date", 2),
        ("- file: a.md\n  edition: first\n", "edition", 2),
        ("- file: a.md\n  id: A b\n", "id", 2),
        ("- a.md\n", "names and values", 1),
        ("file: a.md\n", "not a list", 1),
        ("- file: a.md\n  title: 'A\n", "YAML", 3),
    ],
)
def test_errors_in_the_listing(tmp_path: Path, listing: str, problem: str, line: int) -> None:
    error = error_of(tmp_path, a_md="# A\n\nText.", articles_yaml=listing)
    assert problem in error.problem
    assert (error.file, error.line) == (str(tmp_path / "articles.yaml"), line)


def test_an_id_is_not_given_twice(tmp_path: Path) -> None:
    error = error_of(tmp_path, bees_md="# A\n\nText.", bees_txt="A\n\nText.")
    assert error.file.endswith("bees.txt")
    assert "bees.md" in error.problem


def test_text_must_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Title\n\nCaf\xe9 is open.")
    error = error_of(tmp_path)
    assert ("UTF-8" in error.problem, error.line) == (True, 3)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    article = load_one(tmp_path, a_md="\ufeff---\ntitle: A\n---\nText.")
    assert (article.title, article.text) == ("A", "Text.")


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "Permission denied" in error_of(tmp_path, a_txt="Title\n\nText.").problem
