"""Comparison of durations and shares between conditions, with tests over replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.evaluation.conditions import Conditions, GroupTest, compare_groups, holm, replicate_means
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.phases import DIVISION, seen_to_begin
from morpholaw.evaluation.population import MITOTIC_INDEX
from morpholaw.evaluation.survival import Survival, kaplan_meier, log_rank

FEWEST = 5
"""Minimum number of phases with an observed end, in two conditions together, for a comparison of durations."""
ALL = "all"
"""The condition of a timeline without conditions."""


@dataclass(frozen=True)
class Unit:
    """Unit of time.

    Attributes
    ----------
    name : str
        "min" or "frames".
    per_frame : dict of str to float
        Units per frame, by movie.
    """

    name: str
    per_frame: dict[str, float]

    @property
    def step(self) -> float:
        """Mean number of units per frame over the movies."""
        return float(np.mean(list(self.per_frame.values())))

    def of(self, frames: pd.Series, movies: pd.Series) -> np.ndarray:
        """Convert frames to this unit.

        Parameters
        ----------
        frames : Series
            Frames or numbers of frames.
        movies : Series
            Movie of each.

        Returns
        -------
        ndarray, float64 (n,)
            Times in this unit.
        """
        return np.asarray(frames, np.float64) * np.asarray(movies.map(self.per_frame), np.float64)


def phase_survival(phases: pd.DataFrame, name: str, step: float) -> Survival:
    """Estimate the distribution of the durations of a class by the Kaplan-Meier method.

    Phases that had begun before the cell was first seen are left out.

    Parameters
    ----------
    phases : DataFrame
        Phases of all cells, as in :class:`morpholaw.evaluation.timeline.Timeline`.
    name : str
        The class.
    step : float
        Time between frames, in the unit of the durations.

    Returns
    -------
    Survival
        The survival curve.
    """
    selected = seen_to_begin(phases, name)
    return kaplan_meier(selected["duration"].to_numpy(), ~selected["right_censored"].to_numpy(bool), step)


def summarise_durations(phases: pd.DataFrame, classes: Sequence[str], unit: Unit) -> pd.DataFrame:
    """Summarise how long the phases of each class last in each condition.

    Parameters
    ----------
    phases : DataFrame
        Phases of :func:`morpholaw.evaluation.phases.find_phases`, with ``condition`` and ``duration``.
    classes : sequence of str
        The classes.
    unit : Unit
        Unit of the durations.

    Returns
    -------
    DataFrame
        One row per condition and class, with the columns ``phases`` (with observed beginning), ``ended`` (those with
        observed end), ``under_way`` (phases without observed beginning, which are left out), ``median`` and ``mean``
        with their 95 % confidence intervals, ``restricted`` (whether the end of the longest phase was not observed, so
        that the mean is restricted to the observed time), ``per_division`` (mean time in the class before a division,
        including zeros) and ``divisions`` (their number).
    """
    rows = []
    for condition, mine in phases.groupby("condition", sort=False):
        for name in classes:
            curve = phase_survival(mine, name, unit.step)
            median = curve.median
            mean = curve.mean() if curve.ended.sum() else Estimate(np.nan, np.nan, np.nan)
            spent, divisions = _time_per_division(mine, name)
            rows.append(
                {
                    "condition": condition,
                    "class": name,
                    "phases": curve.count,
                    "ended": int(curve.ended.sum()),
                    "under_way": int(((mine["class"] == name) & mine["left_censored"]).sum()),
                    "median": median.value,
                    "median_low": median.low,
                    "median_high": median.high,
                    "mean": mean.value,
                    "mean_low": mean.low,
                    "mean_high": mean.high,
                    "restricted": bool(len(curve.share) and curve.share[-1] > 0),
                    "per_division": spent,
                    "divisions": divisions,
                    "unit": unit.name,
                }
            )
    return pd.DataFrame(rows)


def compare_conditions(
    phases: pd.DataFrame,
    shares: pd.DataFrame,
    classes: Sequence[str],
    conditions: Conditions,
    unit: Unit,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every condition with the first one.

    Durations are averaged within replicates, restricted to the longest time observed in every condition. Shares are
    averaged over the frames of a movie. If a condition has a single replicate, durations are compared with the log-rank
    test over phases, and shares are not tested.

    Parameters
    ----------
    phases : DataFrame
        Phases with the columns ``condition``, ``replicate`` and ``duration``.
    shares : DataFrame
        Shares of :func:`morpholaw.evaluation.population.class_shares`.
    classes : sequence of str
        Classes whose durations are compared.
    conditions : Conditions
        Condition and replicate of each movie.
    unit : Unit
        Unit of the durations.
    seed : int
        Seed of the permutations.

    Returns
    -------
    DataFrame
        One row per quantity and condition, with the columns ``quantity`` ("duration" or "share"), ``class``,
        ``condition``, ``reference``, ``value``, ``reference_value``, ``replicates``, ``reference_replicates``,
        ``difference``, ``low``, ``high`` (95 % confidence interval), ``effect`` (Hedges' g over replicates), ``p``,
        ``test``, ``p_holm`` (corrected for all rows of the quantity), ``p_log_rank`` (over phases; durations only) and
        ``unit``.
    """
    rows = [*_duration_rows(phases, classes, conditions, unit, seed), *_share_rows(shares, conditions, seed)]
    table = pd.DataFrame(rows)
    if len(table):
        table["p_holm"] = table.groupby("quantity")["p"].transform(lambda p: holm(p.to_numpy()))
    return table


