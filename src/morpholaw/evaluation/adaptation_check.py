"""Whether an adaptation to another source improves the predictions, on labelled cells that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.adaptation import Adaptation
from morpholaw.evaluation.class_adaptation import ClassAdaptation
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.evaluation.paired import paired_difference
from morpholaw.models.classes import largest_classes, predicted_classes

MOST_PARTS = 25
"""Maximum number of parts of the labelled cells, each of which is left out once."""

AnyAdaptation = Adaptation | ClassAdaptation


class AdaptationCheck(NamedTuple):
    """Balanced accuracy on the labelled cells of a source.

    Attributes
    ----------
    before, after : float
        Without the adaptation, and with adaptations that were fitted without the groups of the cells they predict.
    p : float
        Two-sided p value of their difference, over groups.
    """

    before: float
    after: float
    p: float


def check_fitted_to_labels(
    scores: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray,
    fit: Callable[[np.ndarray, np.ndarray], AnyAdaptation],
) -> AdaptationCheck | None:
    """Compare the predictions without an adaptation and with adaptations that are fitted to the other groups.

    Parameters
    ----------
    scores : ndarray
        Scores of the labelled cells, (n,) for two classes, (n, C) for more.
    targets : ndarray, int (n,)
        Their classes.
    groups : ndarray, (n,)
        Group (track, lineage or movie) of each cell.
    fit : callable
        Function that fits an adaptation to scores and classes.

    Returns
    -------
    AdaptationCheck or None
        The comparison; None if there are too few groups to leave some out.
    """
    part = np.unique(groups, return_inverse=True)[1] % MOST_PARTS
    adapted = np.full(scores.shape, np.nan)
    for number in range(int(part.max()) + 1):
        left_out = part == number
        if set(targets[~left_out]) != set(targets):
            return None
        try:
            adapted[left_out] = fit(scores[~left_out], targets[~left_out]).apply(scores[left_out])
        except InputError:  # these labels contradict the scores
            adapted[left_out] = scores[left_out]
    return _compared(scores, adapted, targets, groups)


def check_fitted_to_scores(
    scores: np.ndarray, targets: np.ndarray, groups: np.ndarray, adaptation: AnyAdaptation
) -> AdaptationCheck:
    """Compare the predictions without and with an adaptation that has not seen the labels.

    Parameters
    ----------
    scores, targets, groups : ndarray
        Scores, classes and groups of the labelled cells.
    adaptation : Adaptation or ClassAdaptation
        The adaptation.

    Returns
    -------
    AdaptationCheck
        The comparison.
    """
    return _compared(scores, adaptation.apply(scores), targets, groups)


def predicted(scores: np.ndarray) -> np.ndarray:
    """Return the class numbers, int64 (n,), for scores, (n,) of two classes or (n, C) of more."""
    return predicted_classes(scores) if scores.ndim == 1 else largest_classes(scores)


def _compared(
    before: np.ndarray, after: np.ndarray, targets: np.ndarray, groups: np.ndarray
) -> AdaptationCheck:
    called = [predicted(one) for one in (before, after)]
    first, second = (float(balanced_accuracy(targets, one)) for one in called)
    difference = paired_difference(called[0] == targets, called[1] == targets, targets, groups)
    return AdaptationCheck(first, second, difference.p)
