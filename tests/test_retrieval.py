"""Laws of retrieval: every score is what it is called, and the order is that of the scores, ties broken by place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from conftest import ROOT, write_small_corpus
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.answers import Answer, Status, cite
from chatbot.encoder import PackagedEncoder
from chatbot.evaluation import judge, read_questions
from chatbot.graph import Vectors
from chatbot.index import PassageIndex, build_index
from chatbot.kernel import weights
from chatbot.lexical import stem, words
from chatbot.neighbours import BARE_TERM, NEAREST, KnownQuestions
from chatbot.retrieval import ASKING, BM25_HALF, KNOWN_FROM, SHORT, WEIGHTS, Retriever
from chatbot.segmentation import Exchange, asking_sentence

FIFTY = read_questions([ROOT / "tests" / "questions" / "fifty.jsonl"])
QUESTIONS = [question["question"] for question in FIFTY]


@pytest.fixture(scope="module")
def retriever(index: PassageIndex, encoder: PackagedEncoder) -> Retriever:
    return Retriever(index, encoder)


@pytest.fixture(scope="module")
def small_retriever(small: PassageIndex, encoder: PackagedEncoder) -> Retriever:
    return Retriever(small, encoder)


def placed(encode: Callable[[list[str]], Vectors], text: str) -> Vectors:
    """A question's vector, and the part of it that asks is heard a second time."""
    rows = encode([text, asking_sentence(text) or text])
    mixed = (1 - ASKING) * rows[0] + ASKING * rows[1]
    return mixed / np.linalg.norm(mixed)


def nearest(index: PassageIndex, asked: Vectors, question: str) -> npt.NDArray[np.int64]:
    """The known questions that are looked at, ascending: bare terms only beside a short message."""
    near = np.sort(np.argsort(-asked, kind="stable")[:NEAREST])
    bare = np.array([len(words(index.questions[number].text)) <= BARE_TERM for number in near.tolist()])
    return near[~bare | (len(words(question)) <= SHORT)]


@pytest.mark.parametrize("question", QUESTIONS[:8])
def test_every_score_is_what_it_is_called(retriever: Retriever, encoder: PackagedEncoder, question: str) -> None:
    index, query = retriever.index, retriever.prepare(question)
    vector = placed(encoder.encode_queries, query.text)
    search = retriever.search(question)
    asked = index.rows.questions.rows() @ placed(encoder.encode_questions, query.text)
    near = nearest(index, asked, question)
    asked[np.setdiff1d(np.arange(len(asked)), near)] = 0.0
    for hit in search.hits:
        number, sentence = index.sentences[hit.row]
        assert (hit.passage, hit.sentence) == (index.passages[number], sentence)
        assert hit.text == index.sentence_text(hit.row)
        assert hit.cosine == pytest.approx(float(index.rows.sentences.rows()[hit.row] @ vector), abs=1e-5)
        assert hit.passage_cosine == pytest.approx(float(index.rows.passages.rows()[number] @ vector), abs=1e-5)
        assert hit.bm25 == pytest.approx(float(index.rows.sentence_terms.scores(query.terms)[hit.row]))
        assert hit.passage_bm25 == pytest.approx(float(index.rows.passage_terms.scores(query.terms)[number]))
        answering = [number for number, rows in enumerate(index.question_rows) if hit.row in rows]
        assert hit.known == pytest.approx(max((float(asked[number]) for number in answering), default=0.0), abs=1e-5)
        votes = dict(zip(near.tolist(), weights(asked[near], index.rows.questions.rows()[near]), strict=True))
        assert hit.vote == pytest.approx(sum(votes.get(number, 0.0) for number in answering), abs=1e-4)
        squashed = [bm25 / (bm25 + BM25_HALF) for bm25 in (hit.bm25, hit.passage_bm25)]
        assert hit.fused == pytest.approx(
            WEIGHTS["cosine"] * hit.cosine
            + WEIGHTS["passage_cosine"] * hit.passage_cosine
            + WEIGHTS["bm25"] * squashed[0]
            + WEIGHTS["passage_bm25"] * squashed[1]
            + WEIGHTS["known"] * max(hit.known - KNOWN_FROM, 0.0),
            abs=1e-5,
        )


