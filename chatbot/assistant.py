"""The engine behind every door: one question in, one answer out."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from chatbot import answers, safety
from chatbot.answers import Answer, Citation, Helpline, Status, cite
from chatbot.articles import Article
from chatbot.conversation import (
    Turn,
    addresses_program,
    asks_on,
    contextualise,
    corrects,
    small_talk,
)
from chatbot.encoder import Encoder, load_encoder
from chatbot.finder import SURE, Finder
from chatbot.index import PassageIndex
from chatbot.languages import foreign_language
from chatbot.reader import CrossEncoderReader, Reader, RetrievalReader
from chatbot.reasons import Reasons
from chatbot.retrieval import unclear
from chatbot.safety import Concern
from chatbot.screening import Screen, Screening, danger_before, unreadable
from chatbot.segmentation import Exchange, split_questions
from chatbot.selection import Finding, Quote, by_article
from chatbot.settings import Settings
from chatbot.topics import Suggestions, nearest_topics, opening_questions

FITS, FITS_TOGETHER = 0.75, 0.85
"""Cosine with a known unanswered question from which its referral fits, and of a follow-up with what came before it."""
SURELY_TALK = 0.8
"""The probability from which a message is small talk whatever known question it is like: of 2,281 development questions and
follow-ups six have it, of which three are small talk."""


class Assistant:
    """Answers questions from one index. Keeps no state between questions; safe to share between threads."""

    def __init__(
        self,
        index: PassageIndex,
        encoder: Encoder,
        reader: Reader,
        helplines: tuple[Helpline, ...],
        max_question_characters: int = 2000,
        screen: Screen | None = None,
    ) -> None:
        self.index, self.encoder, self._limit = index, encoder, max_question_characters
        self._finder, self._suggest = Finder(index, encoder, reader), Suggestions(index)
        self._acquainted = self._finder.acquainted
        self._screen, self.helplines = screen or Screen(None), helplines
        self.articles: tuple[Article, ...] = tuple(index.articles.values())
        self.index_digest = index.digest

    @classmethod
    def open(cls, settings: Settings, check_corpus: bool = False, encoder: Encoder | None = None) -> "Assistant":
        """Load index, reader and, unless it is given, encoder. With `check_corpus`, the index must be that of the
        articles as they are now. Raises `IndexUnusableError`, `ModelError` or `CorpusError`."""
        encoder = encoder or load_encoder(settings.model)
        index = PassageIndex.load(settings.index, encoder, settings.corpus if check_corpus else None)
        reader: Reader
        if settings.reader in ("default", "none"):
            reader = CrossEncoderReader(index) if settings.reader == "default" else RetrievalReader(index)
        else:
            from chatbot.crossencoder import OwnCrossEncoder

            reader = CrossEncoderReader(index, judge=OwnCrossEncoder(index, settings.reader))
        helplines = safety.load_helplines(settings.helplines)
        return cls(index, encoder, reader, helplines, settings.max_question_characters, Screen.open())

    @property
    def screens_whole(self) -> bool:
        """Whether both layers of the danger screen work; the patterns always do."""
        return self._screen.whole

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer to one message. Never raises on what a person typed: see `Status`."""
        return self.ask_and_show(question, history)[0]

    def ask_and_show(self, question: str, history: Sequence[Turn] = ()) -> tuple[Answer, list[Finding]]:
        """The same, with what was found on each question of the message where it came to a search of its own."""
        if fault := unreadable(question, self._limit):
            return Answer(Status.INVALID, answers.INVALID[fault].format(limit=self._limit), index=self.index_digest), []
        screening = self._acquainted.weigh(question, self._screen(question, history))
        if screening.faint and screening.concern and self._finder.answers_surely(question, history):
            screening = replace(screening, concern=None, doubtful=True)
        parts = split_questions(question)
        if len(parts) > 1 and screening.concern in (None, Concern.MEDICAL_ADVICE):  # one of them may ask for a decision
            decision = Concern.MEDICAL_ADVICE if any(map(self._decides, parts)) else None
            screening = replace(screening, concern=decision)
        findings: list[Finding] = []
        reply = (
            self._notice_danger(question, screening)
            or self._make_small_talk(question, screening, history)
            or self._look_up_foreign(question)
        )
        if reply is None:
            findings, otherwise = self._finder.read(contextualise(question, history), history)
            reply = self._look_up(findings, otherwise)
        if screening.doubtful:
            lines = safety.pick(self.helplines, "crisis", "emergency")
            text = f"{answers.IN_CASE}\n\n{reply.text}"
            reply = replace(reply, text=text, helplines=tuple(dict.fromkeys((*lines, *reply.helplines))))
        private = screening.dangerous or danger_before(history)
        return replace(reply, index=self.index_digest, private=private), findings

    def fears_for(self, text: str) -> bool:
        """Whether a text, a comment say, is a sign of danger to a life, or near one."""
        return self._screen(text).dangerous

    @cached_property
    def examples(self) -> tuple[str, ...]:
        """Up to four questions that the articles answer, to start with."""
        with contextlib.suppress(Exception):  # a greeting is answered whatever is broken
            return opening_questions(self.index, self.encoder, 4)
        return nearest_topics(self.index, (), 4)

    def find(self, question: str, before: Sequence[Exchange] = ()) -> Finding:
        """Search for one question, which may lean on those before it, and choose the sentences that answer it."""
        return self._finder.find(question, before)

    def find_in(self, article: str, question: str) -> Finding:
        """The best sentences of one article for a question, and their support; nothing is chosen to be quoted."""
        return self._finder.find_in(article, question)

    def explain(self, finding: Finding) -> Reasons:
        """Why each sentence was found."""
        return self._finder.explain(finding)

    def _notice_danger(self, question: str, screening: Screening) -> Answer | None:
        concern = screening.concern
        if concern is None:
            return None
        if concern is Concern.MEDICAL_ADVICE:
            card, status = answers.MEDICAL, Status.MEDICAL_ADVICE
            names: tuple[str, ...] = ("poison", "referral")
            asked = split_questions(question)
            others = frozenset(part for part in asked if len(asked) > 1 and not self._decides(part))
            opening = answers.ALSO_ASKED if others else answers.ON_THE_SUBJECT
            wanted = others or frozenset(asked)
        else:
            card, status, names = answers.CARDS[concern], Status.CRISIS, answers.CARD_LINES[concern]
            opening, asked = answers.ALSO_ASKED, self._also_asked(question)
            wanted = frozenset(asked)
        quotes = self._quotes_beside(asked, wanted)
        text = f"{card}\n\n{opening}\n\n{answers.quoted(quotes)}" if quotes else card
        return Answer(status, text, quotes, helplines=safety.pick(self.helplines, *names))

    def _decides(self, question: str) -> bool:
        """Whether a question, without the words that tie it to the one before, asks for a personal medical decision."""
        question = re.sub(r"^(?:(?:and|also|plus|oh|then)\W+)+", "", question, flags=re.IGNORECASE)
        return self._acquainted.weigh(question, self._screen(question)).concern is Concern.MEDICAL_ADVICE

    def _also_asked(self, message: str) -> tuple[str, ...]:
        """The ordinary questions that a message about danger holds besides."""
        parts = (
            part for part in re.split(r"(?<=[.!?])\s+", message) if part.rstrip().endswith("?") and part != message
        )
        return tuple(part for part in parts if not self._screen(part).alarming)[:2]

    def _quotes_beside(self, questions: Sequence[str], wanted: frozenset[str]) -> tuple[Citation, ...]:
        """What the articles say, under a card, on those of these questions that are wanted, each read after those before
        it. The card is shown whatever happens here."""
        with contextlib.suppress(Exception):
            found = self._finder.each_part(questions, ())
            return self._cite({quote: None for one in found if one.question in wanted for quote in one.quotes})
        return ()

    def _make_small_talk(self, question: str, screening: Screening, history: Sequence[Turn]) -> Answer | None:
        plain, surely = small_talk(question), screening.chatty >= SURELY_TALK
        kind: str | None = plain or (None if self._acquainted.is_term(question) else screening.talk)
        reading = contextualise(question, history)
        meant = plain or (reading.bearing not in ("more", "where") and addresses_program(question))
        asks = reading.bearing in ("more", "where") or corrects(reading) or asks_on(reading)
        if not kind or (not meant and asks):
            return None
        if not meant and not surely and self._acquainted.is_covered(question, reading.before):
            return None
        helplines = safety.pick(self.helplines, "referral", "crisis") if kind in ("human", "insult", "ability") else ()
        return Answer(Status.SMALL_TALK, answers.SMALL_TALK[kind], suggestions=self.examples, helplines=helplines)

    def _look_up_foreign(self, question: str) -> Answer | None:
        """A message in another language: one sentence in it, and what the articles say where that is beyond doubt."""
        language = foreign_language(question, self._acquainted.vocabulary)
        if language is None:
            return None
        finding, helplines = self.find(question), safety.pick(self.helplines, "referral", "crisis")
        text = answers.OTHER_LANGUAGES[language]
        if finding.support < SURE or not finding.quotes:
            return Answer(Status.NOT_COVERED, text, helplines=helplines, support=finding.support)
        answer = self._look_up([finding], "")
        return replace(answer, text=f"{text}\n\n{answer.text}", helplines=helplines)

    def _look_up(self, findings: Sequence[Finding], otherwise: str) -> Answer:
        found = [finding for finding in findings if finding.quotes]
        if not found:
            return self._not_covered(findings, otherwise)
        citations: list[Citation] = []
        texts, apart = [], False
        for finding in findings:
            heading = f"{answers.as_question(finding.question)}\n\n" if len(findings) > 1 else ""
            differs = self._finder.differs(finding)
            fresh = self._cite(by_article(finding.quotes) if differs else finding.quotes, citations)
            citations.extend(one for one in fresh if one not in citations)
            if fresh:
                apart |= differs
                texts.append(heading + (answers.side_by_side if differs else answers.quoted)(fresh))
            else:
                texts.append(answers.PARTLY.format(question=finding.question))
        missing = len(found) < len(findings)
        return Answer(
            Status.PARTLY_ANSWERED if missing else Status.SOURCES_DIFFER if apart else Status.ANSWERED,
            "\n\n".join(texts),
            tuple(citations),
            suggestions=self._suggest(findings[0].search.hits, 3, found[0].quotes),
            helplines=safety.pick(self.helplines, "referral") if missing else (),
            support=min(finding.support for finding in found),
        )

    def _not_covered(self, findings: Sequence[Finding], opening: str) -> Answer:
        suggestions, helplines = self._suggest(findings[0].search.hits, 3), safety.pick(self.helplines, "referral")
        if len(findings) == 1 and suggestions and unclear(findings[0].search):
            opening = answers.ASK_BACK
        nearest = max((finding.search for finding in findings), key=lambda search: search.unanswered)
        say = nearest.say if nearest.unanswered >= (FITS_TOGETHER if nearest.together else FITS) else ""
        text = " ".join(filter(None, (opening, say, answers.referral(helplines))))
        best = max(finding.support for finding in findings)
        return Answer(Status.NOT_COVERED, text, suggestions=suggestions, helplines=helplines, support=best)

    def _cite(self, quotes: Iterable[Quote], already: Sequence[Citation] = ()) -> tuple[Citation, ...]:
        """A citation of each quote, and after it of each sentence that echoes it; what is cited already keeps its number."""
        known = {(one.article, one.start, one.end): one for one in already if one.same_as is None}
        citations: list[Citation] = []
        number = len(already)
        for quote in quotes:
            of = self.index.articles[quote.article]
            own = cite(number + 1, of, of.sections[quote.section], quote.start, quote.end)
            if (cited := known.get((own.article, own.start, own.end))) is not None:
                citations += [cited, *(one for one in already if one.same_as == cited.number)]
                continue
            citations += [own, *self._cite_echoes(quote, own.number)]
            number += 1 + len(quote.echoes)
        return tuple(citations)

    def _cite_echoes(self, quote: Quote, first: int) -> Iterator[Citation]:
        for number, row in enumerate(quote.echoes, first + 1):
            place, sentence = self.index.sentences[row]
            of = self.index.articles[self.index.passages[place].article]
            yield cite(number, of, of.sections[self.index.passages[place].section], sentence.start, sentence.end, first)
