"""Metrics of classification: accuracy, confusion matrix and ROC curves."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import Estimate


def accuracy(correct: np.ndarray, level: float = 0.95) -> Estimate:
    """Return the share of True with its Wilson score interval.

    Parameters
    ----------
    correct : ndarray
        Whether each cell is classified correctly, bool (n,).
    level : float
        Confidence level of the interval.

    Returns
    -------
    Estimate
        The share with its confidence interval.

    Raises
    ------
    InputError
        If there are no values.
    """
    hits = np.asarray(correct, dtype=bool).reshape(-1)
    if not len(hits):
        raise InputError("There are no predicted classes to count; expected at least one.")
    return wilson(float(hits.mean()), len(hits), level)


def wilson(share: float, cells: float, level: float = 0.95) -> Estimate:
    """Return a share with its Wilson score interval.

    Parameters
    ----------
    share : float
        Share of cells, in [0, 1].
    cells : float
        Number of independent cells, above 0. It need not be an integer.
    level : float
        Confidence level of the interval.

    Returns
    -------
    Estimate
        The share with its confidence interval.
    """
    low, high = wilson_limits(np.float64(share), np.float64(cells), level)
    return Estimate(share, float(low), float(high))


def wilson_limits(
    share: np.ndarray | np.float64, cells: np.ndarray | np.float64, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of the Wilson score intervals of several shares; see :func:`wilson`.

    Parameters
    ----------
    share, cells : ndarray, float64
        Shares, and numbers of independent cells, above 0; of the same shape.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    low, high : ndarray, float64
        The limits.
    """
    z = float(ndtri((1 + level) / 2))
    centre = (share + z**2 / (2 * cells)) / (1 + z**2 / cells)
    half = z / (1 + z**2 / cells) * np.sqrt(share * (1 - share) / cells + z**2 / (4 * cells**2))
    return np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class is predicted for each true class.

    Parameters
    ----------
    labels : ndarray
        True classes, int (n,), 0 to ``classes`` - 1.
    predicted : ndarray
        Predicted classes, int (n,). Cells without a prediction (-1) are not counted.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray
        Confusion matrix, int64 (classes, classes), with true classes as rows and predicted classes as columns.

    Raises
    ------
    InputError
        If a class number is out of range, or the lengths differ.
    """
    truth, predicted = labels_and_predictions(labels, predicted)
    if len(truth) and (truth.min() < 0 or max(truth.max(), predicted.max()) >= classes):
        raise InputError(f"The class numbers must be 0 to {classes - 1}.")
    counted = predicted >= 0
    flat = truth[counted].astype(np.int64) * classes + predicted[counted].astype(np.int64)
    return np.bincount(flat, minlength=classes**2).reshape(classes, classes)


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the balanced accuracy, which is the mean accuracy of the classes that occur in ``labels``.

    Parameters
    ----------
    labels : ndarray
        True classes, int (n,).
    predicted : ndarray
        Predicted classes, int (n,).

    Returns
    -------
    float
        The balanced accuracy.

    Raises
    ------
    InputError
        If there are no cells, or the lengths differ.
    """
    truth, predicted = labels_and_predictions(labels, predicted)
    if not len(truth):
        raise InputError("There are no predicted classes to count; expected at least one.")
    return float(np.mean([np.mean(predicted[truth == c] == c) for c in np.unique(truth)]))


def roc(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the ROC curve, from (0, 0) to (1, 1).

    Parameters
    ----------
    labels : ndarray
        Labels (n,), positive for the positive class.
    scores : ndarray
        Scores f(x), (n,), without NaN. Cells are predicted to be positive if their score is at least the threshold.

    Returns
    -------
    false_positive_rate, true_positive_rate, thresholds : ndarray
        One value per distinct threshold, float64.

    Raises
    ------
    InputError
        If one of the two classes has no cells, or a score is NaN.
    """
    positive, value = _scored(labels, scores)
    order = np.argsort(-value, kind="stable")
    last = np.append(np.flatnonzero(np.diff(value[order]) != 0), len(value) - 1)
    true = np.cumsum(positive[order])[last]
    false = last + 1 - true
    thresholds = np.append(np.inf, value[order][last])
    return np.append(0, false / false[-1]), np.append(0, true / true[-1]), thresholds


def roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Compute the area under the ROC curve.

    This is the probability that a positive cell has a higher score than a negative one, where ties count as one half.

    Parameters
    ----------
    labels : ndarray
        Labels (n,), positive for the positive class.
    scores : ndarray
        Scores f(x), (n,), without NaN.

    Returns
    -------
    float
        The area.

    Raises
    ------
    InputError
        If one of the two classes has no cells, or a score is NaN.
    """
    from scipy.stats import rankdata  # slow to import, and rarely needed

    positive, value = _scored(labels, scores)
    hits, misses = int(positive.sum()), int((~positive).sum())
    return float((rankdata(value)[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


def labels_and_predictions(labels: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted values of the same cells as arrays.

    Parameters
    ----------
    labels, predicted : ndarray
        True and predicted values, (n,).

    Returns
    -------
    truth, predicted : ndarray
        The same values, (n,) each.

    Raises
    ------
    InputError
        If the lengths differ.
    """
    truth, values = np.asarray(labels).reshape(-1), np.asarray(predicted).reshape(-1)
    if len(truth) != len(values):
        raise InputError(f"There are {len(values)} predictions for {len(truth)} labels; expected as many.")
    return truth, values


def _scored(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, value = labels_and_predictions(labels, np.asarray(scores, dtype=np.float64))
    positive = truth > 0
    if not positive.any() or positive.all():
        raise InputError("A ROC curve needs cells of both classes.")
    if np.isnan(value).any():
        raise InputError("A ROC curve needs scores without NaN; leave out cells without a score.")
    return positive, value
