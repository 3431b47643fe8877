"""Confidence intervals over groups of cells and over models, by resampling both.

Cells of one group (a track, a lineage, a movie) resemble each other, so that an interval that counts each cell as
independent is too narrow. Groups are drawn whole. Where each cell is a group of its own, Wilson's interval of
:func:`morpholaw.evaluation.metrics.accuracy` says the same without drawing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.metrics import accuracy

RESAMPLES = 2000
"""Resamples of an interval of accuracy."""
_NUMBERS = 2_000_000  # counts of groups drawn at a time: 16 MB


def accuracy_interval(
    correct: np.ndarray,
    groups: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    level: float = 0.95,
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
    level : float
        Confidence level of the interval.
    seed : int
        Seed of the resampling.

    Returns
    -------
    Estimate
        The percentile interval of resampled groups and models. Where resampling cannot tell anything, because all
        groups agree (all cells are right), Wilson's interval of as many cells as there are groups; and of one model on
        cells that are their own groups, not balanced, Wilson's of the cells.

    Raises
    ------
    InputError
        If there is no value, or groups or targets do not fit the cells.
    """
    table = np.atleast_2d(np.asarray(correct, dtype=np.float64))
    if table.size == 0:
        raise InputError("A confidence interval needs at least one model and one cell.")
    members, n = table.shape
    names = np.arange(n) if groups is None else np.asarray(groups)
    classes = np.zeros(n, np.int64) if targets is None else np.unique(targets, return_inverse=True)[1]
    if len(names) != n or len(classes) != n:
        raise InputError(f"There are {len(names)} groups and {len(classes)} targets for {n} cells.")
    group = np.unique(names, return_inverse=True)[1]
    count = int(group.max()) + 1
    if count == n and members == 1 and classes.max() == 0 and np.isin(table, (0, 1)).all():
        return accuracy(table[0] > 0, level)
    right, cells = np.zeros((members, count, classes.max() + 1)), np.zeros((count, classes.max() + 1))
    for member, values in enumerate(table):
        np.add.at(right[member], (group, classes), values)
    np.add.at(cells, (group, classes), 1)
    value = float((right.mean(axis=0).sum(axis=0) / cells.sum(axis=0)).mean())

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
    shares = shares[
        np.isfinite(shares).all(axis=1)
    ]  # a resample without a cell of a class says nothing about it
    ends = (
        np.quantile(shares.mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        if len(shares)
        else (value, value)
    )
    low, high = float(ends[0]), float(ends[1])
    if high - low < 1e-12:
        bound = accuracy(np.arange(count) < round(value * count), level)
        low, high = min(value, bound.low), max(value, bound.high)
    return Estimate(value, low, high)


def bootstrap(
    values: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray | float] = np.mean,
    groups: np.ndarray | None = None,
    resamples: int = 1000,
    level: float = 0.95,
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
    level : float
        Confidence level of the interval.
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
    ends = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], method="closest_observation")
    return Estimate(float(statistic(table)), float(ends[0]), float(ends[1]))
