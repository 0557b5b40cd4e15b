"""What the library holds on a message: each of its questions searched, read after those before it, and quotes chosen."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from chatbot import answers
from chatbot.acquaintance import Acquaintance
from chatbot.contradictions import opposites
from chatbot.conversation import Reading, Turn, contextualise, tells_enough
from chatbot.differences import differ
from chatbot.echoes import Echoes
from chatbot.encoder import Encoder
from chatbot.index import PassageIndex
from chatbot.reader import Reader
from chatbot.reasons import Reasons, explain
from chatbot.retrieval import Retriever
from chatbot.segmentation import Exchange, split_questions
from chatbot.selection import Finding, Quote, confidence, quoted_in, quoted_text, select, support_of_more
from chatbot.topics import term_quotes, topic_quotes
from chatbot.vocabulary import common_terms

CANDIDATES = 12
"""Sentences that the reader reads for one question."""
VERY_QUESTION, NEARER = 0.97, 0.02
"""Cosine with a known unanswered question from which it is that question, when it is so much nearer than any answered
one: what the owner says of it holds."""
SURE = 0.9
"""Support from which a question in another language is answered, and one that may lean on others, by itself."""
BEYOND_DOUBT = 0.95
"""Support from which what is asked weighs more than danger that is hardly seen: of the development messages that the
classifier hardly takes for danger, those that are have up to 0.91, two of three ordinary questions more."""


class Finder:
    """Finds in one index what messages ask for. Stateless."""

    def __init__(self, index: PassageIndex, encoder: Encoder, reader: Reader) -> None:
        self._index, self._encoder, self._reader = index, encoder, reader
        self.retriever = Retriever(index, encoder)
        self.acquainted = Acquaintance(self.retriever)
        self.common, self._opposites, self._echoes = common_terms(index), opposites(index), Echoes(index)

    def find(self, question: str, before: Sequence[Exchange] = ()) -> Finding:
        """Search for one question, which may lean on those before it, and choose the sentences that answer it."""
        search = self.retriever.search(question, CANDIDATES, before)
        question = search.read_as
        supports = self._reader.support(question, search)
        quotes = topic_quotes(question, self._index)
        if not quotes and not (search.unanswered >= max(VERY_QUESTION, search.answered + NEARER)):
            quotes = select(question, search.hits, supports, self._index, self._opposites, self._echoes)
            if not quotes and self.acquainted.is_term(question):
                quotes = term_quotes(question, search.hits)
        support = max((quote.support for quote in quotes), default=confidence(supports))
        return Finding(question, quotes, support, search, supports)

    def find_in(self, article: str, question: str) -> Finding:
        """The best sentences of one article for a question, and their support; nothing is chosen to be quoted."""
        search = self.retriever.search(question, len(self._index.sentences))
        search = replace(search, hits=tuple(h for h in search.hits if h.passage.article == article)[:CANDIDATES])
        supports = self._reader.support(question, search)
        return Finding(question, (), confidence(supports), search, supports)

    def differs(self, finding: Finding) -> bool:
        """Whether articles answer differently in what was found."""
        said = [(quote.article, self._text(quote)) for quote in finding.quotes]
        return differ(finding.question, said, self.common, [quote.support for quote in finding.quotes])

    def explain(self, finding: Finding) -> Reasons:
        """Why each sentence was found."""
        return explain(finding.search.read_as, finding.search.hits, self.retriever, self._encoder)

    def _find_more(self, finding: Finding, said: str) -> Finding:
        """What else the articles hold on an answered question that does not stand in `said`."""
        hits = self.retriever.search(finding.question, len(self._index.sentences)).hits
        supports = support_of_more(finding, hits, said)
        quotes = select(finding.question, hits, supports, self._index, echoes=self._echoes)
        return replace(finding, quotes=tuple(quote for quote in quotes if self._text(quote) not in said))

    def _text(self, quote: Quote) -> str:
        return self._index.articles[quote.article].sections[quote.section].text[quote.start : quote.end]

    def read(self, reading: Reading, history: Sequence[Turn]) -> tuple[list[Finding], str]:
        """What the library holds on each question of a message, as it is best read after the turns before it; and
        what to say where that is nothing."""
        if reading.bearing in ("more", "where"):
            asked = self._last_answered(reading.before)
            if reading.bearing == "where":
                replies = (
                    quoted_in(turn.content, self._index) for turn in reversed(history) if turn.role == "assistant"
                )
                quotes = next((quotes for quotes in replies if quotes), asked.quotes)
                return [replace(asked, quotes=quotes)], answers.NOT_COVERED
            if not asked.quotes:
                return [asked], answers.NOT_COVERED
            said = "\n".join(turn.content for turn in history if turn.role == "assistant")
            return [self._find_more(asked, said)], answers.NO_MORE
        return self.each_part(split_questions(reading.alone), reading.before), answers.NOT_COVERED

    def each_part(self, parts: Sequence[str], asked: Sequence[Exchange]) -> list[Finding]:
        """What the library holds on each part of a message, which may lean on the parts and questions before it."""
        findings: list[Finding] = []
        for part in parts:
            before = (*asked, *(Exchange(one.question, quoted_text(one, self._index)) for one in findings))
            enough = tells_enough(part, self.common)  # most parts can be read without those before them
            found = self._find_in_place(part, asked if enough else before)
            if enough and findings and not found.quotes:
                found = self._find_in_place(part, before)
            findings.append(found)
        return findings

    def _find_in_place(self, question: str, before: Sequence[Exchange]) -> Finding:
        """A question that may lean on those before it."""
        bearing = contextualise(question, [Turn("user", earlier.question) for earlier in before]).bearing
        leaning = before if bearing in ("leans", "perhaps") else ()
        found = self.find(question, before=leaning)
        if leaning and not found.quotes and tells_enough(question, self.common):
            alone = self.find(question)
            found = alone if alone.quotes and alone.support >= SURE else found
        return replace(found, question=question)

    def _last_answered(self, asked: Sequence[Exchange]) -> Finding:
        """What the library holds on the last of these that it answers; on the last where it answers none."""
        findings = (self._find_in_place(asked[end - 1].question, asked[: end - 1]) for end in range(len(asked), 0, -1))
        last = next(findings)
        return last if last.quotes else next((finding for finding in findings if finding.quotes), last)

    def answers_surely(self, question: str, history: Sequence[Turn]) -> bool:
        """Whether all that a message asks is answered beyond doubt: a story told with a question, then, more than danger,
        where the classifier hardly saw any. No if searching fails."""
        with contextlib.suppress(Exception):
            findings, _ = self.read(contextualise(question, history), history)
            return all(finding.quotes and finding.support >= BEYOND_DOUBT for finding in findings)
        return False
