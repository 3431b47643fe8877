"""Confidence intervals over cells and models, by resampling both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import Estimate


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
