"""What the assistant says: statuses, citations, the fixed wording, and composing quotes into an answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote as percent_encode

from chatbot.articles import Article, Edition, Section


class Status(StrEnum):
    """What became of a question. A status is data, never an exception."""

    ANSWERED = "answered"
    SOURCES_DIFFER = "sources_differ"
    PARTLY_ANSWERED = "partly_answered"
    NOT_COVERED = "not_covered"
    CRISIS = "crisis"
    MEDICAL_ADVICE = "medical_advice"
    SMALL_TALK = "small_talk"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Helpline:
    """Someone to call: one entry of `helplines.yaml`."""

    id: str
    """What the code asks for: emergency, crisis, referral, poison, …"""
    name: str
    phone: str
    purpose: str
    hours: str
    region: str
    source: str
    verified: str
    """ISO 8601 date of the day on which the number was last checked."""
    sms: str | None = None
    chat: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where one quote stands. `article_text[start:end] == quote`."""

    number: int
    article: str
    title: str
    publisher: str | None
    section: str
    url: str | None
    updated: str | None
    edition: Edition
    quote: str
    start: int
    end: int
    same_as: int | None = None
    """The number of the citation whose quote says the same and stands in the answer instead of this one."""

    @property
    def link(self) -> str | None:
        """The source's address with a text fragment that scrolls to the heading (or, in an original
        without one, to the quote's first words). None where the source has no public address."""
        if self.url is None:
            return None
        target = self.section or (" ".join(self.quote.split()[:6]) if self.edition == "original" else "")
        if not target:
            return self.url
        # A fragment directive gives '-', ',' and '&' a meaning of their own.
        encoded = percent_encode(target, safe="").replace("-", "%2D")
        return f"{self.url.split('#')[0]}#:~:text={encoded}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one message, as every door shows it."""

    status: Status
    text: str
    citations: tuple[Citation, ...] = ()
    suggestions: tuple[str, ...] = ()
    helplines: tuple[Helpline, ...] = ()
    index: str = ""
    support: float | None = field(default=None, compare=False)
    """Calibrated confidence, 0 to 1, that the quotes answer the question. For staff, not in the public form."""
    private: bool = field(default=False, compare=False)
    """Danger is in the air, in this message or in those before it: its words are not to be stored."""

    def public(self) -> dict[str, Any]:
        """The form that the API and the batch give out: plain JSON types, keys in a fixed order."""
        return {
            "status": str(self.status),
            "text": self.text,
            "citations": [
                {name: getattr(citation, name) for name in Citation.__dataclass_fields__} for citation in self.citations
            ],
            "suggestions": list(self.suggestions),
            "helplines": [
                {name: getattr(line, name) for name in Helpline.__dataclass_fields__} for line in self.helplines
            ],
            "index": self.index,
        }


def cite(number: int, article: Article, section: Section, start: int, end: int, same_as: int | None = None) -> Citation:
    """The citation of `section.text[start:end]`."""
    return Citation(
        number=number,
        article=article.id,
        title=article.title,
        publisher=article.publisher,
        section=section.heading,
        url=article.url,
        updated=article.updated,
        edition=article.edition,
        quote=section.text[start:end],
        start=section.start + start,
        end=section.start + end,
        same_as=same_as,
    )


# --- the fixed wording: the only text that does not stand in an article -------------------------------------

