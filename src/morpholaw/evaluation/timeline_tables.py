"""The tables of a timeline."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from morpholaw.display import counted
from morpholaw.evaluation.durations import Unit, phase_survival
from morpholaw.evaluation.survival import Survival


@dataclass(frozen=True)
class TimelineTables:
    """Tables of phases, events, shares and durations of the cells of one or more movies.

    Attributes
    ----------
    phases : DataFrame
        One row per phase, see :func:`morpholaw.evaluation.phases.find_phases`, with ``duration`` in `unit`,
        ``condition`` and ``replicate``. Where several classes are mitotic, "mitosis" is one more class.
    events : DataFrame
        One row per event: ``movie``, ``track_id``, ``cell``, ``t``, ``time`` (in `unit`), ``event`` ("entry",
        "division", "arrest" or "death"), ``class``, ``previous``, ``probability``, ``score``, ``source``, ``y``, ``x``.
    shares : DataFrame
        Share of each class in every frame of each movie, see :func:`morpholaw.evaluation.population.class_shares`.
    condition_shares : DataFrame
        The same, averaged over the movies of each condition.
    durations : DataFrame
        How long phases last, see :func:`morpholaw.evaluation.durations.summarise_durations`.
    comparisons : DataFrame
        Conditions against the first one, see :func:`morpholaw.evaluation.comparisons.compare_conditions`.
    classes, mitotic : tuple of str
        All classes of the images, and those that are stages of mitosis.
    unit : Unit
        Minutes where every movie's frame interval is known, else frames.
    condition_names : tuple of str
        The conditions; none where there is no table of them.
    notes : tuple of str
        What limits the results, one sentence each.
    """

    phases: pd.DataFrame
    events: pd.DataFrame
    shares: pd.DataFrame
    condition_shares: pd.DataFrame
    durations: pd.DataFrame
    comparisons: pd.DataFrame
    classes: tuple[str, ...]
    mitotic: tuple[str, ...]
    unit: Unit
    condition_names: tuple[str, ...]
    notes: tuple[str, ...]

    def survival(self, name: str, condition: str | None = None) -> Survival:
        """Return the Kaplan-Meier curve of a class, in one condition or in all cells.

        Parameters
        ----------
        name : str
            The class.
        condition : str, optional
            The condition; all cells where left out.
        """
        phases = self.phases if condition is None else self.phases[self.phases["condition"] == condition]
        return phase_survival(phases, name)

    def __str__(self) -> str:
        """Return the number of phases, divisions and movies in a few words."""
        divisions = int((self.events["event"] == "division").sum()) if len(self.events) else 0
        counts = {"phase": len(self.phases), "division": divisions, "movie": self.phases["movie"].nunique()}
        phases, division, movies = (counted(n, noun) for noun, n in counts.items())
        return f"{phases} and {division} in {movies}"
