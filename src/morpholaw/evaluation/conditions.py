"""Conditions and replicates of movies, and statistical tests between conditions.

The independent units of an experiment are its replicates, such as wells, days or animals. Cells of one well share
medium, plate and focus, so a test over cells finds differences between any two wells. Values are therefore averaged
within replicates, and replicates are compared (Lord et al. 2020, J. Cell Biol. 219, e202001064).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from morpholaw.cells.text_table import read_text_table
from morpholaw.display import listed
from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import TAILS, Estimate

COLUMNS = ("movie", "condition", "replicate")
MOST_ARRANGEMENTS = 20_000
ENOUGH_ARRANGEMENTS = 40
"""Number of arrangements of replicates that a permutation test needs to reach p = 0.05."""


@dataclass(frozen=True)
class Conditions:
    """Condition and replicate of every movie.

    Attributes
    ----------
    table : DataFrame
        One row per movie, with the columns ``movie``, ``condition`` and ``replicate`` (str).
    """

    table: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Names of the conditions in the order of the table; the others are compared with the first."""
        return list(dict.fromkeys(self.table["condition"]))

    @property
    def of_movie(self) -> dict[str, str]:
        """Condition of each movie."""
        return dict(zip(self.table["movie"], self.table["condition"], strict=True))

    @property
    def replicate_of_movie(self) -> dict[str, str]:
        """Replicate of each movie."""
        return dict(zip(self.table["movie"], self.table["replicate"], strict=True))

    def warnings(self) -> list[str]:
        """Return a warning if some conditions have a single replicate."""
        counts = self.table.groupby("condition", sort=False)["replicate"].nunique()
        names = list(counts.index[counts < 2])
        if not names:
            return []
        which, its = f"The condition {names[0]} has one replicate", "its"
        if len(names) > 1:
            which, its = f"The conditions {listed(names)} have one replicate each", "their"
        return [
            f"{which}, so the variation between replicates is unknown: {its} tests treat cells as independent, and "
            f"{its} p values apply to these movies only."
        ]


def read_conditions(path: Path | str, movies: Sequence[str]) -> Conditions:
    """Read a table of conditions.

    Parameters
    ----------
    path : path
        Delimited text file with the columns movie, condition and replicate.
    movies : sequence of str
        Movies of the study (names of its crop sets). Not all of them have to be in the table.

    Returns
    -------
    Conditions
        The conditions.

    Raises
    ------
    InputError
        If a column is missing, a movie is unknown or listed twice, or a value is empty.
    """
    table = read_text_table(Path(path)).values
    table.columns = [str(name).strip().lower() for name in table.columns]
    if missing := [name for name in COLUMNS if name not in table]:
        raise InputError(
            f"{path} has no column {', '.join(missing)}; expected movie, condition and replicate."
        )
    table = table[list(COLUMNS)].map(_as_text)
    return check_conditions(table, movies, str(path))


def given_conditions(conditions: Path | str | pd.DataFrame, movies: Sequence[str]) -> Conditions:
    """Return the conditions of a file or a table; see :func:`read_conditions`.

    Parameters
    ----------
    conditions : path or DataFrame
        CSV file or table.
    movies : sequence of str
        Movies of the study.
    """
    if isinstance(conditions, pd.DataFrame):
        return check_conditions(conditions.astype(str), movies)
    return read_conditions(conditions, movies)


def check_conditions(
    table: pd.DataFrame, movies: Sequence[str], where: str = "The table of conditions"
) -> Conditions:
    """Return the conditions of a table with the columns movie, condition and replicate; see :func:`read_conditions`.

    Parameters
    ----------
    table : DataFrame
        One row per movie.
    movies : sequence of str
        Movies of the study.
    where : str
        Name of the table for error messages.
    """
    empty = (table == "").any(axis=1)
    if empty.any():
        raise InputError(
            f"{where} has an empty value in row {int(np.flatnonzero(empty)[0]) + 1}; fill or delete the row."
        )
    twice = table["movie"].duplicated()
    if twice.any():
        raise InputError(
            f"{where} has the movie {table['movie'][twice].iloc[0]} twice; expected one row per movie."
        )
    unknown = [name for name in table["movie"] if name not in set(movies)]
    if unknown:
        raise InputError(
            f"{where} has the movie {unknown[0]}, which the study does not have; its movies are {', '.join(movies)}."
        )
    return Conditions(table.reset_index(drop=True))


