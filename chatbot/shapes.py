"""The shapes of what goes into the API and what comes out of it: pydantic, at the HTTP edge only."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chatbot.answers import Citation, Helpline, Status
from chatbot.articles import Edition
from chatbot.journal import Reason, Verdict

MAX_TURNS = 100

HELPLINE_EXAMPLE = {
    "id": "crisis",
    "name": "988 Suicide & Crisis Lifeline",
    "phone": "988",
    "purpose": "Thoughts of suicide, emotional distress, a crisis with alcohol or drugs",
    "hours": "all day, every day",
    "region": "United States",
    "source": "https://988lifeline.org",
    "verified": "2026-11-21",
    "sms": "988",
    "chat": "https://988lifeline.org/chat",
    "note": None,
}
ANSWER_EXAMPLE: dict[str, Any] = {
    "status": "answered",
    "text": "Medical detoxification is usually not a direct part of an IOP. [1]",
    "citations": [
        {
            "number": 1,
            "article": "synergy-sobriety",
            "title": "The Benefits Of An Intensive Outpatient Program For Addiction",
            "publisher": "Synergy Sobriety Solutions",
            "section": "Is medical detoxification part of an IOP?",
            "url": "https://synergysobrietysolutions.com/benefits-intensive-outpatient-program-addiction/",
            "updated": None,
            "edition": "summary",
            "quote": "Medical detoxification is usually not a direct part of an IOP.",
            "start": 11542,
            "end": 11604,
            "same_as": None,
        }
    ],
    "suggestions": ["What is an intensive outpatient program?"],
    "helplines": [],
    "index": "79d71a3dfe2237594ff28c6589571de2d9729d3db211764ad2aa3a8bfc531b15",
}


ARTICLE_EXAMPLE: dict[str, Any] = {
    "id": "synergy-sobriety",
    "title": "The Benefits Of An Intensive Outpatient Program For Addiction",
    "publisher": "Synergy Sobriety Solutions",
    "url": "https://synergysobrietysolutions.com/benefits-intensive-outpatient-program-addiction/",
    "updated": None,
    "edition": "summary",
    "sections": [{"trail": ["Is medical detoxification part of an IOP?"], "start": 11542, "end": 11830}],
}


def example(*examples: dict[str, Any]) -> ConfigDict:
    """The configuration of a model with these examples in its schema."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})


def readable(text: str) -> str:
    """`text`, unless it has half of a surrogate pair: JSON can carry one, UTF-8 can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("has a character that is half of a pair") from None
    return text


Text = Annotated[str, AfterValidator(readable)]


class TurnIn(BaseModel):
    """One earlier message."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["user", "assistant"]
    content: Text


class QuestionIn(BaseModel):
    """One message, with the conversation before it if there is one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"question": "Does IOP include detox?"}]})
    question: Text = Field(description="The message, up to 2,000 characters unless the operator set another limit.")
    history: list[TurnIn] = Field(default=[], max_length=MAX_TURNS, description="Earlier messages, oldest first.")
    id: Annotated[Text, Field(max_length=200)] | int | None = Field(
        default=None, description="Comes back with the answer."
    )


class AnswerOut(BaseModel):
    """An answer. Every quote is `text[start:end]` of its article, counted in Unicode code points, and stands in the
    answer's text; but that of a citation with `same_as`, in whose place the citation of that number is quoted."""

    model_config = example(ANSWER_EXAMPLE)
    id: str | int | None = Field(default=None, description="As in the question; absent where it had none.")
    status: Status
    text: str
    citations: list[Citation]
    suggestions: list[str]
    helplines: list[Helpline]
    index: str = Field(description="Digest of the index that answered.")


class SectionOut(BaseModel):
    """A section of an article: `text[start:end]` of the article is its text."""

    trail: list[str] = Field(description="Headings from the outermost to the section's own.")
    start: int
    end: int


class ArticleOut(BaseModel):
    """An article of the library."""

    model_config = example(ARTICLE_EXAMPLE)
    id: str
    title: str
    publisher: str | None
    url: str | None
    updated: str | None
    edition: Edition
    sections: list[SectionOut]


class ArticleTextOut(ArticleOut):
    """An article with its whole text as indexed."""

    model_config = example({**ARTICLE_EXAMPLE, "text": "…"})
    text: str


class ArticlesOut(BaseModel):
    """The library."""

    model_config = example({"index": ANSWER_EXAMPLE["index"], "articles": [ARTICLE_EXAMPLE]})
    index: str
    articles: list[ArticleOut]


class SuggestionsOut(BaseModel):
    """What to ask first, and what the operator has switched on."""

    model_config = example(
        {
            "suggestions": ["What is an intensive outpatient program?"],
            "feedback": True,
            "index": ANSWER_EXAMPLE["index"],
        }
    )
    suggestions: list[str] = Field(description="Up to four questions that the articles answer.")
    feedback: bool = Field(description="Whether the operator keeps questions and feedback.")
    index: str = Field(description="Digest of the index that they come from.")


class FeedbackIn(BaseModel):
    """What somebody thought of an answer. Say no more than you want to be kept."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"verdict": "up"},
                {"verdict": "down", "reason": "outdated", "comment": "We open at eight now."},
                {"verdict": "down", "reason": "missing", "question": "Do you take pets?", "status": "not_covered"},
            ]
        },
    )
    verdict: Verdict
    reason: Reason | None = None
    comment: Annotated[Text, Field(max_length=500)] | None = Field(default=None, description="In one's own words.")
    status: Status | None = Field(default=None, description="Status of the answer that is meant.")
    sections: list[Annotated[Text, Field(max_length=300)]] = Field(
        default=[], max_length=20, description="Which sections the answer quoted: the article's id, #, the heading."
    )
    question: Annotated[Text, Field(max_length=2000)] | None = Field(
        default=None, description="What had been asked: only where the visitor chose to send it along."
    )


class FeedbackOut(BaseModel):
    """What became of it."""

    model_config = example({"stored": False})
    stored: bool = Field(description="False where the operator keeps no feedback: then nothing of it is left.")


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str
    message: str
    status: Literal["invalid"] | None = Field(description="`invalid` where the request can't be used as it is.")
    helplines: list[Helpline] = Field(
        default=[], description="Whom to call; only where a question went unanswered through no fault of its own."
    )


class ErrorOut(BaseModel):
    """Every error of this API."""

    model_config = example(
        {"error": {"code": "invalid_question", "message": "Please type a question.", "status": "invalid"}},
        {
            "error": {
                "code": "too_many_requests",
                "message": "Too many messages are coming in right now. Please wait 20 seconds and try again.",
                "status": None,
                "helplines": [HELPLINE_EXAMPLE],
            }
        },
    )
    error: ErrorDetail
