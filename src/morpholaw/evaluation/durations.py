"""Durations of phases: survival curves, their summary in each condition, and means of replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.phases import DIVISION, seen_to_begin
from morpholaw.evaluation.survival import Survival, kaplan_meier


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
        """Longest time between frames of the movies."""
        return max(self.per_frame.values())

    @property
    def is_common(self) -> bool:
        """Whether all movies have the same time between frames, up to rounding."""
        return min(self.per_frame.values()) >= 0.999 * self.step

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


def phase_survival(phases: pd.DataFrame, name: str) -> Survival:
    """Estimate the distribution of the durations of a class by the Kaplan-Meier method.

    Phases that had begun before the cell was first seen are left out. If movies have different times between frames,
    the median is interpolated with the mean over the phases.

    Parameters
    ----------
    phases : DataFrame
        Phases of all cells, as in :class:`morpholaw.evaluation.timeline.Timeline`.
    name : str
        The class.

    Returns
    -------
    Survival
        The survival curve.
    """
    selected = seen_to_begin(phases, name)
    step = float((selected["duration"] / selected["frames"]).mean()) if len(selected) else 0.0
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
        with their 95 % confidence intervals over phases (not over movies or replicates), ``restricted`` (whether the
        end of the longest phase was not observed, so that the mean is restricted to the observed time),
        ``per_division`` (mean time in the class before a division, including zeros) and ``divisions`` (their number).
    """
    rows = []
    for condition, mine in phases.groupby("condition", sort=False):
        for name in classes:
            curve = phase_survival(mine, name)
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


def replicate_durations(phases: pd.DataFrame, name: str, limit: float) -> pd.DataFrame:
    """Return the restricted mean duration of a class in every replicate.

    If the end of the longest phase of a replicate was not observed, its curve continues as that of its condition.

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
    for condition, of_condition in phases.groupby("condition", sort=False):
        whole = phase_survival(of_condition, name)
        for replicate, mine in of_condition.groupby("replicate", sort=False):
            curve = phase_survival(mine, name)
            if curve.count:
                mean = _mean_continued(curve, whole, limit)
                rows.append({"condition": condition, "replicate": replicate, "mean": mean})
    return pd.DataFrame(rows, columns=["condition", "replicate", "mean"])


def common_limit(phases: pd.DataFrame, name: str) -> tuple[float, bool]:
    """Return the time up to which the durations of a class are known in every condition.

    They are known for all times in a condition whose longest phase was observed to end, and otherwise up to its
    longest phase.

    Parameters
    ----------
    phases : DataFrame
        Phases of all cells, as in :class:`morpholaw.evaluation.timeline.Timeline`.
    name : str
        The class.

    Returns
    -------
    limit : float
        The time; NaN without phases.
    restricted : bool
        Whether phases can be longer than that in a condition, so that mean durations are restricted to this time.
    """
    curves = [phase_survival(mine, name) for _, mine in phases.groupby("condition", sort=False)]
    curves = [curve for curve in curves if curve.count]
    if not curves:
        return float("nan"), False
    longest = [float(curve.time[-1]) for curve in curves]
    cut_off = [end for end, curve in zip(longest, curves, strict=True) if curve.share[-1] > 0]
    return (min(cut_off), True) if cut_off else (max(longest), False)


def _mean_continued(curve: Survival, whole: Survival, limit: float) -> float:
    """Return the mean duration of a replicate up to ``limit``, where its condition has the curve ``whole``."""
    mean, end, left = curve.mean(limit).value, float(curve.time[-1]), float(curve.share[-1])
    if left <= 0 or end >= limit:
        return mean
    at_end = float(whole.share[np.searchsorted(whole.time, end)])
    rest = (whole.mean(limit).value - whole.mean(end).value) / at_end
    return mean - left * (limit - end) + left * rest


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
