"""The timeline of a study: phases and events of tracked cells, and measured shapes around events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.oriented_shapes import measure_shapes
from morpholaw.config import TimelineConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.conditions import given_conditions
from morpholaw.evaluation.timeline import Timeline, build_timeline
from morpholaw.events import SILENT, Monitor
from morpholaw.store import classifiers
from morpholaw.store.condition_record import condition_record
from morpholaw.store.study_folder import StudyFolder

SHAPES = ("area", "axis_ratio", "brightness", "texture")
"""Measured shapes that are aligned at events."""
AROUND = 12
"""Number of frames before and after an event in which shapes are measured."""
MOST_MEASURED = 20_000
"""Maximum number of crops that are measured."""


def tracked_sets(folder: StudyFolder) -> list[CropSet]:
    """Return the crop sets with tracks of more than one frame.

    Raises
    ------
    InputError
        If there are none, or the classes of the study are conditions.
    """
    if condition_record(folder) is not None:
        raise InputError(
            f"The classes of the study {folder.path} are conditions and not stages; make the timeline in the study "
            "from which the cells were taken."
        )
    sets = [one for one in folder.sets if _has_tracks(one.cells)]
    if not sets:
        raise InputError(
            f"The study {folder.path} has no crops of tracked cells; cut some from a movie with its tracks first."
        )
    return sets


def _has_tracks(cells: pd.DataFrame) -> bool:
    tracks = cells.loc[(cells["track_id"] >= 0) & (cells["t"] >= 0), "track_id"]
    return bool(tracks.duplicated().any())


def wants_tracks(folder: StudyFolder, name: str) -> bool | None:
    """Return True if two classes are calibrated, and otherwise None, which leaves the choice to ``classify``."""
    record = classifiers.record(folder, name)
    return True if len(record.classes) == 2 and record.evaluation.calibration is not None else None


def timeline(
    folder: StudyFolder,
    table: pd.DataFrame,
    conditions: Path | str | pd.DataFrame | None = None,
    config: TimelineConfig | None = None,
    monitor: Monitor = SILENT,
) -> Timeline:
    """Determine phases and events of the tracked cells of a study, and compare conditions.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    table : DataFrame
        Scores of its cells, as :meth:`morpholaw.Study.classify` returns them.
    conditions : path or DataFrame, optional
        Condition and replicate of each movie (crop set).
    config : TimelineConfig, optional
        Settings.
    monitor : Monitor
        Receives warnings about what limits the results.

    Returns
    -------
    Timeline
        The timeline. Its table of images includes the measured shapes near events of mitosis.
    """
    sets = tracked_sets(folder)
    names = [crop_set.name for crop_set in sets]
    images = _with_parents(table, sets)
    intervals = {
        one.name: None if one.record.movie is None else one.record.movie.frame_interval for one in sets
    }
    placed = None if conditions is None else given_conditions(conditions, names)
    built = build_timeline(images, config, placed, intervals)
    for sentence in built.notes:
        monitor.warn(sentence)
    return replace(built, lineages=replace(built.lineages, images=_with_shapes(built, sets)))


def value_columns(built: Timeline) -> list[str]:
    """Return the names of the columns that can be aligned at events: the score and measured shapes."""
    return [name for name in ("score", *SHAPES) if name in built.lineages.images]


def _with_parents(table: pd.DataFrame, sets: list[CropSet]) -> pd.DataFrame:
    """Return the scores of tracked cells, with the movie and the parent of each."""
    parents = pd.concat(
        [one.cells[["crop", "parent"]].assign(set=one.name) for one in sets], ignore_index=True
    )
    return table.merge(parents, on=["set", "crop"], how="inner").rename(columns={"set": "movie"})


def _with_shapes(built: Timeline, sets: list[CropSet]) -> pd.DataFrame:
    """Return the table of images with the measured shapes of crops near events of mitosis."""
    images = built.lineages.images.copy()
    near = _near_events(built, images)
    rows = np.flatnonzero(near)
    if not len(rows):
        return images
    chosen = images.iloc[rows]
    for name in SHAPES:
        images[name] = np.nan
    for crop_set in sets:
        mine = (chosen["movie"] == crop_set.name).to_numpy()
        if not mine.any():
            continue
        shapes = measure_shapes(crop_set.images[chosen["crop"].to_numpy()[mine]])
        places = rows[mine]
        for name in SHAPES:
            images.iloc[places, images.columns.get_loc(name)] = shapes[name].to_numpy()
    return images


def _near_events(built: Timeline, images: pd.DataFrame) -> np.ndarray:
    """Return whether each image is near an entry into mitosis or a division, bool (n,)."""
    events = built.events
    mitotic = events["event"].eq("entry") & events["class"].isin(built.mitotic)
    chosen = events[mitotic | events["event"].isin(("division", "death"))]
    if len(chosen) * 2 * AROUND > MOST_MEASURED:
        chosen = chosen.sample(MOST_MEASURED // (2 * AROUND), random_state=built.config.seed)
    frames = int(images["t"].max()) + 1
    first = chosen["cell"].to_numpy() * frames
    t = chosen["t"].to_numpy()[:, None] + np.arange(-AROUND, AROUND)
    inside = (t >= 0) & (t < frames)
    keys = (first[:, None] + t)[inside]
    return np.isin(images["cell"].to_numpy() * frames + images["t"].to_numpy(), keys)