NOT_COVERED = "The articles don't say. I can only answer with what stands in them."
ASK_BACK = "I'm not sure what that refers to. Do you mean one of these? If not, please ask it in full words."
NO_MORE = "That is all that the articles say on it."
ASK_A_PERSON = "A person can help: the {name}."
PARTLY = "On “{question}” the articles don't say."
DIFFER = "The sources differ on this:"
INVALID = {
    "empty": "Please type a question.",
    "long": "That message is too long. Please ask in under {limit} characters.",
    "unreadable": "That message can't be read. Please type your question in words.",
}
SMALL_TALK = {
    "greeting": "Hello. Ask me a question, and I will look for the answer in the articles.",
    "thanks": "You're welcome. Ask again whenever you like.",
    "goodbye": "Goodbye, and take care.",
    "identity": "I am a program, not a person. I look up questions in a small library of published articles and "
    "answer only with sentences that stand in them, each with its source.",
    "ability": "I look up questions in a small library of published articles and answer only with sentences that "
    "stand in them, each with its source. Where they don't answer, I say so.",
    "wellbeing": "I am a program, so always the same. What would you like to know?",
    "human": "I am a program. These people can talk with you:",
    "insult": "I'm sorry that this was no help. Try other words, or talk with a person:",
    "acknowledgement": "All right. Ask whenever you have another question.",
}
OTHER_LANGUAGES = {
    "es": "Estos artículos están en inglés y solo puedo responder con sus frases. La línea de ayuda de SAMHSA atiende en "
    "español: 1-800-662-4357. En crisis: 988, opción 2.",
    "fr": "Ces articles sont en anglais et je ne peux répondre qu'avec leurs phrases. Une personne peut vous aider :",
    "pt": "Estes artigos estão em inglês e só posso responder com as frases deles. Uma pessoa pode ajudar:",
    "de": "Diese Artikel sind auf Englisch, und ich kann nur mit ihren Sätzen antworten. Ein Mensch kann helfen:",
    "it": "Questi articoli sono in inglese e posso rispondere solo con le loro frasi. Una persona può aiutare:",
    "pl": "Te artykuły są po angielsku i mogę odpowiadać tylko ich zdaniami. Pomóc może człowiek:",
    "ru": "Эти статьи на английском, и отвечать я могу только их предложениями. Вам может помочь человек:",
    "uk": "Ці статті англійською, і відповідати я можу лише їхніми реченнями. Допомогти може людина:",
    "zh": "这些文章是英文的，我只能引用其中的句子回答。您可以联系工作人员：",
    "ja": "これらの記事は英語で、その文だけを引用してお答えします。人に相談できる窓口：",
    "ko": "이 글들은 영어로 되어 있으며 그 문장으로만 답할 수 있습니다. 사람의 도움을 받을 수 있는 곳:",
    "vi": "Các bài viết này bằng tiếng Anh và tôi chỉ trả lời được bằng câu trong đó. Có người có thể giúp bạn:",
    "tl": "Nasa Ingles ang mga artikulong ito at mga pangungusap lang nila ang maisasagot ko. May taong makatutulong:",
    "ar": "هذه المقالات بالإنجليزية ولا أستطيع الإجابة إلا بجملها. يمكن لشخص أن يساعدك:",
    "hi": "ये लेख अंग्रेज़ी में हैं और मैं केवल इन्हीं के वाक्यों से उत्तर दे सकता हूँ। कोई व्यक्ति आपकी मदद कर सकता है:",
    "fa": "این مقاله‌ها به انگلیسی‌اند و فقط با جمله‌های آن‌ها پاسخ می‌دهم. یک نفر می‌تواند کمک کند:",
    "ht": "Atik sa yo an angle e mwen ka reponn sèlman ak fraz ki ladan yo. Yon moun ka ede w:",
}
"""In the visitor's language: that the articles are in English, and that a person can help."""
MEDICAL = (
    "I can't advise on a personal medical decision such as a dose, stopping or mixing a medicine, or a diagnosis. "
    "Please ask the prescriber or a pharmacist."
)
ALSO_ASKED = "You also asked something. This is what the articles say:"
ON_THE_SUBJECT = "This is what the articles say on the subject; it is no advice for one person:"
IN_CASE = "In case you, or someone with you, are in danger now: help is a call or a text away, at any hour."
CARDS = {
    "suicide": "It sounds as if you, or someone you care about, may be in danger. You don't have to face this alone. "
    "I am a program, not a person. Please call or text 988 now, or call 911 if the danger is immediate.",
    "overdose": "This may be an overdose. Call 911 now. Give naloxone if you have it, give rescue breaths, lay the "
    "person on their side, and stay with them. I am a program, not a person.",
    "withdrawal": "This can be a medical emergency. Call 911 or go to an emergency room now. Stopping alcohol or "
    "benzodiazepines suddenly can be deadly, so don't try to tough it out. I am a program, not a person.",
    "child_danger": "A child may be in danger. If it is happening now, call 911. Childhelp answers day and night and "
    "tells you what to do next. I am a program, not a person.",
    "violence": "You deserve to be safe. If you are in danger now, call 911. "
    "The helplines below are free and confidential. I am a program, not a person.",
}
CARD_LINES = {
    "suicide": ("crisis", "emergency"),
    "overdose": ("emergency", "poison"),
    "withdrawal": ("emergency", "poison"),
    "violence": ("emergency", "violence", "crisis"),
    "child_danger": ("emergency", "child", "poison"),
}


def quoted(citations: tuple[Citation, ...]) -> str:
    """The quotes, each followed by its number and by the numbers of those that say the same."""
    return _numbered(_by_quote(citations))


def side_by_side(citations: tuple[Citation, ...]) -> str:
    """The quotes under their sources, after one line that says that they differ."""
    sources: dict[str, list[list[Citation]]] = {}
    for said in _by_quote(citations):
        sources.setdefault(said[0].publisher or said[0].title, []).append(said)
    return "\n\n".join([DIFFER, *(f"{name}:\n{_numbered(own)}" for name, own in sources.items())])


def _by_quote(citations: tuple[Citation, ...]) -> list[list[Citation]]:
    """The citations by the quote that stands for them, whose own comes first."""
    said = {one.number: [one] for one in citations if one.same_as is None}
    for one in citations:
        if one.same_as is not None:
            said[one.same_as].append(one)
    return list(said.values())


def _numbered(said: Iterable[Sequence[Citation]]) -> str:
    return "\n\n".join(" ".join([own[0].quote, *(f"[{one.number}]" for one in own)]) for own in said)


def referral(helplines: tuple[Helpline, ...]) -> str:
    """Where to ask a person; empty where no helpline is known. The door shows the number beside it."""
    return " ".join(ASK_A_PERSON.format(name=line.name) for line in helplines[:1])


def as_question(text: str) -> str:
    """What was asked as the heading of its answer: a capital first, a question mark last."""
    return text[:1].upper() + text[1:].rstrip("?.! ") + "?"
