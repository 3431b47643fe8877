"""Performance of an ensemble on held-out cells, as in Table 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.evaluation.bootstrap import accuracy_interval
from morpholaw.evaluation.calibration import Calibration, Temperature
from morpholaw.evaluation.class_performance import ClassPerformance, class_performance
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.metrics import balanced_accuracy, confusion
from morpholaw.models.classes import classes_of_scores, log_softmax


@dataclass(frozen=True)
class Performance:
    """Performance of the models of one scheme on the same cells.

    Attributes
    ----------
    accuracy, balanced_accuracy : list of float
        Accuracy and balanced accuracy of each model. Undefined scores are errors.
    intervals : list of Estimate
        Accuracy of each model with its 95 % confidence interval over groups of cells.
    ensemble, balanced : Estimate
        Accuracy and balanced accuracy of the median score of the models, with 95 % confidence intervals.
    confusion : ndarray, int64 (classes, classes)
        Confusion matrix of the median score, with true classes as rows and predicted classes as columns.
    by_class : list of ClassPerformance
        Precision, recall, F1 and area under the ROC curve of each class.
    area : float
        Area under the ROC curve of the median score. With more than two classes, the mean of those of each class
        against the rest.
    calibration : Calibration or None
        Calibration of the median score of two classes; None if all cells are of the same class.
    temperature : Temperature or None
        Calibration of the median score of more than two classes.
    undefined : int
        Number of scores of single models that are not finite.
    """

    accuracy: list[float]
    balanced_accuracy: list[float]
    intervals: list[Estimate]
    ensemble: Estimate
    balanced: Estimate
    confusion: np.ndarray
    by_class: list[ClassPerformance]
    area: float
    calibration: Calibration | None
    temperature: Temperature | None
    undefined: int


def median_score(scores: np.ndarray) -> np.ndarray:
    """Return the median score over the models.

    With two classes, the median has the sign of most models, regardless of their scales. With more classes, the median
    of the logarithm of the softmax is used, which has the same scale in all models.

    Parameters
    ----------
    scores : ndarray
        Scores (members, n) for two classes, (members, n, classes) for more.

    Returns
    -------
    ndarray
        Median scores (n,) or (n, classes); NaN only if the score is undefined in all models.
    """
    if scores.ndim == 3:
        scores = log_softmax(np.asarray(scores, np.float64))
    finite = np.where(np.isfinite(scores), scores, np.nan)
    nowhere = np.isnan(finite).all(axis=0)
    return np.where(nowhere, np.nan, np.nanmedian(np.where(nowhere, 0.0, finite), axis=0))


def applied_score(scores: np.ndarray, scheme: int) -> np.ndarray:
    """Return the score that classifies cells: that of the first law for scheme 4, otherwise the median of the models.

    For scheme 4, a single law is applied, because the median of several laws is not interpretable.

    Parameters
    ----------
    scores : ndarray
        Scores of all models, as for `median_score`.
    scheme : int
        Scheme, 1 to 4.

    Returns
    -------
    ndarray
        Scores (n,) or (n, classes).
    """
    return median_score(scores[:1] if scheme == 4 else scores)


def scores_by_class(scores: np.ndarray) -> np.ndarray:
    """Return one column of scores per class.

    Parameters
    ----------
    scores : ndarray, (n,) or (n, classes)
        Scores f(x) of two classes, or one score per class.

    Returns
    -------
    ndarray, (n, classes)
        Scores of each class.
    """
    if scores.ndim == 2:
        return scores
    defined = np.nan_to_num(scores)  # a cell without a score is on neither side
    return np.stack([-defined, defined], axis=-1)


def margins(scores: np.ndarray) -> np.ndarray:
    """Return the margin of the best class over the second.

    Parameters
    ----------
    scores : ndarray, (n, classes)
        Scores of each class.

    Returns
    -------
    ndarray, (n,)
        Margins; NaN if undefined.
    """
    ranked = np.sort(np.where(np.isfinite(scores), scores, -np.inf), axis=1)
    with np.errstate(invalid="ignore"):
        margin: np.ndarray = ranked[:, -1] - ranked[:, -2]
    return margin


def measure(
    scores: np.ndarray,
    targets: np.ndarray,
    scheme: int | None = None,
    groups: np.ndarray | None = None,
) -> Performance:
    """Compute the performance of an ensemble on labelled cells.

    Parameters
    ----------
    scores : ndarray
        Scores f(x), (members, n), for two classes; f_c(x), (members, n, classes), for more.
    targets : ndarray
        True classes, int (n,), 0 to C - 1.
    scheme : int, optional
        Scheme of the classifier. For scheme 4, the first law replaces the median (`applied_score`).
    groups : ndarray, optional
        Group of each cell (track or movie), (n,). By default, each cell is its own group.

    Returns
    -------
    Performance
        Accuracy of each model and of their median, confusion matrix, performance for each class, and calibration.
    """
    truth = np.asarray(targets, dtype=np.int64)
    classes = 2 if scores.ndim == 2 else scores.shape[2]
    each = classes_of_scores(scores, classes)
    median = applied_score(scores, scheme or 0)
    predicted = classes_of_scores(median, classes)
    by_class = class_performance(truth, predicted, scores_by_class(median), groups)
    known = np.unique(truth[predicted >= 0])
    two_sided = len(known) > 1
    areas = np.array([one.area for one in (by_class if classes > 2 else by_class[1:])])
    return Performance(
        accuracy=[float(np.mean(one == truth)) for one in each],
        balanced_accuracy=[balanced_accuracy(truth, one) for one in each],
        intervals=[accuracy_interval(one == truth, groups) for one in each],
        ensemble=accuracy_interval(predicted == truth, groups),
        balanced=accuracy_interval(predicted == truth, groups, truth),
        confusion=confusion(truth, predicted, classes),
        by_class=by_class,
        area=float(np.mean(areas[np.isfinite(areas)])) if np.isfinite(areas).any() else float("nan"),
        calibration=Calibration.fit(median, truth) if classes == 2 and two_sided else None,
        temperature=Temperature.fit(median, truth) if classes > 2 and two_sided else None,
        undefined=int(np.count_nonzero(each < 0)),
    )
