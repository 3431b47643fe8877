"""The performance of an ensemble on held-out cells, as in Table 1 and beside every model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.metrics import accuracy, balanced_accuracy, confusion, roc_auc
from morpholaw.models.classes import predicted_classes


@dataclass(frozen=True)
class Performance:
    """Performance of the models of one scheme on the same cells.

    Attributes
    ----------
    accuracy, balanced_accuracy : list of float
        Of each model. An undefined score is wrong for either class.
    ensemble : Estimate
        Accuracy of the median score over the models, with its 95 % Wilson interval.
    confusion : ndarray, int64 (2, 2)
        Of the median score; rows are true classes, columns predicted ones.
    area : float
        Area under the ROC curve of the median score.
    calibration : Calibration or None
        Likelihood ratios of the median score; None where the cells are of one class.
    undefined : int
        The number of scores, over all models and cells, that are not finite.
    """

    accuracy: list[float]
    balanced_accuracy: list[float]
    ensemble: Estimate
    confusion: np.ndarray
    area: float
    calibration: Calibration | None
    undefined: int


def median_score(scores: np.ndarray) -> np.ndarray:
    """Return the median score over the models.

    The median has the sign that most models have, whatever the scales of their outputs.

    Parameters
    ----------
    scores : ndarray
        (members, n).

    Returns
    -------
    ndarray
        (n,); NaN only where every model is undefined.
    """
    finite = np.where(np.isfinite(scores), scores, np.nan)
    nowhere = np.isnan(finite).all(axis=0)
    return np.where(nowhere, np.nan, np.nanmedian(np.where(nowhere, 0.0, finite), axis=0))


def measure(scores: np.ndarray, targets: np.ndarray) -> Performance:
    """Summarise the scores of an ensemble on cells of known class.

    Parameters
    ----------
    scores : ndarray
        f(x), (members, n).
    targets : ndarray
        True classes, int (n,), 0 or 1.

    Returns
    -------
    Performance
        Accuracy of each model and of their median, confusion, area under the ROC curve, and calibration.
    """
    truth = np.asarray(targets, dtype=np.int64)
    each = predicted_classes(scores)
    median = median_score(scores)
    predicted = predicted_classes(median)
    known = truth[np.isfinite(median)]
    return Performance(
        accuracy=[float(np.mean(classes == truth)) for classes in each],
        balanced_accuracy=[balanced_accuracy(truth, classes) for classes in each],
        ensemble=accuracy(predicted == truth),
        confusion=confusion(truth, predicted, 2),
        area=roc_auc(truth, np.nan_to_num(median)) if 0 < truth.sum() < len(truth) else float("nan"),
        calibration=Calibration.fit(median, targets) if 0 < known.sum() < len(known) else None,
        undefined=int(np.count_nonzero(~np.isfinite(scores))),
    )
