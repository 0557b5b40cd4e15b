"""A cross-encoder of your own in place of the reader that ships."""

import os
from typing import Any

import numpy as np

from chatbot.errors import ModelError
from chatbot.index import PassageIndex
from chatbot.reader import LONGEST, Support, contexts
from chatbot.retrieval import Search


class OwnCrossEncoder:
    """A sentence-transformers cross-encoder with one output, from a local folder or, by its name, from the hub's cache on
    this machine: safetensors only, no remote code, no network. Support stays calibrated for the reader that ships: what
    another one's logits are worth is for whoever chooses it to measure (`python -m chatbot evaluate --reader …`)."""

    def __init__(self, index: PassageIndex, model: str) -> None:
        """Load the model. Raises `ModelError`."""
        # Read before the libraries look at them.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import CrossEncoder
        from torch import nn

        try:
            self._model: Any = CrossEncoder(
                model,
                num_labels=None,
                max_length=LONGEST,
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                activation_fn=nn.Identity(),
                model_kwargs={"use_safetensors": True},
            )
            outputs = int(self._model.num_labels)
        except Exception as error:  # the library raises a dozen kinds for a damaged folder
            raise ModelError(
                f"the reader '{model}' is neither default nor none, and no cross-encoder that can be read is there or in the "
                f"hub's cache under that name ({type(error).__name__})"
            ) from error
        if outputs != 1:
            raise ModelError(f"the reader '{model}' has {outputs} outputs; one is needed, the higher the likelier")
        self._contexts = contexts(index)

    def logits(self, question: str, search: Search) -> Support:
        """The model's own judgement of each hit, shape (len(search.hits),), 0 for even odds."""
        if not search.hits:
            return np.zeros(0)
        pairs = [(question, self._contexts[hit.row]) for hit in search.hits]
        scores = self._model.predict(pairs, batch_size=len(pairs), show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(scores, dtype=np.float64).reshape(-1)
