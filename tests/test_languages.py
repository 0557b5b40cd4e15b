"""Other languages: recognised by their own words, and English is never taken for one of them."""

import pytest
from conftest import ROOT

from chatbot.answers import OTHER_LANGUAGES
from chatbot.assistant import Assistant
from chatbot.evaluation import read_questions
from chatbot.index import PassageIndex
from chatbot.languages import foreign_language
from chatbot.vocabulary import spellings

MESSAGES = {
    "es": "¿El tratamiento ambulatorio incluye la desintoxicación?",
    "fr": "Combien de temps dure le traitement pour mon frère ?",
    "pt": "Quanto tempo dura o tratamento para o meu irmão?",
    "de": "Wie lange dauert die Behandlung für meinen Bruder?",
    "ru": "Сколько стоит лечение для моего брата?",
    "zh": "治疗需要多长时间？",
    "vi": "Chương trình điều trị này kéo dài bao lâu?",
    "ko": "치료는 얼마나 걸립니까?",
}


@pytest.mark.parametrize(("language", "message"), MESSAGES.items())
def test_a_message_in_another_language_is_recognised(index: PassageIndex, language: str, message: str) -> None:
    assert foreign_language(message, frozenset(spellings(index))) == language


def test_english_questions_are_english(index: PassageIndex) -> None:
    vocabulary = frozenset(spellings(index))
    files = [ROOT / "tests" / "questions" / f"{name}.jsonl" for name in ("fifty", "tune", "test")]
    asked = [entry["question"] for entry in read_questions(files)]
    assert [question for question in asked if foreign_language(question, vocabulary)] == []


@pytest.mark.parametrize("message", ["", "?", "123", "iop", "hola", "DBT?", "asdf qwer"])
def test_what_is_no_sentence_of_another_language_is_none(index: PassageIndex, message: str) -> None:
    assert foreign_language(message, frozenset(spellings(index))) is None


@pytest.mark.parametrize(("language", "message"), MESSAGES.items())
def test_it_is_told_in_that_language_whom_to_call(assistant: Assistant, language: str, message: str) -> None:
    answer = assistant.ask(message)
    assert answer.text.startswith(OTHER_LANGUAGES[language])
    assert {line.phone for line in answer.helplines} >= {"1-800-662-4357", "988"}
