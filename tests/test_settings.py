"""Settings: one frozen object, read from the environment in one place."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import SettingsError
from chatbot.settings import PREFIX, Settings

FIELDS = dataclasses.fields(Settings)
VALUES = {
    "port": "8080",
    "max_question_characters": "99",
    "frame_ancestors": "'self' https://a.example",
    "allowed_origins": "https://a.example http://localhost:8000",
    "questions_per_minute": "5",
    "questions_per_minute_in_total": "50",
    "journal_days": "5",
    "seconds_per_request": "5",
    "metrics": "on",
    "log": "json",
}
OTHERS = {name: "7" for name in VALUES if name != "frame_ancestors"} | {
    "allowed_origins": "*",
    "metrics": "off",
    "log": "text",
}


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


@pytest.mark.parametrize("name", [field.name for field in FIELDS])
def test_each_field_is_set_by_the_variable_of_its_name(name: str) -> None:
    text = VALUES.get(name, "elsewhere")
    settings = Settings.from_environment({PREFIX + name.upper(): f" {text} "})
    assert str(getattr(settings, name)) == text
    usual = getattr(Settings(), name)
    assert isinstance(getattr(settings, name), Path if usual is None else type(usual))
    others = [field.name for field in FIELDS if field.name != name]
    assert all(getattr(settings, other) == getattr(Settings(), other) for other in others)


@pytest.mark.parametrize("name", [field.name for field in FIELDS])
def test_what_is_given_wins_and_none_is_not_given(name: str) -> None:
    environment = {PREFIX + name.upper(): VALUES.get(name, "elsewhere")}
    wanted = OTHERS.get(name, "given")
    assert str(getattr(Settings.from_environment(environment, **{name: wanted}), name)) == wanted
    assert Settings.from_environment(environment, **{name: None}) == Settings.from_environment(environment)


@pytest.mark.parametrize("blank", ["", "   ", "\t"])
def test_a_blank_variable_is_not_set(blank: str) -> None:
    assert Settings.from_environment({PREFIX + field.name.upper(): blank for field in FIELDS}) == Settings()


@given(st.integers(-(10**6), 10**6))
def test_a_port_is_one_of_those_that_there_are(port: int) -> None:
    if 1 <= port <= 65535:
        assert Settings.from_environment({"ASK_IOP_PORT": str(port)}).port == port
    else:
        with pytest.raises(SettingsError, match=str(port)):
            Settings.from_environment({"ASK_IOP_PORT": str(port)})


@pytest.mark.parametrize("name", ["ASK_IOP_PORT", "ASK_IOP_MAX_QUESTION_CHARACTERS"])
@pytest.mark.parametrize("value", ["http", "80.5", "1e3", "0x50", "8080 8081"])
def test_a_number_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({name: value})
    assert name in str(error.value)
    assert value in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("length", [0, -1])
def test_a_question_has_room_for_a_character(length: int) -> None:
    with pytest.raises(SettingsError):
        Settings(max_question_characters=length)


@pytest.mark.parametrize("value", ["'self'; script-src *", "'self', https://a.example", "'self'\r\nX-Evil: 1"])
def test_frame_ancestors_cannot_carry_another_directive_or_header(value: str) -> None:
    with pytest.raises(SettingsError):
        Settings(frame_ancestors=value)


@pytest.mark.parametrize(
    "value", ["clinic.example", "https://a.example/", "null", "https://*.a.example", "https://A.example"]
)
def test_an_origin_is_written_as_a_browser_sends_it(value: str) -> None:
    with pytest.raises(SettingsError, match="origin"):
        Settings(allowed_origins=f"https://b.example {value}")


@pytest.mark.parametrize("value", ["https://a.example", "a.example:80", "*", "a.*.example"])
def test_a_host_is_a_name(value: str) -> None:
    with pytest.raises(SettingsError, match="host"):
        Settings(allowed_hosts=f"b.example {value}")


def test_no_number_of_questions_is_negative() -> None:
    for name in ("questions_per_minute", "questions_per_minute_in_total"):
        assert Settings.from_environment({PREFIX + name.upper(): "0"})
        with pytest.raises(SettingsError, match="negative"):
            Settings.from_environment({PREFIX + name.upper(): "-1"})


def test_a_hugging_face_space_is_reachable_unless_the_operator_says_otherwise() -> None:
    space = Settings.from_environment({"SPACE_ID": "someone/something"})
    assert space.host == "0.0.0.0"
    assert "https://huggingface.co" in space.frame_ancestors
    own = {"SPACE_ID": "someone/something", "ASK_IOP_HOST": "::1", "ASK_IOP_FRAME_ANCESTORS": "'none'"}
    assert (Settings.from_environment(own).host, Settings.from_environment(own).frame_ancestors) == ("::1", "'none'")


@pytest.mark.parametrize("name", ["journal_days", "seconds_per_request"])
def test_a_time_is_more_than_none(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({PREFIX + name.upper(): "0"})


@pytest.mark.parametrize(("name", "choices"), [("metrics", "on, off"), ("log", "json, text, none")])
def test_a_choice_is_one_of_those_that_there_are(name: str, choices: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} 'yes' is not one of: {choices}"):
        Settings.from_environment({PREFIX + name.upper(): "yes"})


def test_settings_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


def test_the_process_environment_is_what_counts(tmp_path: Path) -> None:
    program = "from chatbot.settings import Settings; print(Settings.from_environment().index)"
    environment = {**os.environ, "ASK_IOP_INDEX": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path)


def test_the_folders_do_not_depend_on_where_the_command_is_run() -> None:
    assert Settings().corpus == ROOT / "corpus"
    assert Settings().helplines.is_file()
