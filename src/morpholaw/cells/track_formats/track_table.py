"""Tables of tracks by napari, btrack, TrackMate, ultrack, napari-track-edit, trackpy, ilastik, CellProfiler, ..."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.movie_formats.units import seconds_per
from morpholaw.cells.text_table import read_text_table
from morpholaw.cells.track_formats.classes import class_column, class_names, has_btrack_states, names_phases
from morpholaw.cells.track_formats.column_names import (
    FRAME,
    LINEAGE,
    MASK,
    MOVIE,
    MOVIE_FILE,
    ONE_BASED_FRAME,
    TIME,
    TRACK,
    by_key,
    named,
)
from morpholaw.cells.track_formats.facts import TrackContext, TrackFacts, Tracks
from morpholaw.cells.track_formats.frames import frame_column, is_whole
from morpholaw.cells.track_formats.identity import (
    Identity,
    as_text,
    identity,
    parents_by_spot,
    spot_edges,
    stated_parents,
    track_numbers,
)
from morpholaw.cells.track_formats.lineage import linear_tracks
from morpholaw.cells.track_formats.lineage_column import lineage_families
from morpholaw.cells.track_formats.missing_columns import renaming_advice
from morpholaw.cells.track_formats.parents import add_parents
from morpholaw.cells.track_formats.places import Places, places
from morpholaw.cells.track_formats.programs import cellprofiler_parents, ilastik_tracks, program_of
from morpholaw.display import first_few
from morpholaw.errors import InputError

_OURS = {
    "crop",
    "file",
    "group",
    "brightness",
    "set",
    "index",
    "score",
    "class",
    "probability",
    "frame_class",
}
"""Names of columns with a special meaning in tables of crops or scores."""
_OURS_OF_TRACKS = ("track_id", "t", "y", "x", "parent")
"""Columns of the track tables that we write, in which ``family`` has our meaning."""
_IMARIS = 1_000_000_000
"""Offset that Imaris adds to the numbers of tracks."""
_HEADER_NUMBER = re.compile(r"[-+]?\d+\.?\d*(e[-+]?\d+)?(\.\d+)?", re.IGNORECASE)
"""A number where a name was expected; the last part distinguishes two equal ones."""
_RESULT = (
    "track_id",
    "t",
    "y",
    "x",
    "parent",
    "label",
    "dummy",
    "source_track",
    "source_id",
    "mask_id",
    "family",
)


def read_track_table(path: Path, context: TrackContext) -> Tracks:
    """Read a table of tracks, whose columns are recognised by their names and values.

    Raises
    ------
    InputError
        If the file is not a table, a column is missing, or columns contradict each other.
    """
    text = read_text_table(path)
    notes: list[str] = []
    return track_table(text.values, text.units, str(path), context, notes)


def track_table(
    values: pd.DataFrame, units: dict[str, str], where: str, context: TrackContext, notes: list[str]
) -> Tracks:
    """Convert a table as a program wrote it to a raw track table.

    Parameters
    ----------
    values : DataFrame
        Columns of numbers or text.
    units : dict of str
        Known units of columns.
    where : str
        Name of the file in messages.
    context : TrackContext
        Known facts about the movie.
    notes : list of str
        List to which assumptions are added.

    Returns
    -------
    Tracks

    Raises
    ------
    InputError
        If a column is missing, or columns contradict each other.
    """
    if len(values) == 0:
        raise InputError(f"{where} has no tracks.")
    keys = by_key(values.columns).keys()
    kind = program_of(keys)
    values = values.reset_index(drop=True)
    _check_one_movie(values, where)
    if kind == "CellProfiler table" and (graph := cellprofiler_parents(values)) is not None:
        values = graph
    frames, numbering, of_time = frame_column(values, _named_units(values, units), where, context, notes)
    if kind == "Imaris table" and frames is not None and frames.dtype.kind in "iu" and frames.min() > 0:
        frames, numbering = frames - 1, "as stored"
        notes.append(f"{where}: Imaris counts frames from 1, so frame 0 of the movie is its Time 1.")
    place = places(values, units, where, context, notes, calibrated=kind == "TrackMate CSV")
    if kind == "ilastik CSV":
        values = ilastik_tracks(values)
    key = identity(values, np.zeros(len(values)) if frames is None else frames, where)
    _require(values, frames, place, key, where)
    assert frames is not None
    assert place is not None
    assert key is not None
    raw, used = _tracks(values, frames, key, kind, where, notes)
    if kind == "Imaris table" and raw["track_id"].min() >= _IMARIS:
        raw["track_id"] -= _IMARIS
        raw["source_track"] = as_text(values[key.track])
    raw["y"], raw["x"] = place.y, place.x
    used += [*of_time, *place.used]
    label = class_column(values, key.track, notes, where)
    if label is not None:
        raw["label"] = class_names(values[label], has_btrack_states(values, label))
        used.append(label)
    elif "label" in values and values["label"].isna().all():
        raw["label"] = ""
        used.append("label")
    for name in named(values, ("dummy",)):
        raw["dummy"] = values[name].map(_is_true)
        used.append(name)
    for name in named(values, MASK):
        each = pd.DataFrame({"id": values[name], "t": frames})
        if name not in used and pd.api.types.is_integer_dtype(values[name]) and not each.duplicated().any():
            raw["mask_id"] = values[name]
            used.append(name)
            break
    ours = ("family",) if {*_OURS_OF_TRACKS} <= set(values) else ()
    for name in [name for name in (*ours, *named(values, LINEAGE)) if name in values]:
        families = lineage_families(values[name], raw["track_id"].to_numpy())
        if families is not None and "family" not in raw:
            raw["family"] = families
            used.append(name)
    raw, values = _each_once(raw, values, where, notes)
    others = values.drop(columns=[name for name in dict.fromkeys(used) if name in values])
    others = others.rename(columns={c: f"tracks_{c}" for c in others if c in _OURS or c in _RESULT})
    raw = pd.concat([raw, others[[c for c in others if not str(c).startswith("Unnamed:")]]], axis=1)
    nowhere = pd.isna(raw["y"]).to_numpy() & pd.isna(raw["x"]).to_numpy()
    if nowhere.any() and not nowhere.all():
        notes.append(f"{where}: {nowhere.sum()} of {len(raw)} rows have no position and were left out.")
        raw = raw[~nowhere].reset_index(drop=True)
    untracked = raw["track_id"].to_numpy() < 0
    if untracked.any():
        notes.append(f"{where}: {untracked.sum()} of {len(raw)} rows are in no track and were left out.")
        raw = raw[~untracked].reset_index(drop=True)
    if len(raw) == 0:
        raise InputError(f"{where} has no tracks: none of its {len(values)} rows has a track.")
    _check_branches(raw, kind, where)
    facts = TrackFacts(
        format=kind,
        frame_numbering=numbering,
        pixel_size=None,
        unit=place.unit,
        notes=notes,
        sources={"unit": place.source},
    )
    return Tracks(raw, facts)


def _tracks(
    values: pd.DataFrame, frames: np.ndarray, key: Identity, kind: str, where: str, notes: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return track_id, t, parent and the file's own ids, and the columns from which they were read."""
    used = [name for name in (key.track, key.spot, key.parent_track, key.parent_spot) if name]
    if key.track is None:
        assert key.spot is not None
        assert key.parent_spot is not None
        spots = pd.DataFrame({"spot": np.arange(len(values)), "t": frames})
        edges = spot_edges(values, key.spot, key.parent_spot)
        tracks = linear_tracks(spots, edges, where, notes).sort_values("spot", ignore_index=True)
        raw = tracks[["track_id", "t", "parent", "family"]].assign(source_id=as_text(values[key.spot]))
        return raw, used
    column = values[key.track]
    track = track_numbers(column)
    text = as_text(column)
    raw = pd.DataFrame({"track_id": track, "t": frames})
    parents = None
    if key.parent_spot is not None:
        parents = parents_by_spot(values, key, where)
    elif key.parent_track is not None:
        parents = values[key.track].map(stated_parents(values, key))
    if parents is not None:
        add_parents(raw, as_text(parents), text, where, notes)
    if kind == "TrackMate CSV" or _differ(text, track):
        raw["source_track"] = text
    if key.spot is not None:
        raw["source_id"] = as_text(values[key.spot])
    return raw, used


