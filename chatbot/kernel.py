"""Kernel ridge regression over the nearest rows: what they say together, not only what the nearest one says."""

import numpy as np
import numpy.typing as npt

from chatbot.graph import Vectors

RIDGE = 0.03
"""Added to the kernel's diagonal: how much a label may be wrong."""


def _kernel(cosines: Vectors) -> npt.NDArray[np.float64]:
    """Gaussian kernel of unit rows, exp(-|a - b|²), from their cosines."""
    return np.exp(2.0 * (cosines.astype(np.float64) - 1.0))


def weights(cosines: Vectors, rows: Vectors) -> npt.NDArray[np.float64]:
    """How much each row's label counts at a query, shape (n,): the prediction is `weights @ labels`.

    `cosines`, shape (n,), are the query's with `rows`, shape (n, dim), of Euclidean length 1. Rows that say the same
    share their weight, so a subject asked about in fifty ways does not outvote one asked about in five
    (Saunders, Gammerman and Vovk 1998).
    """
    gram = _kernel(rows @ rows.T)
    gram[np.diag_indices_from(gram)] += RIDGE
    return np.asarray(np.linalg.solve(gram, _kernel(cosines)), dtype=np.float64)
