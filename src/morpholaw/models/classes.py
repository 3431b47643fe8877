"""Class numbers: 0 to C - 1, in the order of the classifier's names. With two classes, 0 is the negative class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morpholaw.errors import InputError

NO_CLASS = -1
"""Predicted class of a row whose score is not finite."""
UNDEFINED = "undefined"
"""Name of the class of such a row in tables and figures."""


def pair_of(classes: Sequence[str]) -> tuple[str, str]:
    """Return the negative and the positive of two classes.

    Parameters
    ----------
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    tuple of str
        (negative, positive).

    Raises
    ------
    InputError
        If there are more than two classes.
    """
    if len(classes) != 2:
        raise InputError(
            f"This needs a classifier with two classes; the chosen one has {len(classes)}: {', '.join(classes)}."
        )
    return classes[0], classes[1]


def predicted_classes(scores: np.ndarray) -> np.ndarray:
    """Return the predicted classes of two-class scores (eq. 2).

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
    """Return the class with the largest score.

    Parameters
    ----------
    scores : ndarray
        Scores f_c(x), (..., classes).

    Returns
    -------
    ndarray
        int64 (...). Scores that are not finite are ignored; ``NO_CLASS`` where none is finite.
    """
    finite = np.isfinite(scores)
    best = np.where(finite, scores, -np.inf).argmax(axis=-1)
    return np.where(finite.any(axis=-1), best, NO_CLASS)


def classes_of_scores(scores: np.ndarray, classes: int) -> np.ndarray:
    """Return predicted classes: the sign of the score for two classes, the largest score for more.

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
    """Return the log-softmax over the last axis; values that are not finite become NaN and do not contribute.

    Parameters
    ----------
    scores : ndarray of shape (..., classes)
        Scores of each class.

    Returns
    -------
    ndarray
        Log-probabilities, of the same shape.
    """
    finite = np.isfinite(scores)
    values = np.where(finite, scores, -np.inf)
    top = np.max(values, axis=-1, keepdims=True)
    shifted = np.where(finite, values - np.where(np.isfinite(top), top, 0.0), np.nan)
    with np.errstate(divide="ignore"):
        result: np.ndarray = shifted - np.log(np.nansum(np.exp(shifted), axis=-1, keepdims=True))
    return result
