"""Comparison of two classifiers on the same cells: the errors that only one of them makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import permutation_test

RESAMPLES = 9_999
"""Number of random combinations of signs; all are tried if there are at most as many, that is, for up to 13 groups."""
FEWEST_GROUPS = 6
"""Number of groups with a difference from which the test can give a p value below 0.05."""


@dataclass(frozen=True)
class PairedDifference:
    """How much the accuracies of two classifiers differ on the same cells.

    Attributes
    ----------
    cells, groups : int
        Number of cells that were compared, and of the groups to which they belong.
    only_first, only_second : int
        Number of cells that only the first, or only the second, classifies correctly.
    difference : float
        Balanced accuracy of the second minus that of the first.
    p : float
        Two-sided p value of a sign-flip test over groups. It is 1 if no group has a difference, and it cannot be below
        0.05 with fewer than `FEWEST_GROUPS` that have one.
    """

    cells: int
    groups: int
    only_first: int
    only_second: int
    difference: float
    p: float


def paired_difference(
    first: np.ndarray, second: np.ndarray, truth: np.ndarray, groups: np.ndarray, seed: int = 0
) -> PairedDifference:
    """Compare two classifiers on the same cells.

    If both are equally good, the difference of a group could as well have the other sign. The p value is the share of
    combinations of signs for which the sum over all groups is at least as large as the one observed.

    Parameters
    ----------
    first, second : ndarray, bool (n,)
        Whether each classifier is right about each cell.
    truth : ndarray, (n,)
        Class of each cell.
    groups : ndarray, (n,)
        Group of each cell. Groups are independent of each other; cells of a group may not be.
    seed : int
        Seed of random signs, which are used if there are too many combinations to try them all.

    Returns
    -------
    PairedDifference
    """
    names, of_class, sizes = np.unique(truth, return_inverse=True, return_counts=True)
    weight = 1 / (len(names) * sizes[of_class])
    _, of_group = np.unique(groups, return_inverse=True)
    change = second.astype(float) - first.astype(float)
    by_group = np.bincount(of_group, change * weight)
    return PairedDifference(
        len(truth),
        len(by_group),
        int((change < 0).sum()),
        int((change > 0).sum()),
        float(by_group.sum()),
        _sign_flip_p(by_group[np.abs(by_group) > 1e-12], seed),
    )


def _sign_flip_p(differences: np.ndarray, seed: int) -> float:
    if len(differences) < 2:
        return 1.0
    flipped = permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=RESAMPLES, random_state=seed
    )
    return float(flipped.pvalue)
