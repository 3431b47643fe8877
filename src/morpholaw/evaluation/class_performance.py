"""Precision, recall, F1 and area under the ROC curve of each class, with confidence intervals over groups of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.evaluation.bootstrap import accuracy_interval
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.metrics import labels_and_predictions, roc_auc


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
    truth, chosen = labels_and_predictions(labels, predicted)
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
    return accuracy_interval(correct, groups) if len(correct) else Estimate(float("nan"), 0.0, 1.0)
