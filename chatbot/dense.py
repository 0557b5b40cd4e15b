"""FAISS, and only FAISS: rows in, cosines out."""

from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from chatbot.graph import Vectors

# A search over a few thousand rows is over before a second thread has woken up.
faiss.omp_set_num_threads(1)


class DenseIndex:
    """Exact search over unit rows by inner product, which is then the cosine."""

    def __init__(self, index: "faiss.Index") -> None:
        self._index = index

    @classmethod
    def build(cls, rows: Vectors) -> "DenseIndex":
        """From rows of shape (n, dim), float32, each of length 1."""
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(np.ascontiguousarray(rows, dtype=np.float32))
        return cls(index)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dim(self) -> int:
        """Numbers in a row."""
        return int(self._index.d)

    def rows(self) -> Vectors:
        """All rows, shape (n, dim), in the order in which they were added."""
        rows: Vectors = self._index.reconstruct_n(0, len(self))
        return rows

    def take(self, numbers: npt.NDArray[np.int64]) -> Vectors:
        """The rows with these numbers, shape (len(numbers), dim)."""
        rows: Vectors = self._index.reconstruct_batch(numbers)
        return rows

    def cosines(self, query: Vectors) -> Vectors:
        """The cosine of the query, shape (dim,), with every row, shape (n,), in the rows' order.

        All of them, so that ties, which FAISS returns in any order, are for the caller to break.
        """
        scores = np.full(len(self), -1.0, dtype=np.float32)
        if len(self):
            found, ids = self._index.search(query.reshape(1, -1), len(self))
            scores[ids[0]] = found[0]
        return scores

    def nearest(self, query: Vectors, count: int) -> tuple[npt.NDArray[np.int64], Vectors]:
        """The `count` rows (or all) nearest to the query, shape (dim,): (their numbers, their cosines), nearest
        first, rows that are equally near in any order."""
        found, ids = self._index.search(query.reshape(1, -1), min(count, len(self)))
        return ids[0], found[0]

    def save(self, path: Path) -> None:
        """Write to one file."""
        path.write_bytes(faiss.serialize_index(self._index).tobytes())

    @classmethod
    def load(cls, path: Path) -> "DenseIndex":
        """Bytes that FAISS can't read raise RuntimeError; altered ones may load: check a digest first."""
        return cls(faiss.deserialize_index(np.frombuffer(path.read_bytes(), dtype=np.uint8)))
