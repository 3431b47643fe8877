"""Classes as numbers: 0 to C - 1, in the order in which a classifier names them; with two, 0 is the negative class."""

from __future__ import annotations

import numpy as np

NO_CLASS = -1
"""Predicted class of a row without a finite score."""


def predicted_classes(scores: np.ndarray) -> np.ndarray:
    """Return the class of two-class scores (eq. 2).

    Parameters
    ----------
    scores : ndarray
        f(x), of any shape.

    Returns
    -------
    ndarray
        int64 of the same shape: 0 where f < 0, 1 where f >= 0, ``NO_CLASS`` where f is not finite.
    """
    scores = np.asarray(scores)
    return np.where(np.isfinite(scores), (scores >= 0).astype(np.int64), NO_CLASS)


def largest_classes(scores: np.ndarray) -> np.ndarray:
    """Return the class whose score is largest.

    Parameters
    ----------
    scores : ndarray
        f_c(x), (n, classes).

    Returns
    -------
    ndarray
        int64 (n,); a class whose score is not finite is never chosen, and ``NO_CLASS`` stands where none is finite.
    """
    finite = np.isfinite(scores)
    best = np.where(finite, scores, -np.inf).argmax(axis=1)
    return np.where(finite.any(axis=1), best, NO_CLASS)
