"""Confidence intervals over groups of cells and over models, by resampling both.

Cells of one group (a track, a lineage, a movie) resemble each other, so that an interval that counts each cell as
independent is too narrow. Groups are drawn whole. Where each cell is a group of its own, Wilson's interval of
:func:`morpholaw.evaluation.metrics.accuracy` says the same without drawing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import LEVEL, Estimate
from morpholaw.evaluation.metrics import accuracy

RESAMPLES = 2000
"""Resamples of an interval of accuracy."""
ONE_MORE = 0.5
"""Wrong groups that count besides those seen: intervals of 95 % then hold the truth in 94 to 100 % of simulations."""
_TAILS = (1 - LEVEL) / 2, (1 + LEVEL) / 2
_NUMBERS = 2_000_000  # counts of groups drawn at a time: 16 MB


def accuracy_interval(
    correct: np.ndarray,
    groups: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    seed: int = 0,
) -> Estimate:
    """Return the share of correct cells, mean over the models, with its interval over groups and models.

    Parameters
    ----------
    correct : ndarray, (n,) or (members, n)
        Whether each model is right about each cell; numbers in [0, 1] are shares.
    groups : ndarray, (n,), optional
        Which cells belong together; by default each cell is its own group.
    targets : ndarray, int (n,), optional
        True classes. With them the accuracy is balanced: the mean of the accuracies within the classes.
    seed : int
        Seed of the resampling.

    Returns
    -------
    Estimate
        The percentile interval of resampled groups and models, or that of `_bounds` where it is wider, which it is
        where few groups hold an error. Of one model on cells that are their own groups, not balanced, Wilson's of the
        cells.

    Raises
    ------
    InputError
        If there is no value, or groups or targets do not fit the cells.
    """
    table, names, classes = _checked(correct, groups, targets)
    one_model = len(table) == 1 and classes.max() == 0
    if len(np.unique(names)) == table.shape[1] and one_model and np.isin(table, (0, 1)).all():
        return accuracy(table[0] > 0)
    by_class, resampled = _shares(table, names, classes, seed)
    value = float(by_class.mean())
    if len(resampled):
        apart, together = np.quantile(resampled, _TAILS, axis=0), np.quantile(resampled.mean(axis=1), _TAILS)
    else:
        apart, together = np.array([by_class, by_class]), np.array([value, value])
    bounds = _bounds(table, names, classes)
    # The ends of independent classes' mean (Zou and Donner 2008): the root of the sum of their squared distances.
    down = np.linalg.norm(by_class - np.minimum(apart[0], bounds[0])) / len(by_class)
    up = np.linalg.norm(np.maximum(apart[1], bounds[1]) - by_class) / len(by_class)
    low, high = min(together[0], value - down), max(together[1], value + up)
    return Estimate(value, max(0.0, float(low)), min(1.0, float(high)))


def _bounds(table: np.ndarray, names: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the least and largest share of right cells of each class that few errors allow, (2, classes).

    Resampling gives no spread to a class without an error, and next to none to one with a single error. The share of
    wrong cells is the share of groups with a wrong cell, of which Wilson's interval has the upper end, times the share
    of wrong cells within these, to which half a group more counts whose cells are all wrong. Without an error it is
    Wilson's of as many cells as there are groups. Right cells of a class that is nearly always wrong likewise.
    """
    wrong = 1 - table.mean(axis=0)
    bounds = np.empty((2, classes.max() + 1))
    for k in range(bounds.shape[1]):
        inside = classes == k
        group = np.unique(names[inside], return_inverse=True)[1]
        cells = np.bincount(group)
        amount = np.bincount(group, wrong[inside])
        for end, part in enumerate((amount, cells - amount)):
            some = part > 1e-9
            extra = ONE_MORE * cells.mean()
            bounds[end, k] = accuracy(some).high * (part[some].sum() + extra) / (cells[some].sum() + extra)
    bounds[0] = 1 - bounds[0]
    return bounds


def precision_interval(
    correct: np.ndarray,
    groups: np.ndarray | None,
    targets: np.ndarray,
    prevalence: float,
) -> Estimate:
    """Return the share of cells predicted to be of class 1 that are, where a stated share of all cells is.

    Sensitivity and false positive rate are measured on the cells; by Bayes' rule the precision at a prevalence p is
    p s / (p s + (1 - p) f). It says what a prediction means in a movie, where a class is rarer than in a labelled set.

    Parameters
    ----------
    correct : ndarray, (n,) or (members, n)
        Whether each model is right about each cell; numbers in [0, 1] are shares.
    groups : ndarray, (n,), optional
        Which cells belong together; by default each cell is its own group.
    targets : ndarray, int (n,)
        True classes, 0 or 1, each at least once.
    prevalence : float
        Share of cells that are of class 1, in (0, 1).

    Returns
    -------
    Estimate
        With its percentile interval over groups and models, or with as many false positives as few wrong cells of
        class 0 allow, as in `accuracy_interval`, where that is less. NaN where no cell is predicted to be of class 1.

    Raises
    ------
    InputError
        If there are not two classes, the prevalence is no share, or the arrays do not fit each other.
    """
    if not 0 < prevalence < 1:
        raise InputError(f"The prevalence must be a share between 0 and 1, not {prevalence:g}.")
    table, names, classes = _checked(correct, groups, targets)
    if set(np.unique(targets)) != {0, 1}:
        raise InputError("The precision at a prevalence needs cells of two classes, 0 and 1.")
    by_class, resampled = _shares(table, names, classes, 0)
    value = float(_precision(by_class[None], prevalence)[0])
    known = _precision(resampled, prevalence)
    known = known[np.isfinite(known)]
    if not len(known):
        return Estimate(value, np.nan, np.nan)
    low, high = (float(end) for end in np.quantile(known, _TAILS))
    fewest_right = _bounds(table, names, classes)[0, 0]
    low = min(low, float(_precision(np.array([[fewest_right, by_class[1]]]), prevalence)[0]))
    return Estimate(value, min(low, value), max(high, value))


