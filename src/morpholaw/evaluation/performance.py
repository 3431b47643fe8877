"""The performance of an ensemble on held-out cells, as in Table 1 and beside every model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.evaluation.bootstrap import accuracy_interval
from morpholaw.evaluation.calibration import Calibration, Temperature
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.metrics import (
    ClassPerformance,
    balanced_accuracy,
    class_performance,
    confusion,
)
from morpholaw.models.classes import classes_of_scores, log_softmax


@dataclass(frozen=True)
class Performance:
    """Performance of the models of one scheme on the same cells.

    Attributes
    ----------
    accuracy, balanced_accuracy : list of float
        Of each model. An undefined score is wrong for every class.
    intervals : list of Estimate
        Accuracy of each model with its 95 % interval over groups of cells.
    ensemble, balanced : Estimate
        Accuracy and balanced accuracy of the median score over the models, with 95 % intervals over groups of cells.
    confusion : ndarray, int64 (classes, classes)
        Of the median score; rows are true classes, columns predicted ones.
    by_class : list of ClassPerformance
        Precision, recall, F1 and area under the ROC curve of each class.
    area : float
        Area under the ROC curve of the median score; with more than two classes the mean area of one against the rest.
    calibration : Calibration or None
        Likelihood ratios of the median score of two classes; None where the cells are of one class.
    temperature : Temperature or None
        Calibration of more than two classes.
    undefined : int
        The number of models' scores that give no class, because none is finite.
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

    The median of two classes has the sign that most models have, whatever the scales of their outputs. With more
    classes it is that of the logarithms of each model's softmax, which all models have on the same scale.

    Parameters
    ----------
    scores : ndarray
        (members, n) for two classes, (members, n, classes) for more.

    Returns
    -------
    ndarray
        (n,) or (n, classes); NaN only where every model is undefined.
    """
    if scores.ndim == 3:
        scores = log_softmax(np.asarray(scores, np.float64))
    finite = np.where(np.isfinite(scores), scores, np.nan)
    nowhere = np.isnan(finite).all(axis=0)
    return np.where(nowhere, np.nan, np.nanmedian(np.where(nowhere, 0.0, finite), axis=0))


def applied_score(scores: np.ndarray, scheme: int) -> np.ndarray:
    """Return the score by which a scheme's cells are classified: of scheme 4 the first law's, else the models' median.

    Nobody can read the median of several laws, so one law is applied.

    Parameters
    ----------
    scores : ndarray
        As for `median_score`.
    scheme : int
        1 to 4.
    """
    return median_score(scores[:1] if scheme == 4 else scores)


def scores_by_class(scores: np.ndarray) -> np.ndarray:
    """Return one column of scores per class, (n, classes), from scores (n,) of two classes or (n, classes).

    Parameters
    ----------
    scores : ndarray, (n,) or (n, classes)
        Scores f(x) of two classes, or those of each class.
    """
    if scores.ndim == 2:
        return scores
    defined = np.nan_to_num(scores)  # a cell without a score is on neither side
    return np.stack([-defined, defined], axis=-1)


def margins(scores: np.ndarray) -> np.ndarray:
    """Return the margin of the best class over the second, (n,), from scores (n, classes); NaN where undefined.

    Parameters
    ----------
    scores : ndarray, (n, classes)
        Scores of each class.
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
    """Summarise the scores of an ensemble on cells of known class.

    Parameters
    ----------
    scores : ndarray
        f(x), (members, n), of two classes; f_c(x), (members, n, classes), of more.
    targets : ndarray
        True classes, int (n,), 0 to C - 1.
    scheme : int, optional
        Of scheme 4, what is said of the median is that of the first law (`applied_score`).
    groups : ndarray, optional
        Which cells belong together (tracks, movies), (n,); by default each cell is its own group.

    Returns
    -------
    Performance
        Accuracy of each model and of their median, confusion, each class by itself, and calibration.
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
