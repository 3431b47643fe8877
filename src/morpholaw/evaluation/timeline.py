"""Timeline of tracked cells: phases, events, shares and durations, from the predicted class of every image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.config import TimelineConfig
from morpholaw.display import listed
from morpholaw.errors import InputError
from morpholaw.evaluation.aligned import Aligned, align
from morpholaw.evaluation.comparisons import ALL, compare_conditions
from morpholaw.evaluation.conditions import Conditions
from morpholaw.evaluation.durations import Unit, summarise_durations
from morpholaw.evaluation.lineages import INFERRED, NONE, Lineages, follow_cells
from morpholaw.evaluation.phases import (
    BIRTH,
    DIVISION,
    UNCLASSIFIED,
    find_phases,
    is_named_after,
    mitotic_classes,
    seen_to_begin,
)
from morpholaw.evaluation.population import class_shares, condition_shares
from morpholaw.evaluation.timeline_tables import TimelineTables

MITOSIS = "mitosis"
"""Name of the phase that combines several mitotic classes."""
DEATH = ("apopto", "death", "dead", "dying")
"""Parts of names by which classes of dying cells are recognised."""
ARREST = 3.0
"""Duration, in multiples of the median of the first condition, after which mitosis counts as arrested."""
MANY_LOST = 0.1
"""Share of cells of a condition lost during mitosis above which a note is added."""


@dataclass(frozen=True)
class Timeline(TimelineTables):
    """The tables of a timeline, with the images that they are derived from.

    Attributes
    ----------
    lineages : Lineages
        Images with their classes, grouped by cell and family.
    config : TimelineConfig
        The settings.
    """

    lineages: Lineages
    config: TimelineConfig

    def align(
        self,
        event: str,
        columns: Sequence[str],
        before: int = 10,
        after: int = 10,
        condition: str | None = None,
    ) -> list[Aligned]:
        """Align values of the cells at an event.

        Parameters
        ----------
        event : str
            "division", "arrest", "death", or the name of a class, for the entry into it.
        columns : sequence of str
            Numeric columns of the images, e.g. "score".
        before, after : int
            Number of frames before and after the event.
        condition : str, optional
            Use only cells of this condition.

        Returns
        -------
        list of Aligned
            One per column, earliest onset first.

        Raises
        ------
        InputError
            If there is no such event or column.
        """
        events = self.events
        if condition is not None:
            events = events[events["condition"] == condition]
        if event in ("division", "arrest", "death"):
            chosen = events[events["event"] == event]
        else:
            chosen = events[(events["event"] == "entry") & (events["class"] == event)]
        if not len(chosen):
            raise InputError(f"There is no {event} to align the tracks at.")
        return align(
            self.lineages,
            chosen["cell"].to_numpy(),
            chosen["t"].to_numpy(),
            columns,
            before,
            after,
            self.config.resamples,
            self.config.seed,
        )


def build_timeline(
    table: pd.DataFrame,
    config: TimelineConfig | None = None,
    conditions: Conditions | None = None,
    frame_intervals: Mapping[str, float | None] | None = None,
) -> Timeline:
    """Build the timeline of tracked cells.

    Parameters
    ----------
    table : DataFrame
        One row per image, with the columns ``track_id``, ``t`` and ``class``, and optionally ``movie``, ``parent``,
        ``y``, ``x``, ``score``, ``probability`` (of the class) and further numeric columns.
    config : TimelineConfig, optional
        Settings.
    conditions : Conditions, optional
        Condition and replicate of each movie. Other movies are left out.
    frame_intervals : mapping of str to float, optional
        Seconds between frames of each movie. The setting ``frame_interval`` takes precedence.

    Returns
    -------
    Timeline
        The timeline.

    Raises
    ------
    InputError
        If a column is missing, or no cell has a track.
    """
    config = config or TimelineConfig()
    notes: list[str] = []
    if "movie" not in table:
        table = table.assign(movie="")
    if conditions is not None:
        chosen = table["movie"].isin(conditions.of_movie)
        left_out = table.loc[~chosen, "movie"].drop_duplicates()
        if len(left_out):
            notes.append(
                f"Movies that are not in the table of conditions were left out: {', '.join(left_out)}."
            )
        table = table[chosen]
        notes += conditions.warnings()
    lineages = follow_cells(table, config.infer_divisions)
    unit = _unit(lineages, config, frame_intervals or {}, notes)
    phases = find_phases(lineages, None, config.min_frames)
    classes = tuple(sorted(set(phases["class"]) - set(UNCLASSIFIED)))
    mitotic = tuple(config.mitotic) or mitotic_classes(classes, phases)
    if unknown := [name for name in mitotic if name not in classes and config.mitotic]:
        raise InputError(
            f"There is no class {unknown[0]}; the classes of these cells are {', '.join(classes)}."
        )
    timed = list(classes)
    if len(mitotic) > 1 and MITOSIS not in classes:
        merged = find_phases(lineages, dict.fromkeys(mitotic, MITOSIS), config.min_frames)
        phases = pd.concat([phases, merged[merged["class"] == MITOSIS]], ignore_index=True)
        timed.append(MITOSIS)
    phases = _placed(phases, conditions, unit)
    shares = class_shares(lineages, classes, mitotic, config.resamples, config.seed)
    movies = lineages.cells["movie"].unique().tolist()
    if conditions is None:
        conditions_of_movies, replicates = dict.fromkeys(movies, ALL), dict(zip(movies, movies, strict=True))
    else:
        conditions_of_movies, replicates = conditions.of_movie, conditions.replicate_of_movie
    comparisons = pd.DataFrame()
    if conditions is not None and len(conditions.names) > 1:
        comparisons = compare_conditions(phases, shares, timed, conditions, unit, config.seed)
        _note_limits(comparisons, notes)
    durations = summarise_durations(phases, timed, unit)
    _note_lost_divisions(phases, mitotic, notes)
    return Timeline(
        phases=phases,
        events=_events(
            lineages, phases, classes, mitotic, _arrest_limit(durations, mitotic, config, conditions), unit
        ),
        shares=shares,
        condition_shares=condition_shares(shares, conditions_of_movies, replicates, unit.per_frame),
        durations=durations,
        comparisons=comparisons,
        classes=classes,
        mitotic=mitotic,
        unit=unit,
        condition_names=() if conditions is None else tuple(conditions.names),
        notes=tuple(notes),
        lineages=lineages,
        config=config,
    )


def _unit(
    lineages: Lineages, config: TimelineConfig, intervals: Mapping[str, float | None], notes: list[str]
) -> Unit:
    movies = lineages.cells["movie"].unique().tolist()
    seconds = {movie: config.frame_interval or intervals.get(movie) for movie in movies}
    unknown = [movie for movie, value in seconds.items() if not value]
    if unknown:
        of_movies = f" of {', '.join(repr(str(one)) for one in unknown)}" if any(unknown) else ""
        notes.append(
            f"Times are in frames, because the time between frames{of_movies} is not known; "
            "set the frame interval, in seconds."
        )
        return Unit("frames", dict.fromkeys(movies, 1.0))
    return Unit("min", {movie: float(value) / 60 for movie, value in seconds.items() if value})


def _placed(phases: pd.DataFrame, conditions: Conditions | None, unit: Unit) -> pd.DataFrame:
    """Return phases with their duration, condition and replicate."""
    movies = phases["movie"]
    condition, replicate = ALL, movies
    if conditions is not None:
        condition, replicate = movies.map(conditions.of_movie), movies.map(conditions.replicate_of_movie)
    return phases.assign(duration=unit.of(phases["frames"], movies), condition=condition, replicate=replicate)


def _events(
    lineages: Lineages,
    phases: pd.DataFrame,
    classes: Sequence[str],
    mitotic: Sequence[str],
    arrest: float,
    unit: Unit,
) -> pd.DataFrame:
    """Return the table of events, by movie, frame and track, with arrests from a duration of ``arrest``."""
    single = phases[phases["class"].isin(classes)]
    entered = single[~single["before"].isin(("", BIRTH))]
    entries = _event_rows(
        entered, "entry", entered["entry"], entered["entry_probability"], entered["entry_score"]
    )
    entries["previous"] = entered["before"].to_numpy()
    dying = entries[entries["class"].map(lambda name: is_named_after(name, DEATH)).astype(bool)]
    ended = single[single["after"] == DIVISION]
    divisions = _event_rows(ended, "division", ended["exit"], ended["exit_probability"], ended["exit_score"])
    kinds = lineages.cells["division"].to_numpy(object)[ended["cell"].to_numpy()]
    divisions["source"] = np.where(kinds == INFERRED, "positions", "tracks")
    divisions["previous"] = ended["class"].to_numpy()
    parts = [
        entries,
        divisions,
        dying.assign(event="death"),
        _arrests(phases, mitotic, arrest, unit),
    ]
    table = pd.concat([part for part in parts if len(part)] or [entries], ignore_index=True)
    table["t"] = np.ceil(table["t"]).astype(np.int64)
    table.insert(4, "time", unit.of(table["t"], table["movie"]))
    return table.sort_values(["movie", "t", "track_id"], kind="stable", ignore_index=True)


def _whole_mitosis(mitotic: Sequence[str]) -> str:
    """Return the class that stands for all of mitosis; "" if there is none."""
    return MITOSIS if len(mitotic) > 1 else (mitotic[0] if mitotic else "")


def _arrest_limit(
    durations: pd.DataFrame, mitotic: Sequence[str], config: TimelineConfig, conditions: Conditions | None
) -> float:
    """Return the duration from which mitosis counts as arrested, by default relative to the first condition."""
    if config.arrest is not None:
        return config.arrest
    reference = ALL if conditions is None else conditions.names[0]
    mine = (durations["class"] == _whole_mitosis(mitotic)) & (durations["condition"] == reference)
    medians = durations.loc[mine, "median"]
    return ARREST * float(medians.iloc[0]) if len(medians) and np.isfinite(medians.iloc[0]) else np.inf


def _arrests(phases: pd.DataFrame, mitotic: Sequence[str], limit: float, unit: Unit) -> pd.DataFrame:
    """Return one event per arrested phase of mitosis, at the time when it exceeds the limit."""
    mine = seen_to_begin(phases, _whole_mitosis(mitotic))
    late = mine[mine["duration"] >= limit]
    frame = (
        late["entry"] + limit / late["movie"].map(unit.per_frame).to_numpy(np.float64)
        if len(late)
        else late["entry"]
    )
    return _event_rows(late, "arrest", frame, late["probability"], late["entry_score"])


def _event_rows(
    phases: pd.DataFrame, event: str, frame: pd.Series, probability: pd.Series, score: pd.Series
) -> pd.DataFrame:
    columns = phases[["movie", "track_id", "cell"]].reset_index(drop=True)
    return columns.assign(
        t=frame.to_numpy(np.float64),
        event=event,
        condition=phases["condition"].to_numpy(),
        previous="",
        probability=probability.to_numpy(np.float64),
        score=score.to_numpy(np.float64),
        source="classes",
        y=phases["y"].to_numpy(np.float64),
        x=phases["x"].to_numpy(np.float64),
        **{"class": phases["class"].to_numpy()},
    )


def _note_limits(comparisons: pd.DataFrame, notes: list[str]) -> None:
    """Add a note if durations are compared only up to some time."""
    if not len(comparisons):
        return
    limited = comparisons[comparisons["limit"].notna()].drop_duplicates("class")
    if len(limited):
        limits = listed(
            f"{row['class']} ({row['limit']:.3g} {row['unit']})" for row in limited.to_dict("records")
        )
        notes.append(
            f"The longest phases were not observed to end, so mean durations are compared up to a limit: {limits}. "
            "Longer phases count as this long, so the difference can be larger."
        )


def _note_lost_divisions(phases: pd.DataFrame, mitotic: Sequence[str], notes: list[str]) -> None:
    """Add a note if many cells of a condition are lost during mitosis, which were probably divisions."""
    last = phases[
        phases["class"].isin(mitotic) & ~phases["left_censored"] & phases["after"].isin((DIVISION, NONE))
    ]
    final = phases.groupby("movie")["exit"].transform("max")
    lost = last["right_censored"] & (last["exit"] < final.loc[last.index])
    for condition, mine in lost.groupby(last["condition"], sort=False):
        if mine.sum() > MANY_LOST * len(mine):
            where = "" if condition == ALL else f" of {condition}"
            notes.append(
                f"{mine.sum()} of {len(mine)} cells{where} were lost during mitosis before the movie ended. If they "
                "divided, the duration of mitosis is overestimated; check the divisions in the tracks."
            )
