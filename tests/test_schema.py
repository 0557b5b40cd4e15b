"""The description of the API is true: schemathesis makes requests of it, well-formed and not, and looks at the replies."""

import json
from typing import Any

import pytest
import schemathesis
from conftest import open_assistant
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.testclient import TestClient

from chatbot.api import create_api
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex
from chatbot.settings import Settings

EXAMPLES = 100
"""For each operation."""


@pytest.fixture(scope="module")
def service(small: PassageIndex, encoder: PackagedEncoder, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The service with a real assistant over the small corpus, and a journal."""
    settings = Settings(
        journal=str(tmp_path_factory.mktemp("schema") / "journal.sqlite"),
        questions_per_minute=0,
        questions_per_minute_in_total=0,
        seconds_per_request=300,
    )
    return create_api(open_assistant(small, encoder, "none"), settings)


@pytest.fixture(scope="module")
def described(service: FastAPI) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", service)


OPERATIONS = (
    "POST /api/ask",
    "POST /api/ask/stream",
    "GET /api/suggestions",
    "POST /api/feedback",
    "GET /api/articles",
    "GET /api/articles/{article_id}",
    "GET /healthz",
    "GET /readyz",
)
NEGATIVE = tuple(label for label in OPERATIONS if label.startswith("POST"))
"""The others take nothing that could be got wrong."""
RUNS = [(label, GenerationMode.POSITIVE) for label in OPERATIONS] + [
    (label, GenerationMode.NEGATIVE) for label in NEGATIVE
]


def test_these_are_all_operations(described: Any) -> None:
    assert {operation.ok().label for operation in described.get_all_operations()} == set(OPERATIONS)


@pytest.mark.parametrize(("label", "mode"), RUNS)
def test_every_reply_is_as_described(described: Any, label: str, mode: GenerationMode) -> None:
    method, path = label.split()
    operation = described[path][method]
    strategy = operation.as_strategy(generation_mode=mode)

    @seed(531)
    @hypothesis_settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def check(case: Case) -> None:
        reply = case.call()
        # A schema can't tell a question from a row of dots: that such a one is refused is no fault of either.
        unreadable = reply.status_code == 422 and reply.json()["error"]["code"] == "invalid_question"
        # What is too large is refused before it is read: so it is refused, though schemathesis knows no such refusal.
        excused = [positive_data_acceptance] if unreadable else []
        excused += [negative_data_rejection] if reply.status_code == 413 else []
        case.validate_response(reply, excluded_checks=excused or None)

    check()


def test_every_operation_has_examples_and_they_are_true(service: FastAPI) -> None:
    caller = TestClient(service)
    described = caller.get("/openapi.json").json()
    shapes = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody")
            if body is not None:
                name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
                assert shapes[name]["examples"], path
                for example in shapes[name]["examples"]:
                    assert caller.request(method, path, json=example).status_code == 200, (path, example)
            for code, reply in operation["responses"].items():
                for kind, content in reply["content"].items():
                    assert has_example(content, shapes), f"{method} {path} {code} {kind}"
                    if kind == "text/event-stream":
                        for event in content["example"].strip().split("\n\n"):
                            name, told = event.removeprefix("event: ").split("\ndata: ")
                            assert name in content["itemSchema"]["properties"]["event"]["enum"] and json.loads(told)


def has_example(content: dict[str, Any], shapes: dict[str, Any]) -> bool:
    name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    return bool(content.get("example") or content.get("examples") or shapes.get(name, {}).get("examples"))