def _precision(right: np.ndarray, prevalence: float) -> np.ndarray:
    """Return the precision of class 1 from the shares of both classes that are right, (m, 2) to (m,)."""
    true = prevalence * right[:, 1]
    called = true + (1 - prevalence) * (1 - right[:, 0])
    precision: np.ndarray = np.divide(true, called, out=np.full(len(right), np.nan), where=called > 0)
    return precision


def _checked(
    correct: np.ndarray, groups: np.ndarray | None, targets: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return correctness (members, n), the group of each cell and the place of its class."""
    table = np.atleast_2d(np.asarray(correct, dtype=np.float64))
    if table.size == 0:
        raise InputError("A confidence interval needs at least one model and one cell.")
    n = table.shape[1]
    names = np.arange(n) if groups is None else np.asarray(groups)
    classes = np.zeros(n, np.int64) if targets is None else np.unique(targets, return_inverse=True)[1]
    if len(names) != n or len(classes) != n:
        raise InputError(f"There are {len(names)} groups and {len(classes)} targets for {n} cells.")
    return table, names, classes


def _shares(
    table: np.ndarray, names: np.ndarray, classes: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of right cells of each class, (classes,), and of resamples, (resamples, classes).

    Resamples without a cell of a class say nothing about it and are left out.
    """
    members = len(table)
    group = np.unique(names, return_inverse=True)[1]
    count = int(group.max()) + 1
    right, cells = np.zeros((members, count, classes.max() + 1)), np.zeros((count, classes.max() + 1))
    for member, values in enumerate(table):
        np.add.at(right[member], (group, classes), values)
    np.add.at(cells, (group, classes), 1)
    by_class: np.ndarray = right.mean(axis=0).sum(axis=0) / cells.sum(axis=0)
    rng = np.random.default_rng(seed)
    parts = []
    for begin in range(0, RESAMPLES, step := max(1, _NUMBERS // count)):
        draws = min(step, RESAMPLES - begin)
        drawn = rng.multinomial(count, np.full(count, 1 / count), draws).astype(np.float64)
        models = rng.multinomial(members, np.full(members, 1 / members), draws) / members
        by_model = np.einsum("rg,mgc->rmc", drawn, right, optimize=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append(np.einsum("rm,rmc->rc", models, by_model) / (drawn @ cells))
    shares = np.concatenate(parts)
    return by_class, shares[np.isfinite(shares).all(axis=1)]


def bootstrap(
    values: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray | float] = np.mean,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return a statistic of all values with its percentile interval.

    Models and cells are drawn with replacement, independently; cells by whole groups, so that the frames of a
    track do not count as independent cells.

    Parameters
    ----------
    values : ndarray
        One for each model and cell, (members, n).
    statistic : callable
        Returns a number for an array, e.g. ``np.mean`` or ``np.median``.
    groups : ndarray, optional
        Which cells belong together, (n,); by default each cell is its own group.
    resamples : int
        Number of resamples.
    seed : int
        Seed of the resampling.

    Returns
    -------
    Estimate
        The statistic, and the ends of its interval.

    Raises
    ------
    InputError
        If there is no value, or the groups do not fit the cells.
    """
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if table.size == 0 or resamples < 1:
        raise InputError("A confidence interval needs at least one model, one cell and one resample.")
    members, n = table.shape
    names = np.arange(n) if groups is None else np.asarray(groups)
    if len(names) != n:
        raise InputError(f"There are {len(names)} groups for {n} cells; expected one for each cell.")
    _, number = np.unique(names, return_inverse=True)
    cells = np.argsort(number, kind="stable")
    parts = np.split(cells, np.cumsum(np.bincount(number))[:-1])
    rng = np.random.default_rng(seed)
    resampled = np.empty(resamples)
    for k in range(resamples):
        chosen = rng.integers(0, len(parts), len(parts))
        columns = chosen if groups is None else np.concatenate([parts[g] for g in chosen])
        rows = rng.integers(0, members, members)
        resampled[k] = statistic(table[np.ix_(rows, columns)])
    ends = np.quantile(resampled, _TAILS, method="closest_observation")
    return Estimate(float(statistic(table)), float(ends[0]), float(ends[1]))
