"""Metrics of classification: accuracy, confusion matrix, precision, recall, F1 and ROC curves."""

from __future__ import annotations

from dataclasses import dataclass

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
    truth, predicted = _pair(labels, predicted)
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
    truth, predicted = _pair(labels, predicted)
    if not len(truth):
        raise InputError("There are no predicted classes to count; expected at least one.")
    return float(np.mean([np.mean(predicted[truth == c] == c) for c in np.unique(truth)]))


@dataclass(frozen=True)
class ClassPerformance:
    """Performance for one class against the rest, with 95 % confidence intervals.

    Attributes
    ----------
    cells : int
        Number of cells of the class.
    precision : Estimate
        Share of the cells predicted to be of the class that are; NaN if there are none.
    recall : Estimate
        Share of the cells of the class that are predicted to be of it.
    f1 : Estimate
        Harmonic mean of precision and recall.
    area : float
        Area under the ROC curve.
    """

    cells: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    area: float


def class_performance(
    labels: np.ndarray, predicted: np.ndarray, class_scores: np.ndarray, groups: np.ndarray | None = None
) -> list[ClassPerformance]:
    """Compute the performance for each class against the rest, with confidence intervals over groups of cells.

    The interval of F1 follows from that of the Jaccard index J, the share of cells that are assigned to the class by
    both label and prediction among those assigned by at least one of them, as F1 = 2 J / (1 + J).

    Parameters
    ----------
    labels, predicted : ndarray
        True and predicted classes, int (n,); -1 for cells without a prediction.
    class_scores : ndarray
        Score of each class, (n, classes), which increases with its probability. Scores that are not finite rank last.
    groups : ndarray, optional
        Group of each cell, (n,). By default, each cell is its own group.

    Returns
    -------
    list of ClassPerformance
        Performance for each class.
    """
    truth, chosen = _pair(labels, predicted)
    names = np.arange(len(truth)) if groups is None else np.asarray(groups)
    per_class = []
    for number in range(class_scores.shape[1]):
        of_class, as_class = truth == number, chosen == number
        either, both = of_class | as_class, of_class & as_class
        share = _share(both[either], names[either])
        ends = [2 * value / (1 + value) for value in (share.value, share.low, share.high)]
        values = class_scores[:, number]
        lowest = np.min(values[np.isfinite(values)], initial=0.0) - 1
        two_sided = of_class.any() and not of_class.all()
        per_class.append(
            ClassPerformance(
                cells=int(of_class.sum()),
                precision=_share(of_class[as_class], names[as_class]),
                recall=_share(as_class[of_class], names[of_class]),
                f1=Estimate(*ends),
                area=roc_auc(of_class, np.where(np.isfinite(values), values, lowest))
                if two_sided
                else float("nan"),
            )
        )
    return per_class


def _share(correct: np.ndarray, groups: np.ndarray) -> Estimate:
    """Return the share of True with its confidence interval; NaN (0 to 1) if there are no values."""
    from morpholaw.evaluation.bootstrap import accuracy_interval  # which needs Wilson's interval from here

    return accuracy_interval(correct, groups) if len(correct) else Estimate(float("nan"), 0.0, 1.0)


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


def _pair(labels: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, values = np.asarray(labels).reshape(-1), np.asarray(predicted).reshape(-1)
    if len(truth) != len(values):
        raise InputError(f"There are {len(values)} predictions for {len(truth)} labels; expected as many.")
    return truth, values


def _scored(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, value = _pair(labels, np.asarray(scores, dtype=np.float64))
    positive = truth > 0
    if not positive.any() or positive.all():
        raise InputError("A ROC curve needs cells of both classes.")
    if np.isnan(value).any():
        raise InputError("A ROC curve needs scores without NaN; leave out cells without a score.")
    return positive, value
