"""The engine: every quote stands where its citation says, and nothing that a person types makes it fail."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import CORPUS, ROOT, open_assistant
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.answers import CARDS, IN_CASE, INVALID, MEDICAL, NOT_COVERED, OTHER_LANGUAGES, SMALL_TALK, Answer, Status
from chatbot.assistant import Assistant
from chatbot.contradictions import opposites
from chatbot.conversation import Turn, contextualise
from chatbot.encoder import PackagedEncoder
from chatbot.errors import CorpusError, IndexMissingError, IndexStaleError, ModelError
from chatbot.evaluation import read_questions
from chatbot.finder import CANDIDATES
from chatbot.graph import Vectors
from chatbot.index import PassageIndex
from chatbot.lexical import terms
from chatbot.passages import leans_back
from chatbot.reader import CrossEncoderReader, RetrievalReader, Support
from chatbot.retrieval import Search
from chatbot.safety import Concern, load_helplines
from chatbot.screening import Screen, Screening
from chatbot.selection import wants_list
from chatbot.settings import Settings
from chatbot.topics import as_question

FIFTY = [each["question"] for each in read_questions([ROOT / "tests" / "questions" / "fifty.jsonl"])]
DETOX = "does IOP include detox?"
LISTS = (
    "how do I choose a program?",
    "what therapies are used?",
    "what are the benefits of IOP?",
    "List the key takeaways",
)
MIXED = ("what is DBT and who won the world cup in 1998?", "Is it cheaper than rehab, and can I keep my job?")
QUESTIONS = (*FIFTY, DETOX, *LISTS, *MIXED)
OFF_TOPIC = ("who won the world cup in 1998?", "how do I bake sourdough bread", "what is the capital of Mongolia")
ANSWERING = (Status.ANSWERED, Status.SOURCES_DIFFER, Status.PARTLY_ANSWERED)


@pytest.fixture(scope="module", params=["index-none", "index-default", "originals-none", "originals-default"])
def both(request: pytest.FixtureRequest, encoder: PackagedEncoder) -> Assistant:
    """The assistant over the corpus and over the originals, with each reader."""
    library, reader = request.param.split("-")
    return open_assistant(request.getfixturevalue(library), encoder, reader)


def index_of(assistant: Assistant) -> PassageIndex:
    return assistant.index


def check(assistant: Assistant, answer: Answer) -> None:
    """All laws that hold for the answer to any question."""
    articles = {article.id: article for article in assistant.articles}
    assert answer.index == assistant.index_digest
    assert answer.text.strip()
    if answer.status not in (Status.CRISIS, Status.MEDICAL_ADVICE):  # a card may have quotes below it
        assert bool(answer.citations) is (answer.status in ANSWERING)
    assert [citation.number for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    for citation in answer.citations:
        article = articles[citation.article]
        assert article.text[citation.start : citation.end] == citation.quote
        said = answer.citations[(citation.same_as or citation.number) - 1]
        between = "".join(f" [{number}]" for number in range(said.number, citation.number))
        assert f"{said.quote}{between} [{citation.number}]" in answer.text
        assert said.same_as is None and (said is citation or said.article != citation.article)
        (section,) = [each for each in article.sections if each.start <= citation.start < each.end]
        assert citation.end <= section.end
        assert (citation.section, citation.title, citation.url) == (section.heading, article.title, article.url)
        assert (citation.publisher, citation.updated, citation.edition) == (
            article.publisher,
            article.updated,
            article.edition,
        )
    assert len(set(answer.suggestions)) == len(answer.suggestions) <= 4
    assert answer.support is None or 0 <= answer.support <= 1
    assert json.loads(json.dumps(answer.public())) == answer.public()
    if answer.status is Status.NOT_COVERED:
        assert answer.helplines
        if answer.text not in OTHER_LANGUAGES.values():
            assert answer.text.startswith(NOT_COVERED)
            assert answer.helplines[0].name in answer.text


def check_was_retrieved(assistant: Assistant, question: str, answer: Answer) -> None:
    """Every quote is from a section that the search for its part of the question found, or whose heading it is, or is
    set against one that it found."""
    found, index = set(), assistant.index
    against = opposites(index)
    for finding in assistant._finder.read(contextualise(question, ()), ())[0]:
        found |= {(hit.passage.article, hit.passage.heading) for hit in finding.search.hits}
        others = {
            index.sentences[row][0]
            for rows in against.values()
            for hit in finding.search.hits
            for row in rows.get(hit.row, ())
        }
        found |= {(index.passages[number].article, index.passages[number].heading) for number in others}
        assert len(finding.search.hits) <= CANDIDATES
        assert len(finding.supports) == len(finding.search.hits)
        found |= {(quote.article, finding.question) for quote in finding.quotes}
    for citation in answer.citations:
        assert (citation.article, citation.section) in found


def check_nothing_turns_it(assistant: Assistant, answer: Answer) -> None:
    """No quote leaves off the sentence that takes its last one back."""
    index = index_of(assistant)
    texts = [index.sentence_text(row) for row in range(len(index.sentences))]
    sections = [(index.passages[number].article, index.passages[number].heading) for number, _ in index.sentences]
    for citation in answer.citations:
        for row, text in enumerate(texts[:-1]):
            if (
                citation.quote.endswith(text)
                and sections[row] == (citation.article, citation.section) == sections[row + 1]
            ):
                assert not texts[row + 1].startswith(("However", "But ", "Unless"))


# --- laws -----------------------------------------------------------------------------------------------------


def test_every_quote_stands_at_its_offsets_and_was_retrieved(both: Assistant) -> None:
    ours = {article.edition for article in both.articles} == {"summary"}
    answered = 0
    for question in QUESTIONS:
        answer = both.ask(question)
        check(both, answer)
        check_was_retrieved(both, question, answer)
        check_nothing_turns_it(both, answer)
        answered += bool(answer.citations)
        if ours:  # no sentence of the corpus points back
            assert not [each.quote for each in answer.citations if leans_back(each.quote)]
    assert answered >= 15 or not ours  # so that the laws are about something


def test_the_same_question_gets_the_same_answer(both: Assistant) -> None:
    for question in QUESTIONS[::4]:
        assert both.ask(question) == both.ask(question)


def test_a_list_that_is_asked_for_is_quoted_whole(both: Assistant) -> None:
    index = index_of(both)
    asked = [question for question in QUESTIONS if wants_list(question)]
    for citation in [citation for question in asked for citation in both.ask(question).citations]:
        for passage in index.passages:
            if (passage.article, passage.heading) != (citation.article, citation.section):
                continue
            lists = {each.paragraph for each in passage.sentences if each.role == "item"}
            for paragraph in lists:
                whole = [passage.sentence_text(each) for each in passage.sentences if each.paragraph == paragraph]
                inside = [text in citation.quote for text in whole]
                assert all(inside) or not any(inside)


def test_every_suggestion_is_answered_from_its_section(
    index: PassageIndex, originals: PassageIndex, encoder: PackagedEncoder
) -> None:
    for library in (index, originals):
        opened = open_assistant(library, encoder, "none")
        for heading in dict.fromkeys(passage.heading for passage in library.passages if passage.trail):
            answer = opened.ask(as_question(heading))
            assert answer.status in ANSWERING, heading
            assert heading in {citation.section for citation in answer.citations}


def test_what_is_suggested_is_answered(assistant: Assistant) -> None:
    suggested = {each for question in (*FIFTY[:10], *OFF_TOPIC, "hi") for each in assistant.ask(question).suggestions}
    assert len(suggested) > 5
    for question in {*suggested, *assistant.examples}:
        assert assistant.ask(question).citations, question


def test_two_assistants_say_the_same(assistant: Assistant, index_folder: Path, encoder: PackagedEncoder) -> None:
    reader = "none" if type(assistant._finder._reader).__name__ == "RetrievalReader" else "default"
    other = open_assistant(PassageIndex.load(index_folder), encoder, reader)
    for question in QUESTIONS[:12]:
        one, two = (json.dumps(each.ask(question).public()) for each in (assistant, other))
        assert one == two


def test_threads_do_not_disturb_each_other(assistant: Assistant) -> None:
    questions = [*QUESTIONS[:8], "hi", *OFF_TOPIC]
    alone = [assistant.ask(question) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(assistant.ask, questions * 2)) == alone * 2


def test_history_is_not_remembered(assistant: Assistant) -> None:
    history = [Turn("user", "what is DBT"), Turn("assistant", "A therapy.")]
    assistant.ask("tell me a secret", history)
    assert assistant.ask(DETOX) == assistant.ask(DETOX, history)


# --- the main questions -----------------------------------------------------------------------------------------


def test_detox_is_answered_from_the_section_on_detox(assistant: Assistant) -> None:
    citations = assistant.ask(DETOX).citations
    assert any(
        citation.article == "synergy-sobriety"
        and "detox" in citation.section.lower()
        and "detox" in citation.quote.lower()
        for citation in citations
    )


def test_detox_is_answered_from_the_originals(originals: PassageIndex, encoder: PackagedEncoder) -> None:
    citations = open_assistant(originals, encoder, "default").ask(DETOX).citations
    assert any(
        citation.article == "synergy-sobriety"
        and "detox" in citation.section.lower()
        and "detox" in citation.quote.lower()
        for citation in citations
    )


@pytest.mark.parametrize(
    "typed", ["does IOP inclde detoxx", "dose iop incldue detox", "DOES IOP INCLUDE DETOX", "iop detox?"]
)
def test_typing_does_not_break_it(assistant: Assistant, typed: str) -> None:
    answer = assistant.ask(typed)
    assert any("detox" in citation.quote.lower() for citation in answer.citations)


def test_how_to_choose_gives_the_whole_list(assistant: Assistant) -> None:
    (article,) = [each for each in assistant.articles if each.id == "addiction-program"]
    (section,) = [each for each in article.sections if each.heading.startswith("How to Find the Right")]
    items = [line[2:] for line in section.text.splitlines() if line.startswith("- ")]
    quotes = " ".join(citation.quote for citation in assistant.ask("how do I choose a program?").citations)
    assert len(items) == 5
    assert [item for item in items if item not in quotes] == []
    assert "can follow these tips:" in quotes


@pytest.mark.parametrize(("question", "words"), [("what is DBT", "dialectical"), ("what is CBT?", "cognitive")])
def test_an_abbreviation_is_understood(assistant: Assistant, question: str, words: str) -> None:
    assert any(words in citation.quote.lower() for citation in assistant.ask(question).citations)


@pytest.mark.parametrize("question", OFF_TOPIC)
def test_what_the_articles_do_not_say_is_not_answered(both: Assistant, question: str) -> None:
    answer = both.ask(question)
    assert answer.status is Status.NOT_COVERED
    check(both, answer)


def test_of_two_questions_the_one_without_an_answer_is_named(assistant: Assistant) -> None:
    answer = assistant.ask("what is DBT and who won the world cup in 1998?")
    assert answer.status is Status.PARTLY_ANSWERED
    assert "who won the world cup in 1998" in answer.text
    assert answer.citations
    assert answer.helplines


# --- every other status -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", ["", " ", "\n\t \r\n", "\u2003", "\x00", "\x01\x02\x1b", "\u200b\u200d", "…?!", "\U0001f332"]
)
def test_an_unreadable_message_is_invalid(assistant: Assistant, message: str) -> None:
    answer = assistant.ask(message)
    assert answer.status is Status.INVALID
    assert answer.text in (INVALID["empty"], INVALID["unreadable"])
    check(assistant, answer)


@pytest.mark.parametrize("letter", ["a", "detox ", "日", "\U0001f600a"])
def test_a_message_is_too_long_by_its_characters(index: PassageIndex, encoder: PackagedEncoder, letter: str) -> None:
    opened = open_assistant(index, encoder, "none")
    longest = (letter * 2000)[:2000]
    assert opened.ask(longest).status is not Status.INVALID
    answer = opened.ask(longest + "a")
    assert answer.status is Status.INVALID
    assert "2000" in answer.text


def test_a_long_story_before_a_question_is_no_error(index: PassageIndex, encoder: PackagedEncoder) -> None:
    story = "my son has been drinking since his wife left and he keeps saying that he can stop whenever he likes, "
    message = story * 7 + "so does IOP include detox?"
    assert len(message) < 1000
    check(open_assistant(index, encoder, "none"), open_assistant(index, encoder, "none").ask(message))
    opened = open_assistant(index, encoder, "default")
    check(opened, opened.ask(message))


@pytest.mark.parametrize(
    ("message", "kind"), [("hi", "greeting"), ("thanks!", "thanks"), ("who are you?", "identity"), ("bye", "goodbye")]
)
def test_small_talk(assistant: Assistant, message: str, kind: str) -> None:
    answer = assistant.ask(message)
    assert (answer.status, answer.text) == (Status.SMALL_TALK, SMALL_TALK[kind])
    assert answer.suggestions == assistant.examples
    check(assistant, answer)


def test_small_talk_is_told_from_questions(whole: Assistant) -> None:
    """A floor well under what `python -m benchmarks.conversation` prints."""
    lines = [json.loads(line) for line in (ROOT / "tests" / "talk" / "tune.jsonl").read_text("utf-8").splitlines()]
    said: dict[str, list[bool]] = {"none": [], "some": []}
    for line in lines[::3]:
        answer = whole.ask(line["message"])
        said["none" if line["kind"] == "none" else "some"].append(answer.status is Status.SMALL_TALK)
    assert sum(said["some"]) / len(said["some"]) > 0.85
    assert sum(said["none"]) / len(said["none"]) < 0.06


def test_a_sign_instead_of_words_is_no_fault(assistant: Assistant) -> None:
    assert assistant.ask("👍🏽").text == SMALL_TALK["acknowledgement"]
    assert assistant.ask("💊").status is Status.INVALID


def test_who_wants_a_person_gets_numbers(assistant: Assistant) -> None:
    assert assistant.ask("can I talk to a human?").helplines


@pytest.fixture(scope="module")
def whole(index: PassageIndex, encoder: PackagedEncoder) -> Assistant:
    """With both layers of the danger screen."""
    helplines = load_helplines(CORPUS / "helplines.yaml")
    return Assistant(index, encoder, CrossEncoderReader(index), helplines, screen=Screen.open())


@pytest.mark.parametrize("term", ["DBT", "work", "kids", "abuse", "children?", "evening", "phone number", "drug abuse"])
def test_a_word_of_the_librarys_is_looked_up_and_is_neither_small_talk_nor_danger(whole: Assistant, term: str) -> None:
    answer = whole.ask(term)
    assert answer.status not in (Status.SMALL_TALK, Status.CRISIS)
    assert IN_CASE not in answer.text


@pytest.mark.parametrize("term", ["mindfulness", "cravings?", "location", "yoga", "service dog"])
def test_a_word_or_two_that_stand_in_a_sentence_are_answered_with_it_and_others_are_not(
    assistant: Assistant, term: str
) -> None:
    wanted = set(terms(term))
    stands = any(
        wanted <= set(terms(text)) for text in map(assistant.index.sentence_text, range(len(assistant.index.sentences)))
    )
    answer = assistant.ask(term)
    assert bool(answer.citations) == stands
    assert any(wanted <= set(terms(citation.quote)) for citation in answer.citations) == stands


@pytest.mark.parametrize("term", ["suicide", "overdose", "overdosing", "seizure?", "self harm", "child abuse"])
def test_a_word_that_names_a_danger_shows_whom_to_call(whole: Assistant, term: str) -> None:
    answer = whole.ask(term)
    assert answer.status is Status.CRISIS or IN_CASE in answer.text
    assert answer.helplines


@pytest.mark.parametrize(
    "message",
    [
        "feels like im the only one going thru this",
        "I'm terrified of the next wedding or funeral. Will I get any surer of myself that I can do it dry?",
    ],
)
def test_danger_hardly_seen_gives_way_to_a_question_that_is_answered_beyond_doubt(
    whole: Assistant, message: str
) -> None:
    assert whole._screen(message).faint
    answer = whole.ask(message)
    assert answer.status is Status.ANSWERED
    assert answer.text.startswith(IN_CASE)
    assert answer.private


def test_danger_hardly_seen_stays_where_nothing_is_answered(whole: Assistant) -> None:
    message = "22 a day right? might make it 23"
    assert whole._screen(message).faint
    assert whole.ask(message).status is Status.CRISIS


@pytest.mark.parametrize("other", ["does iop include detox?", "how many hours a week is it?", "can i live at home?"])
@pytest.mark.parametrize("decision", ["is one beer on naltrexone dangerous", "can i take xanax with suboxone"])
def test_what_is_asked_beside_a_medical_decision_is_answered(whole: Assistant, decision: str, other: str) -> None:
    for message in (f"{decision}? and {other}", f"{other} also {decision}?"):
        answer = whole.ask(message)
        assert answer.status is Status.MEDICAL_ADVICE
        assert {one.quote for one in whole.ask(other).citations} & {one.quote for one in answer.citations}


def test_what_is_odd_is_no_overdose(whole: Assistant) -> None:
    assert whole.ask("i work odd shifts. are there slots after hours or on a saturday?").status is Status.ANSWERED
    assert whole.ask("he odd on fent in the bathroom").status is Status.CRISIS


@pytest.mark.parametrize("word", ["great", "of course", "that makes sense", "no", "yep", "all right"])
def test_a_word_of_assent_is_small_talk(whole: Assistant, word: str) -> None:
    assert whole.ask(word).text == SMALL_TALK["acknowledgement"]


def test_a_greeting_does_not_change_the_answer(assistant: Assistant) -> None:
    assert assistant.ask(f"Hello, {DETOX}") == assistant.ask(DETOX)


def test_danger_comes_before_everything(assistant: Assistant) -> None:
    for message in ("i want to kill myself", "hi, does IOP include detox? i want to kill myself"):
        answer = assistant.ask(message)
        assert answer.status is Status.CRISIS
        assert answer.text.startswith(CARDS["suicide"])
        assert bool(answer.citations) == ("detox" in message), "a question beside it is answered below the card"
        assert [line.id for line in answer.helplines] == ["crisis", "emergency"]
        check(assistant, answer)


def test_a_medical_decision_is_for_a_prescriber(assistant: Assistant) -> None:
    answer = assistant.ask("how much suboxone should I take")
    assert answer.status is Status.MEDICAL_ADVICE
    assert answer.text.startswith(MEDICAL)
    assert answer.helplines


class Guess(Screen):
    """A screen that takes everything for one concern, which is a medical decision."""

    def __init__(self, guessed: bool, concern: Concern = Concern.MEDICAL_ADVICE, faint: bool = False) -> None:
        super().__init__(None)
        self._screening = Screening(concern, guessed=guessed, faint=faint)

    def __call__(self, message: str, history: Sequence[Turn] = ()) -> Screening:
        return self._screening


def test_what_is_known_to_be_answered_is_no_medical_decision_unless_a_pattern_says_so(
    small: PassageIndex, encoder: PackagedEncoder
) -> None:
    def status(question: str, guessed: bool) -> Status:
        reader = RetrievalReader(small)
        return Assistant(small, encoder, reader, (), screen=Guess(guessed)).ask(question).status

    assert status("does the box reek", guessed=True) is Status.ANSWERED
    assert status("does the box reek", guessed=False) is Status.MEDICAL_ADVICE
    assert status("where can i buy a compost bin", guessed=True) is Status.MEDICAL_ADVICE


@pytest.mark.parametrize(
    ("message", "guessed", "status"),
    [
        ("does the box reek", True, Status.ANSWERED),
        ("does the box reek", False, Status.CRISIS),
        ("where can i buy a compost bin", True, Status.CRISIS),
    ],
)
def test_what_is_plainly_another_question_gets_its_answer_with_whom_to_call_above(
    small: PassageIndex, encoder: PackagedEncoder, message: str, guessed: bool, status: Status
) -> None:
    screen = Guess(guessed, Concern.SUICIDE)
    answer = Assistant(small, encoder, RetrievalReader(small), (), screen=screen).ask(message)
    assert answer.status is status
    assert answer.private
    assert answer.text.startswith(CARDS[Concern.SUICIDE] if status is Status.CRISIS else IN_CASE)


@pytest.mark.parametrize(
    ("message", "faint", "status"),
    [
        ("where can i buy a compost bin", True, Status.NOT_COVERED),
        ("where can i buy a compost bin", False, Status.CRISIS),
        ("¿dónde puedo encontrar ayuda para mi hermano?", True, Status.NOT_COVERED),
        ("¿dónde puedo encontrar ayuda para mi hermano?", False, Status.CRISIS),
        ("tell my daughter i loved her", True, Status.CRISIS),
    ],
)
def test_what_is_hardly_seen_in_another_language_or_near_a_known_question_is_answered_with_whom_to_call_above(
    small: PassageIndex, encoder: PackagedEncoder, message: str, faint: bool, status: Status
) -> None:
    screen = Guess(True, Concern.SUICIDE, faint)
    answer = Assistant(small, encoder, RetrievalReader(small), (), screen=screen).ask(message)
    assert answer.status is status
    assert answer.private
    assert answer.text.startswith(CARDS[Concern.SUICIDE] if status is Status.CRISIS else IN_CASE)


class Broken:
    """An encoder and a reader that fail."""

    name, digest, dim = "broken", "0" * 64, 384

    def encode(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError("broken")

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError("broken")

    def encode_known(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError("broken")

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError("broken")

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        raise RuntimeError("broken")

    def encode_followup(self, message: str, before: Sequence[str], said: Sequence[str] = ()) -> Vectors:
        raise RuntimeError("broken")

    def knows(self, word: str) -> bool:
        raise RuntimeError("broken")

    def support(self, question: str, search: Search) -> Support:
        raise RuntimeError("broken")


def test_danger_is_noticed_when_everything_behind_is_broken(index: PassageIndex) -> None:
    broken = Assistant(index, Broken(), Broken(), load_helplines(CORPUS / "helplines.yaml"))
    with pytest.raises(RuntimeError):
        broken.ask(DETOX)
    assert broken.ask("i want to kill myself").text == CARDS["suicide"]
    assert broken.ask("she stopped breathing").status is Status.CRISIS
    assert broken.ask("how much suboxone should I take").status is Status.MEDICAL_ADVICE
    assert broken.ask("hi").status is Status.SMALL_TALK
    assert broken.ask("").status is Status.INVALID


def test_without_helplines_there_is_still_a_card(index: PassageIndex) -> None:
    answer = Assistant(index, Broken(), Broken(), ()).ask("i want to kill myself")
    assert answer.text == CARDS["suicide"]
    assert answer.helplines == ()


@given(st.text(max_size=80))
@settings(max_examples=40)
def test_nothing_that_a_person_types_makes_it_fail(assistant: Assistant, message: str) -> None:
    check(assistant, assistant.ask(message))


@pytest.mark.parametrize(
    "message",
    ["a\x00b detox", "\u202edetox", "'; DROP TABLE--", "<script>alert(1)</script>", "[1] [2]", "{question}", "%s %d {0}",
     "is is is is?", "the of and", "12345", "https://example.org", "Ist Entgiftung enthalten?", "排毒", "ﬀ", "İ" * 50],
)  # fmt: skip
def test_odd_messages(assistant: Assistant, message: str) -> None:
    check(assistant, assistant.ask(message))


def test_half_a_pair_is_unreadable(index: PassageIndex, encoder: PackagedEncoder) -> None:
    assert open_assistant(index, encoder, "none").ask("\ud800 detox").status is Status.INVALID


def test_an_answer_has_the_support_of_its_quotes(index: PassageIndex, encoder: PackagedEncoder) -> None:
    opened = open_assistant(index, encoder, "none")
    for heading in ("Conclusion", "Definition", "Lower Costs", "Key Takeaways"):
        finding = opened.find(as_question(heading))
        assert finding.support == pytest.approx(max(quote.support for quote in finding.quotes))


# --- opening ----------------------------------------------------------------------------------------------------


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch, encoder: PackagedEncoder) -> None:
    """The model is loaded once."""
    monkeypatch.setattr("chatbot.assistant.load_encoder", lambda model: encoder)


def test_opening_gives_the_index_as_it_is(at_hand: None, index_folder: Path, index: PassageIndex) -> None:
    opened = Assistant.open(Settings(index=index_folder, reader="none"), check_corpus=True)
    assert opened.index_digest == index.digest
    assert opened.articles == tuple(index.articles.values())
    assert [line.id for line in opened.helplines][:2] == ["emergency", "crisis"]


def test_an_index_of_other_articles_is_stale(at_hand: None, small_folder: Path) -> None:
    settings = Settings(index=small_folder, reader="none")
    with pytest.raises(IndexStaleError):
        Assistant.open(settings, check_corpus=True)
    assert len(Assistant.open(settings).articles) == 2


def test_what_cannot_be_opened_is_named(at_hand: None, small_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match=str(tmp_path)):
        Assistant.open(Settings(index=tmp_path, reader="none"))
    with pytest.raises(ModelError, match="gpt"):
        Assistant.open(Settings(index=small_folder, reader="gpt"))
    with pytest.raises(CorpusError, match="nowhere"):
        Assistant.open(Settings(index=small_folder, reader="none", helplines=tmp_path / "nowhere"))


def test_the_operators_limit_counts(at_hand: None, small_folder: Path) -> None:
    opened = Assistant.open(Settings(index=small_folder, reader="none", max_question_characters=10))
    assert opened.ask("a" * 11).status is Status.INVALID
    assert "10 characters" in opened.ask("a" * 11).text


def test_another_library_is_answered_from_as_well(small: PassageIndex, encoder: PackagedEncoder) -> None:
    opened = open_assistant(small, encoder, "none")
    for question in ("does the box reek", "how often do i turn it", "What goes in?", "is there a war on mars"):
        check(opened, opened.ask(question))
    assert opened.ask("does the box reek").citations[0].quote.startswith("A worm box does not smell.")
    assert "garden shop" in opened.ask("where can i buy a compost bin").text


def test_a_follow_up_is_read_with_the_question_before_it(assistant: Assistant) -> None:
    first = assistant.ask("how many hours a week is an IOP?")
    history = [Turn("user", "how many hours a week is an IOP?"), Turn("assistant", first.text)]
    again = assistant.ask("where does it say that?", history)
    assert [c.quote for c in again.citations] == [c.quote for c in first.citations]
    more = assistant.ask("anything else?", history)
    assert not {c.quote for c in more.citations} & {c.quote for c in first.citations}


@pytest.mark.parametrize("message", ["where did you read that", "where's that written", "which article?"])
def test_who_asks_where_it_stands_is_told_and_not_taken_for_small_talk(assistant: Assistant, message: str) -> None:
    answer = assistant.ask("does IOP include detox?")
    history = [Turn("user", "does IOP include detox?"), Turn("assistant", answer.text)]
    again = assistant.ask(message, history)
    assert again.status is Status.ANSWERED
    assert {citation.quote for citation in again.citations} <= {citation.quote for citation in answer.citations}


@pytest.mark.parametrize("message", ["who makes that call", "are they honest"])
def test_who_asks_on_is_not_taken_for_small_talk(whole: Assistant, message: str) -> None:
    before = "who decides which level of care a person needs?"
    history = [Turn("user", before), Turn("assistant", whole.ask(before).text)]
    assert whole.ask(message, history).status is not Status.SMALL_TALK


def test_the_history_bends_no_question_that_stands_by_itself(assistant: Assistant) -> None:
    history = [Turn("user", "what is DBT?"), Turn("assistant", assistant.ask("what is DBT?").text)]
    assert assistant.ask(DETOX, history) == assistant.ask(DETOX)


# --- what may be stored ---------------------------------------------------------------------------


def test_where_danger_is_in_the_air_the_words_are_private(small: PassageIndex, encoder: PackagedEncoder) -> None:
    assistant = open_assistant(small, encoder, "none")
    danger = assistant.ask("i want to kill myself")
    said = [Turn("user", "i want to kill myself"), Turn("assistant", danger.text)]
    question = "does a worm box smell?"
    assert danger.status is Status.CRISIS and danger.private
    assert assistant.ask(question, said).private
    assert assistant.ask(question, said[:1]).private  # the client left the card out
    assert assistant.ask(question, [*said, Turn("user", "no"), Turn("assistant", "All right.")]).private
    assert not assistant.ask(question).private
    assert not assistant.ask(question, [Turn("user", "hello"), Turn("assistant", "Hello.")]).private
    assert "private" not in danger.public()


def test_where_danger_is_doubtful_the_words_are_private(small: PassageIndex, encoder: PackagedEncoder) -> None:
    class Doubting(Screen):
        def __call__(self, message: str, history: Sequence[Turn] = ()) -> Screening:
            return Screening(None, doubtful=True)

    assistant = Assistant(small, encoder, RetrievalReader(small), (), screen=Doubting(None))
    answer = assistant.ask("does a worm box smell?")
    assert assistant.fears_for("does a worm box smell?")
    assert answer.private and answer.text.startswith(IN_CASE)
    assert (
        open_assistant(small, encoder, "none")
        .ask("and how?", [Turn("user", "a"), Turn("assistant", answer.text)])
        .private
    )