@pytest.mark.parametrize("question", QUESTIONS[:8])
def test_what_the_neighbours_agree_on_is_the_most_that_they_say_for_one_thing(
    retriever: Retriever, encoder: PackagedEncoder, question: str
) -> None:
    index = retriever.index
    asked = index.rows.questions.rows() @ placed(encoder.encode_questions, retriever.prepare(question).text)
    near = nearest(index, asked, question)
    said: dict[bool, dict[object, float]] = {True: {0: 0.0}, False: {0: 0.0}}
    for number, weight in zip(near.tolist(), weights(asked[near], index.rows.questions.rows()[near]), strict=True):
        rows, kind = index.question_rows[number], bool(index.questions[number].places)
        wanted = rows or index.questions[number].topic
        said[kind][wanted] = said[kind].get(wanted, 0.0) + weight
    assert retriever.search(question).agreed == pytest.approx(
        [max(said[kind].values()) for kind in (True, False)], abs=1e-4
    )


@pytest.mark.parametrize("question", ["does iop cost more than inpatient rehab does", *QUESTIONS[:8]])
def test_bare_terms_say_nothing_to_a_longer_message(
    retriever: Retriever, encoder: PackagedEncoder, question: str
) -> None:
    index, known = retriever.index, KnownQuestions(retriever.index)
    vector = encoder.encode_questions([retriever.prepare(question).text])[0]
    near = {bare: known.near(vector, bare_terms=bare).numbers.tolist() for bare in (True, False)}
    terms = [number for number in near[True] if len(words(index.questions[number].text)) <= BARE_TERM]
    assert near[False] == [number for number in near[True] if number not in terms]


@pytest.mark.parametrize("question", [*QUESTIONS[:10], "", "?", "zzz", "is it the of"])
def test_hits_stand_in_the_order_of_their_scores(retriever: Retriever, question: str) -> None:
    whole = retriever.search(question, 10**6).hits
    assert sorted(hit.row for hit in whole) == list(range(len(retriever.index.sentences)))
    assert [hit.row for hit in whole] == [
        hit.row for hit in sorted(whole, key=lambda hit: (-float(np.round(np.float32(hit.fused), 6)), hit.row))
    ]
    assert retriever.search(question, 12).hits == whole[:12]


def test_the_same_question_finds_the_same(retriever: Retriever, encoder: PackagedEncoder) -> None:
    again = Retriever(retriever.index, encoder)
    for question in QUESTIONS[:10]:
        assert retriever.search(question) == again.search(question) == again.search(question)


def test_ties_break_on_position(tmp_path: Path, encoder: PackagedEncoder) -> None:
    corpus = write_small_corpus(tmp_path / "corpus")
    (corpus / "questions.yaml").unlink()
    (corpus / "a-copy.md").write_bytes((corpus / "worms.md").read_bytes())
    build_index(corpus, tmp_path / "index", encoder)
    twice = Retriever(PassageIndex.load(tmp_path / "index"), encoder)
    hits = twice.search("does a worm box smell", 10**6).hits
    place = {(hit.passage.article, hit.text): position for position, hit in enumerate(hits)}
    for article, text in place:
        if article == "worms":
            assert place["a-copy", text] < place["worms", text]
            one, other = (hits[place[name, text]] for name in ("a-copy", "worms"))
            assert (one.cosine, one.bm25, one.fused) == (other.cosine, other.bm25, other.fused)


def test_a_known_question_finds_its_answer_and_an_unanswered_one_its_advice(small_retriever: Retriever) -> None:
    reek = small_retriever.search("does the box reek")
    assert reek.hits[0].text == "A worm box does not smell."
    assert reek.hits[0].known == pytest.approx(1.0, abs=0.02)
    assert reek.answered == pytest.approx(1.0, abs=0.02)
    assert reek.unanswered < 0.9
    shop = small_retriever.search("where can i buy a compost bin")
    assert shop.unanswered == pytest.approx(1.0, abs=0.02)
    assert shop.say == "Ask a garden shop."
    assert shop.answered < 0.9
    assert reek.vote > 0.5 > -0.5 > shop.vote
    assert reek.hits[0].vote > 0.5