def _as_text(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


@dataclass(frozen=True)
class GroupTest:
    """Result of a comparison of two groups of replicates.

    Attributes
    ----------
    difference : Estimate
        Mean of the second group minus that of the first, with its 95 % confidence interval (Welch).
    effect : float
        Difference in standard deviations of the replicates (Hedges' g); NaN with one replicate.
    p : float
        Two-sided p value; NaN if it cannot be computed.
    test : str
        "permutation", or "Welch t" if there are too few replicates for a permutation test to reach p = 0.05.
    """

    difference: Estimate
    effect: float
    p: float
    test: str


def compare_groups(first: np.ndarray, second: np.ndarray, seed: int = 0) -> GroupTest:
    """Compare the values of replicates of two conditions.

    Parameters
    ----------
    first, second : ndarray, float64 (n,)
        One value per replicate.
    seed : int
        Seed of random permutations, which are used if there are too many to try them all.

    Returns
    -------
    GroupTest
        The result. p is NaN if a group has a single replicate.
    """
    a, b = (np.asarray(values, np.float64) for values in (first, second))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not len(a) or not len(b):
        return GroupTest(Estimate(np.nan, np.nan, np.nan), np.nan, np.nan, "none")
    difference = float(b.mean() - a.mean())
    if len(a) < 2 or len(b) < 2:
        return GroupTest(Estimate(difference, np.nan, np.nan), np.nan, np.nan, "none")
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if va + vb == 0:  # no p value without variation between replicates
        return GroupTest(Estimate(difference, np.nan, np.nan), np.nan, np.nan, "none")
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    half = float(stats.t.ppf(TAILS[1], freedom) * np.sqrt(va + vb))
    interval = Estimate(difference, difference - half, difference + half)
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2)
    effect = float(difference / np.sqrt(pooled) * (1 - 3 / (4 * (len(a) + len(b)) - 9)))
    if comb(len(a) + len(b), len(a)) < ENOUGH_ARRANGEMENTS:
        p = float(2 * stats.t.sf(abs(difference) / np.sqrt(va + vb), freedom))
        return GroupTest(interval, effect, p, "Welch t")
    return GroupTest(interval, effect, _permutation_p(a, b, seed), "permutation")


def _permutation_p(a: np.ndarray, b: np.ndarray, seed: int) -> float:
    """Return the share of arrangements of the replicates whose means differ at least as much as those observed."""
    values = np.concatenate([a, b])
    observed = abs(b.mean() - a.mean())
    if comb(len(values), len(a)) <= MOST_ARRANGEMENTS:
        chosen = np.array(list(combinations(range(len(values)), len(a))))
        extra = 0
    else:
        rng = np.random.default_rng(seed)
        chosen = np.argsort(rng.random((MOST_ARRANGEMENTS, len(values))), axis=1)[:, : len(a)]
        extra = 1  # the observed arrangement
    sums = values[chosen].sum(axis=1)
    differences = np.abs((values.sum() - sums) / len(b) - sums / len(a))
    as_large = (differences >= observed * (1 - 1e-12)).sum()
    return float((as_large + extra) / (len(chosen) + extra))


def holm(p: np.ndarray) -> np.ndarray:
    """Correct p values for multiple testing by Holm's method (Holm 1979).

    Parameters
    ----------
    p : ndarray, float64 (n,)
        The p values. NaN are ignored.

    Returns
    -------
    ndarray, float64 (n,)
        Corrected p values, which control the family-wise error rate.
    """
    values = np.asarray(p, np.float64)
    corrected = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return corrected


def replicate_means(values: pd.Series, movies: pd.Series, conditions: Conditions) -> Mapping[str, np.ndarray]:
    """Average values within each replicate.

    Parameters
    ----------
    values : Series, float64 (n,)
        One value per cell, phase or movie.
    movies : Series, (n,)
        Movie of each value.
    conditions : Conditions
        Condition and replicate of each movie.

    Returns
    -------
    mapping of str to ndarray, float64 (replicates,)
        Means of the replicates, by condition.
    """
    table = pd.DataFrame(
        {
            "value": values.to_numpy(np.float64),
            "condition": movies.map(conditions.of_movie).to_numpy(),
            "replicate": movies.map(conditions.replicate_of_movie).to_numpy(),
        }
    ).dropna()
    means = table.groupby(["condition", "replicate"], sort=False)["value"].mean().reset_index()
    return {name: means.loc[means["condition"] == name, "value"].to_numpy() for name in conditions.names}
