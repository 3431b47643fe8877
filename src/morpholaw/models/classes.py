"""Classes as numbers: 0 to C - 1, in the order in which a classifier names them; with two, 0 is the negative class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morpholaw.errors import InputError

NO_CLASS = -1
"""Predicted class of a row without a finite score."""


def pair_of(classes: Sequence[str]) -> tuple[str, str]:
    """Return the negative and the positive class of two.

    Parameters
    ----------
    classes : sequence of str
        The classes.

    Raises
    ------
    InputError
        If there are more than two, which have one score each and no sign.
    """
    if len(classes) != 2:
        raise InputError(
            f"This is for classifiers of two classes; the one that was chosen tells {len(classes)} apart: "
            f"{', '.join(classes)}."
        )
    return classes[0], classes[1]


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
        f_c(x), (..., classes).

    Returns
    -------
    ndarray
        int64 (...); a class whose score is not finite is never chosen, and ``NO_CLASS`` stands where none is finite.
    """
    finite = np.isfinite(scores)
    best = np.where(finite, scores, -np.inf).argmax(axis=-1)
    return np.where(finite.any(axis=-1), best, NO_CLASS)


def classes_of_scores(scores: np.ndarray, classes: int) -> np.ndarray:
    """Return predicted classes: the sign of the score of two classes, the largest of more.

    Parameters
    ----------
    scores : ndarray
        f(x) of any shape (...) for two classes, f_c(x) of shape (..., classes) for more.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray
        int64 (...): 0 to ``classes`` - 1, or ``NO_CLASS``.
    """
    return predicted_classes(scores) if classes == 2 else largest_classes(scores)


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Return the logarithm of the softmax over the last axis; scores that are not finite stay NaN and add nothing.

    Parameters
    ----------
    scores : ndarray, (..., classes)
        Scores of each class.
    """
    finite = np.isfinite(scores)
    values = np.where(finite, scores, -np.inf)
    top = np.max(values, axis=-1, keepdims=True)
    shifted = np.where(finite, values - np.where(np.isfinite(top), top, 0.0), np.nan)
    with np.errstate(divide="ignore"):
        result: np.ndarray = shifted - np.log(np.nansum(np.exp(shifted), axis=-1, keepdims=True))
    return result