def replicate_durations(phases: pd.DataFrame, name: str, limit: float) -> pd.DataFrame:
    """Return the restricted mean duration of a class in every replicate.

    Parameters
    ----------
    phases : DataFrame
        Phases of all cells, as in :class:`morpholaw.evaluation.timeline.Timeline`.
    name : str
        The class.
    limit : float
        Time to which the means are restricted.

    Returns
    -------
    DataFrame
        One row per replicate, with the columns ``condition``, ``replicate`` and ``mean``.
    """
    rows = []
    for (condition, replicate), mine in phases.groupby(["condition", "replicate"], sort=False):
        curve = phase_survival(mine, name, 0.0)
        if curve.count:
            rows.append({"condition": condition, "replicate": replicate, "mean": curve.mean(limit).value})
    return pd.DataFrame(rows, columns=["condition", "replicate", "mean"])


def common_limit(phases: pd.DataFrame, name: str) -> float:
    """Return the longest duration of a class that was observed in every condition.

    Parameters
    ----------
    phases : DataFrame
        Phases of all cells, as in :class:`morpholaw.evaluation.timeline.Timeline`.
    name : str
        The class.
    """
    selected = seen_to_begin(phases, name)
    longest = selected.groupby("condition")["duration"].max()
    return float(longest.min()) if len(longest) else float("nan")


def _time_per_division(phases: pd.DataFrame, name: str) -> tuple[float, int]:
    """Return the mean time that cells spend in a class just before they divide, and the number of these cells.

    A cell that passes through the class between two frames counts as zero, so that classes shorter than a frame are not
    overestimated. Cells that were already in the class when they were first seen are left out.
    """
    last = phases[phases["after"] == DIVISION].drop_duplicates("cell")
    mine = last["class"] == name
    last = last[~(mine & last["left_censored"])]
    if not (last["class"] == name).any():
        return float("nan"), 0
    return float(last["duration"].where(last["class"] == name, 0.0).mean()), len(last)


def _duration_rows(
    phases: pd.DataFrame, classes: Sequence[str], conditions: Conditions, unit: Unit, seed: int
) -> list[dict[str, object]]:
    reference, rows = conditions.names[0], []
    for name in classes:
        limit = common_limit(phases, name)
        means = replicate_durations(phases, name, limit)
        of = {c: means.loc[means["condition"] == c, "mean"].to_numpy(np.float64) for c in conditions.names}
        curves = {c: phase_survival(phases[phases["condition"] == c], name, 0.0) for c in conditions.names}
        for condition in conditions.names[1:]:
            counts = [curves[reference].count, curves[condition].count]
            if 0 in counts or curves[reference].ended.sum() + curves[condition].ended.sum() < FEWEST:
                continue
            test = compare_groups(of[reference], of[condition], seed)
            p_cells = condition_log_rank(phases, name, (reference, condition))
            a, b = curves[reference].mean(limit), curves[condition].mean(limit)
            row = _row("duration", name, (reference, condition), of, test) | {
                "p_log_rank": p_cells,
                "unit": unit.name,
            }
            if not np.isfinite(test.p):  # a single replicate
                row |= {
                    "value": b.value,
                    "reference_value": a.value,
                    "p": p_cells,
                    "test": "log-rank over cells",
                }
                row |= _ends(_independent_difference(a, b))
            rows.append(row)
    return rows


def _share_rows(shares: pd.DataFrame, conditions: Conditions, seed: int) -> list[dict[str, object]]:
    reference, rows = conditions.names[0], []
    names = list(dict.fromkeys(shares["class"]))
    if MITOTIC_INDEX in names and len(names) == 3:  # with two classes, the index is one of the shares
        names = [MITOTIC_INDEX]
    for name in names:
        mine = shares[shares["class"] == name]
        movie = mine.groupby("movie", sort=False)[["count", "cells"]].sum()
        share = (movie["count"] / movie["cells"]).reset_index(name="share")
        of = replicate_means(share["share"], share["movie"], conditions)
        for condition in conditions.names[1:]:
            test = compare_groups(of[reference], of[condition], seed)
            rows.append(_row("share", name, (reference, condition), of, test))
    return rows


def _row(
    quantity: str, name: str, conditions: tuple[str, str], of: Mapping[str, np.ndarray], test: GroupTest
) -> dict[str, object]:
    """Return the row for a comparison of two conditions, the reference first, by the values of their replicates."""
    reference, condition = (of[one] for one in conditions)
    return {
        "quantity": quantity,
        "class": name,
        "condition": conditions[1],
        "reference": conditions[0],
        "value": float(condition.mean()) if len(condition) else np.nan,
        "reference_value": float(reference.mean()) if len(reference) else np.nan,
        "replicates": len(condition),
        "reference_replicates": len(reference),
        **_ends(test.difference),
        "effect": test.effect,
        "p": test.p,
        "test": test.test,
        "p_log_rank": np.nan,
        "unit": "share of cells",
    }


def _ends(difference: Estimate) -> dict[str, float]:
    return {"difference": difference.value, "low": difference.low, "high": difference.high}


def condition_log_rank(phases: pd.DataFrame, name: str, conditions: Sequence[str]) -> float:
    """Return the p value of the log-rank test between conditions, over phases of a class with observed beginning.

    Parameters
    ----------
    phases : DataFrame
        Phases of all cells, as in :class:`morpholaw.evaluation.timeline.Timeline`.
    name : str
        The class.
    conditions : sequence of str
        The conditions.
    """
    selected = seen_to_begin(phases, name)
    groups = [selected[selected["condition"] == condition] for condition in conditions]
    return log_rank(
        [group["duration"].to_numpy() for group in groups],
        [~group["right_censored"].to_numpy(bool) for group in groups],
    )


def _independent_difference(a: Estimate, b: Estimate) -> Estimate:
    """Return b - a with its 95 % confidence interval, from the intervals of both."""
    half = float(np.hypot(b.high - b.value, a.high - a.value))
    value = b.value - a.value
    return Estimate(value, value - half, value + half)