def _differ(text: np.ndarray, track: np.ndarray) -> bool:
    """Return whether ids as text (n,) differ from their track numbers (n,), ignoring spots without a track."""
    pairs = pd.DataFrame({"text": text, "track": track})[track >= 0].drop_duplicates()
    return any(name != str(number) for name, number in pairs.itertuples(index=False))


def _each_once(
    raw: pd.DataFrame, values: pd.DataFrame, where: str, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per cell and frame of a table that repeats them, such as for every channel."""
    again = raw.duplicated([name for name in ("track_id", "t", "y", "x", "parent", "label") if name in raw])
    again &= raw["track_id"] >= 0
    if not again.any():
        return raw, values
    notes.append(
        f"{where}: {again.sum()} of {len(raw)} rows repeat a cell of an earlier row and were left out."
    )
    return raw[~again].reset_index(drop=True), values[~again].reset_index(drop=True)


def _named_units(values: pd.DataFrame, units: dict[str, str]) -> dict[str, str]:
    """Return the units in brackets, and the units of time in the names of columns."""
    named_units = {}
    for name in values.columns:
        head, _, tail = str(name).lower().replace(" ", "_").rpartition("_")
        if head in ("t", "time", "elapsed_time", "elapsed") and seconds_per(tail) is not None:
            named_units[str(name)] = tail
    return named_units | units


def _check_one_movie(values: pd.DataFrame, where: str) -> None:
    """Reject a table with cells of several movies."""
    frames = [name for name in named(values, (*FRAME, *ONE_BASED_FRAME, *TIME)) if is_whole(values[name])]
    for name in named(values, (*MOVIE, *MOVIE_FILE)) if frames else []:
        each = values[[frames[0], name]].dropna().drop_duplicates()
        several = each[frames[0]].duplicated(keep=False)
        distinct = each[name].nunique()
        if 2 * several.sum() > len(each) and distinct < 0.5 * len(values) and not names_phases(each[name]):
            shown = ", ".join(map(str, each[name].unique()[:4]))
            raise InputError(
                f"{where} has cells of {distinct} movies or positions (its column {name} has {shown}); "
                "give a table of only the movie to be cut."
            )


def _check_branches(raw: pd.DataFrame, kind: str, where: str) -> None:
    """Reject tracks with two cells in one frame if the table cannot distinguish them."""
    if kind != "TrackMate CSV":
        return
    twice = raw.duplicated(["track_id", "t"])
    if twice.any():
        first = raw[twice].iloc[0]
        raise InputError(
            f"{where} has track {int(first.track_id)} twice in frame {int(first.t)}: TrackMate's table of spots does "
            "not state parents after a division; save the session as XML in TrackMate and use that file."
        )


def _require(
    values: pd.DataFrame, frames: np.ndarray | None, place: Places | None, key: Identity | None, where: str
) -> None:
    there = {
        "track_id": key is not None,
        "t": frames is not None,
        "y": place is not None,
        "x": place is not None,
    }
    missing = [name for name, found in there.items() if not found]
    if not missing:
        return
    columns = [str(name) for name in values.columns if not str(name).startswith("Unnamed:")]
    if columns and all(_HEADER_NUMBER.fullmatch(name) for name in columns):
        raise InputError(
            f"{where} has no row of column names; add one with track_id, t, y and x (it begins with "
            f"{', '.join(columns[:6])})."
        )
    numbers = [name for name in named(values, TRACK) if pd.api.types.is_numeric_dtype(values[name])]
    if key is None and numbers:
        raise _unusable_ids(values[numbers[0]], where)
    known = {} if frames is None else {"t": frames}
    if key is not None and key.track is not None:
        known["track_id"] = track_numbers(values[key.track])
    unknown = values.drop(
        columns=[*(place.used if place else ()), *((key.track,) if key and key.track else ())]
    )
    raise InputError(
        f"{where} has no column {', '.join(missing)}: a table of tracks has track_id, t (the frame, from 0), y and x "
        f"(pixels), but this one has {first_few(columns, 12)}."
        + renaming_advice(unknown, known, None if place is None else np.column_stack([place.y, place.x]))
    )


def _unusable_ids(column: pd.Series, where: str) -> InputError:
    """Return the error for a column of numbers that is named like ids of tracks but cannot contain them."""
    fractions = column[np.isfinite(column) & (column % 1 != 0)]
    if len(fractions):
        return InputError(
            f"{where} has ids of tracks that are not whole numbers in the column {column.name} (such as "
            f"{fractions.iloc[0]:g}); write whole numbers, or names such as c1.1."
        )
    return InputError(
        f"{where} has no id in most rows of the column {column.name}; give each tracked cell the id of its track."
    )


def _is_true(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes")
    return bool(value) and value == value  # NaN is not equal to itself
