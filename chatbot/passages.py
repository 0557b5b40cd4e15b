"""Passages: sections cut into sentences and list items, grouped into stretches of a few sentences."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

from chatbot.articles import Article, Section

Role = Literal["text", "lead", "item"]

# Written without their last full stop, in lower case, as Punkt wants them. NLTK's trained data can't be
# downloaded where this runs, and a short list of our own is also easier to reason about.
ABBREVIATIONS = frozenset(
    """a.m am approx apt assn assoc ave b.a b.s blvd bros c.f ca capt cf co col corp dept dr e.g ed.d eg est esq etc
    ext fig ft gen gov hon hrs i.e ie inc intl jr lt ltd m.a m.d m.s md mg min misc mr mrs ms mt no nos p.m ph ph.d
    pm pp prof psy.d r.n rd rep rev sec sen sgt sr st ste tel temp u.k u.s u.s.a univ viz vol vs wk yr yrs""".split()
)
ITEM_MARK = "- "
PASSAGE_WORDS = 100
"""A passage is closed before the sentence that would take it over this many words."""

# A sentence that opens like this needs the one before it to be understood.
_LEANS = re.compile(
    r"(?:however|but|yet|still|nevertheless|instead|otherwise|therefore|thus|hence|as a result|in (?:such|this|that|these|those) \w+"
    r"|because of (?:this|that|these)|these|those|they|this|that|such|he|she|their|his|her|its|both|then|so|also|in addition"
    r"|additionally|likewise|moreover|furthermore|on the other hand|for example|for instance)\b"
    r"|it\b(?!['’]?s? (?:is )?(?:important|vital|essential|crucial|possible|recommended|best|common|generally|takes? (?:a )?)\b)",
    re.IGNORECASE,
)


def leans_back(sentence: str) -> bool:
    """Whether a sentence opens with a word that points to the sentence before it ("However", "They", "It")."""
    return _LEANS.match(sentence) is not None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One unit that can be quoted: a sentence, or a list item (whole, even when it holds two sentences).

    `start` and `end` are character offsets into the *section's* text; the item's mark is left out.
    """

    start: int
    end: int
    role: Role
    """`lead` introduces the items that follow it."""
    paragraph: int
    """Number of the paragraph or list in its section, from 0. A lead and its items share one."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A few neighbouring sentences of one section. `section.text[start:end] == text`."""

    id: str
    """`article/section/passage`, sections and passages numbered from 0, in the order of the article."""
    article: str
    section: int
    trail: tuple[str, ...]
    start: int
    end: int
    text: str
    sentences: tuple[Sentence, ...]

    @property
    def heading(self) -> str:
        """The section's own heading; empty before the first."""
        return self.trail[-1] if self.trail else ""

    def sentence_text(self, sentence: Sentence) -> str:
        """The words of one of its sentences."""
        return self.text[sentence.start - self.start : sentence.end - self.start]


@cache
def _punkt() -> PunktSentenceTokenizer:
    parameters = PunktParameters()
    parameters.abbrev_types = set(ABBREVIATIONS)
    return PunktSentenceTokenizer(parameters)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) character offsets of the sentences of one paragraph, without the space between them."""
    spans: list[tuple[int, int]] = []
    for start, end in _punkt().span_tokenize(text):
        # "Is it safe? yes" and "…home.Ask" are common in pages typed by hand; "3.5" and "a.m." are not ends.
        begin = start
        for match in re.finditer(r"(?<=[a-z)\]”\"][.!?])(?=[A-Z][a-z])", text[start:end]):
            spans.append((begin, start + match.start()))
            begin = start + match.start()
        spans.append((begin, end))
    return spans


def section_sentences(section: Section) -> tuple[Sentence, ...]:
    """The section's sentences in reading order."""
    lines: list[tuple[int, str]] = []
    offset = 0
    for line in section.text.split("\n"):
        if line.strip():
            lines.append((offset, line))
        offset += len(line) + 1
    found: list[Sentence] = []
    paragraph = -1
    for number, (offset, line) in enumerate(lines):
        item = line.startswith(ITEM_MARK)
        follows_list = number > 0 and lines[number - 1][1].startswith(ITEM_MARK)
        leads = not item and number + 1 < len(lines) and lines[number + 1][1].startswith(ITEM_MARK)
        if item:
            # A list's first item joins the paragraph of its lead; without one it starts its own.
            if not follows_list and not (found and found[-1].role == "lead"):
                paragraph += 1
            start = offset + len(ITEM_MARK)
            end = offset + len(line.rstrip())
            if start < end:
                found.append(Sentence(start, end, "item", paragraph))
            continue
        paragraph += 1
        spans = split_sentences(line)
        for position, (start, end) in enumerate(spans):
            last = position == len(spans) - 1
            # A list that follows a paragraph is introduced by its last sentence only if that sentence opens
            # it with a colon, or is all there is of the paragraph.
            lead = leads and last and (line.rstrip().endswith(":") or len(spans) == 1)
            if lead and position:
                paragraph += 1
            found.append(Sentence(offset + start, offset + end, "lead" if lead else "text", paragraph))
    return tuple(found)


def _groups(section: Section) -> list[list[Sentence]]:
    """Sentences of the section in groups of about PASSAGE_WORDS; a list is never parted from its lead."""
    groups: list[list[Sentence]] = []
    words = 0
    for sentence in section_sentences(section):
        length = len(section.text[sentence.start : sentence.end].split())
        inside_list = sentence.role == "item" and bool(groups) and groups[-1][-1].paragraph == sentence.paragraph
        if not groups or (words + length > PASSAGE_WORDS and not inside_list):
            groups.append([])
            words = 0
        groups[-1].append(sentence)
        words += length
    return groups


def split_sections(article: Article) -> tuple[Passage, ...]:
    """The article's passages in reading order. No two overlap, none crosses a section, and every
    sentence of the article is in exactly one of them."""
    passages = []
    for number, section in enumerate(article.sections):
        for position, group in enumerate(_groups(section)):
            start, end = group[0].start, group[-1].end
            passages.append(
                Passage(
                    id=f"{article.id}/{number:03d}/{position:03d}",
                    article=article.id,
                    section=number,
                    trail=section.trail,
                    start=start,
                    end=end,
                    text=section.text[start:end],
                    sentences=tuple(group),
                )
            )
    return tuple(passages)
