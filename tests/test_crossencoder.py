"""A cross-encoder of one's own: read from a folder, in place of the reader that ships."""

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import CrossEncoder
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from chatbot.answers import Status
from chatbot.assistant import Assistant
from chatbot.crossencoder import OwnCrossEncoder
from chatbot.encoder import PackagedEncoder
from chatbot.errors import ModelError
from chatbot.graph import PACKAGED_MODEL, model_folder
from chatbot.index import PassageIndex
from chatbot.reader import contexts
from chatbot.retrieval import Retriever
from chatbot.settings import Settings


def save_cross_encoder(folder: Path, outputs: int) -> Path:
    """A very small one, with weights drawn at random, in the form that the hub has them in."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(model_folder(PACKAGED_MODEL) / "tokenizer.json"),
        pad_token="[PAD]",
        sep_token="[SEP]",
        cls_token="[CLS]",
    )
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        num_labels=outputs,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("cross"), 1)


def test_it_judges_each_hit_beside_the_question(small: PassageIndex, encoder: PackagedEncoder, folder: Path) -> None:
    question, model = "how often is the heap turned?", OwnCrossEncoder(small, str(folder))
    search = Retriever(small, encoder).search(question)
    logits = model.logits(question, search)
    assert logits.shape == (len(search.hits),) and len(set(np.round(logits, 6).tolist())) > 1
    plain = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    probability = plain.predict([(question, contexts(small)[search.hits[0].row])])[0]
    assert 1 / (1 + np.exp(-logits[0])) == pytest.approx(float(probability), abs=1e-5)
    assert model.logits(question, type(search)(())).shape == (0,)


def test_an_assistant_reads_with_it(small_folder: Path, folder: Path) -> None:
    opened = Assistant.open(Settings(index=small_folder, reader=str(folder)))
    for question in ("how often is the heap turned?", "who won the world cup?", "what goes on the heap?"):
        answer = opened.ask(question)
        assert answer.status in (Status.ANSWERED, Status.NOT_COVERED, Status.SOURCES_DIFFER)
        assert answer.support is not None and 0.0 <= answer.support <= 1.0


@pytest.mark.parametrize("name", ["gpt", "someone/no-such-cross-encoder", "/nowhere"])
def test_one_that_is_not_here_is_said_and_nothing_is_fetched(small: PassageIndex, name: str) -> None:
    with pytest.raises(ModelError, match=name):
        OwnCrossEncoder(small, name)


def test_one_with_several_outputs_is_refused(small: PassageIndex, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 outputs"):
        OwnCrossEncoder(small, str(save_cross_encoder(tmp_path, 3)))