def test_a_follow_up_is_searched_with_the_questions_before_it(small_retriever: Retriever) -> None:
    alone = small_retriever.search("and does it reek")
    assert alone.read_as == "and does it reek"
    read = small_retriever.search("and does it reek", before=[Exchange("what is the worm box made of")])
    assert read.read_as != alone.read_as
    assert read.hits[0].text == "A worm box does not smell."


def test_what_is_a_known_question_by_itself_is_not_bent_by_those_before_it(retriever: Retriever) -> None:
    before = [Exchange("what is dialectical behavior therapy"), Exchange("how often", "The articles don't say.")]
    for question in ("does IOP include detox?", "will my boss find out?", "how many hours a week is an IOP"):
        assert retriever.search(question, before=before) == retriever.search(question)


def test_known_scores_are_zero_without_known_questions(originals: PassageIndex, encoder: PackagedEncoder) -> None:
    search = Retriever(originals, encoder).search(QUESTIONS[0])
    assert (search.answered, search.unanswered, search.vote, search.say) == (0.0, 0.0, 0.0, "")
    assert {hit.known for hit in search.hits} == {0.0}


def test_the_right_section_is_nearly_always_among_the_hits(retriever: Retriever) -> None:
    articles, found = retriever.index.articles, 0
    for question in FIFTY:
        hits = retriever.search(question["question"]).hits
        places = [(articles[hit.passage.article], hit.passage.section, hit.sentence) for hit in hits]
        citations = [cite(1, article, article.sections[part], at.start, at.end) for article, part, at in places]
        found += judge(question, Answer(Status.ANSWERED, "", tuple(citations))).cited
    assert found >= 0.9 * len(FIFTY)


# --- making a question ready --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("does IOP inclde detoxx", "include detox"),
        ("an inetnsive program", "an intensive program"),
        ("is counsling offered", "is counseling offered"),
        ("medcation", "medication"),
    ],
)
def test_slips_are_put_right(retriever: Retriever, typed: str, meant: str) -> None:
    assert meant in retriever.prepare(typed).text


def test_what_the_articles_know_is_left_alone(retriever: Retriever) -> None:
    for row in range(0, len(retriever.index.sentences), 5):
        text = retriever.index.sentence_text(row)
        assert retriever.prepare(text).text == retriever.index.glossary.write_out(text)


@pytest.mark.parametrize("word", ["stuff", "whole", "liver", "medicaid", "drink", "tough", "plain", "bring"])
def test_a_word_of_english_is_no_slip(retriever: Retriever, word: str) -> None:
    assert word in retriever.prepare(f"about my {word} now").text.split()


def test_meditation_is_not_medication(originals: PassageIndex, encoder: PackagedEncoder) -> None:
    assert "medication" not in Retriever(originals, encoder).prepare("is there meditation?").text


def test_a_negation_stays(retriever: Retriever) -> None:
    assert "doesn't" in retriever.prepare("what if it doesn't work").text


def test_abbreviations_are_written_out_and_lay_words_looked_up(small_retriever: Retriever) -> None:
    query = small_retriever.prepare("my WB stinks")
    assert "worm box" in query.text
    assert {stem("worm"), stem("box"), stem("smell")} <= set(query.terms)
    assert len(set(query.terms)) == len(query.terms)


def test_an_abbreviation_that_the_articles_explain_is_written_out(small_retriever: Retriever) -> None:
    assert "national allotment society" in small_retriever.prepare("what is the NAS").text


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_can_be_made_ready(retriever: Retriever, text: str) -> None:
    query = retriever.prepare(text)
    assert query == retriever.prepare(text)
    assert len(set(query.terms)) == len(query.terms)


def test_what_was_quoted_is_read_with_a_follow_up(retriever: Retriever) -> None:
    quoted = [retriever.index.sentence_text(row) for row in (7, 3)]
    assert retriever._quoted("\n".join(quoted)) == quoted
    assert retriever._quoted("The articles don't say.") == []
