"""How well predicted classes agree with labels, and models with each other."""

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
        bool (n,), e.g. whether each cell's predicted class is right.
    level : float
        Confidence level of the interval.

    Returns
    -------
    Estimate
        The share, and the ends of its interval.

    Raises
    ------
    InputError
        If there is no value.
    """
    hits = np.asarray(correct, dtype=bool).reshape(-1)
    if not len(hits):
        raise InputError("There are no predicted classes to count; expected at least one.")
    n, share, z = len(hits), float(hits.mean()), float(ndtri((1 + level) / 2))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Estimate(share, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class is predicted for each true class.

    Parameters
    ----------
    labels : ndarray
        True classes, int (n,), 0 to ``classes`` - 1.
    predicted : ndarray
        Predicted classes, int (n,); -1 (no finite score) is not counted.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray
        int64 (classes, classes): rows are true classes, columns predicted ones.

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
    """Return the accuracy within each class, averaged over the classes that occur among ``labels``.

    Parameters
    ----------
    labels : ndarray
        True classes, int (n,).
    predicted : ndarray
        Predicted classes, int (n,).

    Raises
    ------
    InputError
        If there is no cell, or the lengths differ.
    """
    truth, predicted = _pair(labels, predicted)
    if not len(truth):
        raise InputError("There are no predicted classes to count; expected at least one.")
    return float(np.mean([np.mean(predicted[truth == c] == c) for c in np.unique(truth)]))


@dataclass(frozen=True)
class ClassPerformance:
    """How well one class is told from the others, with 95 % intervals.

    Attributes
    ----------
    cells : int
        Cells of the class.
    precision : Estimate
        Share of the cells predicted as this class that are of it; NaN where none is predicted.
    recall : Estimate
        Share of the class's cells that are predicted as it.
    f1 : Estimate
        Harmonic mean of precision and recall.
    area : float
        Area under the ROC curve, this class against the rest.
    """

    cells: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    area: float


def class_performance(
    labels: np.ndarray, predicted: np.ndarray, class_scores: np.ndarray, groups: np.ndarray | None = None
) -> list[ClassPerformance]:
    """Measure each class by itself, with intervals over groups of cells.

    The interval of F1 is that of the Jaccard index J, the share of cells that both label and prediction assign to
    the class among those that at least one of them does: F1 is 2 J / (1 + J).

    Parameters
    ----------
    labels, predicted : ndarray
        True and predicted classes, int (n,); -1 where there is no prediction.
    class_scores : ndarray
        Score of each class, (n, classes), larger for "more likely"; cells whose score is not finite rank last.
    groups : ndarray, optional
        Which cells belong together, (n,); by default each cell is its own group.

    Returns
    -------
    list of ClassPerformance
        One per class.
    """
    truth, chosen = _pair(labels, predicted)
    names = np.arange(len(truth)) if groups is None else np.asarray(groups)
    found = []
    for number in range(class_scores.shape[1]):
        of_class, as_class = truth == number, chosen == number
        either, both = of_class | as_class, of_class & as_class
        share = _share(both[either], names[either])
        ends = [2 * value / (1 + value) for value in (share.value, share.low, share.high)]
        values = class_scores[:, number]
        lowest = np.min(values[np.isfinite(values)], initial=0.0) - 1
        two_sided = of_class.any() and not of_class.all()
        found.append(
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
    return found


def _share(correct: np.ndarray, groups: np.ndarray) -> Estimate:
    """Return the share of True with its interval; an interval of 0 to 1 around NaN where there is no value."""
    from morpholaw.evaluation.bootstrap import accuracy_interval  # which needs Wilson's interval from here

    return accuracy_interval(correct, groups) if len(correct) else Estimate(float("nan"), 0.0, 1.0)


def roc(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the ROC curve, from (0, 0) to (1, 1).

    Parameters
    ----------
    labels : ndarray
        (n,), above 0 for the positive class.
    scores : ndarray
        f(x), (n,), not NaN; a cell is predicted positive if its score is at least the threshold.

    Returns
    -------
    false_positive_rate, true_positive_rate, thresholds : ndarray
        float64, one value per distinct threshold.

    Raises
    ------
    InputError
        If one of the two classes has no cell, or a score is not a number.
    """
    positive, value = _scored(labels, scores)
    order = np.argsort(-value, kind="stable")
    last = np.append(np.flatnonzero(np.diff(value[order]) != 0), len(value) - 1)
    true = np.cumsum(positive[order])[last]
    false = last + 1 - true
    thresholds = np.append(np.inf, value[order][last])
    return np.append(0, false / false[-1]), np.append(0, true / true[-1]), thresholds


def roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the ROC curve: how often a positive cell outscores a negative one, ties as one half.

    Parameters
    ----------
    labels : ndarray
        (n,), above 0 for the positive class.
    scores : ndarray
        f(x), (n,), not NaN.

    Raises
    ------
    InputError
        If one of the two classes has no cell, or a score is not a number.
    """
    from scipy.stats import rankdata  # takes half a second: most who measure need no ranks

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
        raise InputError("A ROC curve needs scores that are numbers; leave undefined cells out.")
    return positive, value
