"""Detection of the columns that number tracks, spots and parents, by their values and not only by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.column_names import PARENT, SPOT, TRACK, WEAK_TRACK, named
from morpholaw.errors import InputError

_LARGEST = 2**62
"""Largest number of a track; larger ones, as some programs draw by chance, become new numbers like texts."""


@dataclass(frozen=True)
class Identity:
    """Columns of a table that identify cells.

    Attributes
    ----------
    track : str or None
        Column that numbers tracks; None if only spots are numbered.
    spot : str or None
        Column that numbers spots (nodes).
    parent_track : str or None
        Column with the number of the parent track.
    parent_spot : str or None
        Column with the number of the preceding spot.
    """

    track: str | None
    spot: str | None = None
    parent_track: str | None = None
    parent_spot: str | None = None


def identity(values: pd.DataFrame, frames: np.ndarray, where: str) -> Identity | None:
    """Return the columns that identify cells, or None if neither tracks nor spots are numbered.

    Raises
    ------
    InputError
        If the columns contradict each other.
    """
    spot = next((name for name in named(values, SPOT) if _numbers_rows(values[name])), None)
    parents = named(values, PARENT)
    strong = [name for name in named(values, TRACK) if _may_number(values[name])]
    weak = [name for name in named(values, WEAK_TRACK) if pd.api.types.is_numeric_dtype(values[name])]
    weak = [name for name in weak if name not in strong and _may_number(values[name])]
    graded = {name: _grade(values[name], frames) for name in [*strong, *weak]}
    twice = any(graded[name] == "twice" for name in strong)
    candidates = strong if twice else [*strong, *weak]
    by_spot = [p for p in parents if spot is not None and _refers(values[p], values[spot])]
    if spot is not None and by_spot:
        edges = spot_edges(values, spot, by_spot[0])
        candidates = [name for name in candidates if name in strong or _follows(values[name], frames, edges)]
    track = next((name for name in candidates if graded[name] == "linked"), None)
    if track is None and by_spot and spot is not None:
        return Identity(None, spot, None, by_spot[0])
    if track is None:
        order = [(name, grade) for names in (strong, weak) for grade in ("twice", "single") for name in names]
        track = next((name for name, grade in order if graded[name] == grade), None)
    if track is None:
        return None
    spot = None if spot == track else spot
    parent_track, parent_spot = _parents(values, parents, track, spot, where)
    return Identity(track, spot, parent_track, parent_spot)


def _parents(
    values: pd.DataFrame, parents: list[str], track: str, spot: str | None, where: str
) -> tuple[str | None, str | None]:
    parent_track = parent_spot = None
    for name in parents:
        if not values[name].notna().any():
            continue
        of_spots = spot is not None and _refers(values[name], values[spot])
        # Only some rows of a track may state its parent, but first spots have no parent while the others have one.
        counts = values.groupby(track)[name].nunique(dropna=not of_spots)
        one_each = (counts <= 1).all()
        if one_each and (not of_spots or _refers(values[name], values[track])) and parent_track is None:
            parent_track = name
        elif of_spots and parent_spot is None:
            parent_spot = name
        elif not one_each and not of_spots:
            raise InputError(
                f"{where} gives track {counts.index[counts > 1][0]} two parents in the column {name}, but a track "
                "has one or none, and the column does not refer to spots of the file either."
            )
    return parent_track, parent_spot


def stated_parents(values: pd.DataFrame, key: Identity) -> pd.Series:
    """Return the parent of each track according to the column of parent tracks; NaN if no row states it."""
    return values.groupby(key.track, sort=False)[key.parent_track].first()


def spot_edges(values: pd.DataFrame, spot: str, parent: str) -> np.ndarray:
    """Return pairs of rows, int64 (edges, 2): the preceding spot, and the spot."""
    known = pd.Index(values[spot])
    before = known.get_indexer(values[parent])
    after = np.flatnonzero((before >= 0) & values[parent].notna().to_numpy())
    return np.column_stack([before[after], after])


def parents_by_spot(values: pd.DataFrame, key: Identity, where: str) -> pd.Series:
    """Derive the parent of each row's track (a value of the track column, NaN for none) from the parents of spots.

    Raises
    ------
    InputError
        If a track has spots of two tracks as parents, or the column of parent tracks disagrees.
    """
    assert key.track is not None
    assert key.spot is not None
    assert key.parent_spot is not None
    edges = spot_edges(values, key.spot, key.parent_spot)
    tracks = values[key.track].to_numpy()
    across = edges[tracks[edges[:, 0]] != tracks[edges[:, 1]]]
    pairs = pd.DataFrame({"track": tracks[across[:, 1]], "parent": tracks[across[:, 0]]}).drop_duplicates()
    if pairs["track"].duplicated().any():
        twice = pairs.loc[pairs["track"].duplicated(), "track"].iloc[0]
        raise InputError(
            f"{where} gives track {twice} spots of two other tracks as parents ({key.parent_spot}), but a track "
            "has one parent or none."
        )
    by_track = pairs.set_index("track")["parent"]
    if key.parent_track is not None:
        both = stated_parents(values, key).reindex(by_track.index)
        stated_somewhere = both.isin(values[key.track])
        if (wrong := stated_somewhere & (both != by_track)).any():
            raise InputError(
                f"{where} names two parents of track {wrong.index[wrong][0]}: {both[wrong].iloc[0]} in the column "
                f"{key.parent_track}, {by_track[wrong].iloc[0]} by {key.parent_spot}; remove the wrong column."
            )
    return values[key.track].map(by_track)


def track_numbers(column: pd.Series) -> np.ndarray:
    """Return track ids as int64 (n,), with the file's own numbers if it has them, even in text ("Track_3").

    -1 means none (empty, or negative as some programs write it).
    """
    if column.dtype.kind in "iu" and column.max() <= _LARGEST:
        whole: np.ndarray = np.maximum(column.to_numpy(np.int64), -1)
        return whole
    if column.dtype.kind == "f":
        numbers = column.to_numpy(np.float64)
        return np.where(np.isfinite(numbers) & (numbers >= 0), numbers, -1).astype(np.int64)
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    codes, names = pd.factorize(text, sort=False)
    matches = [re.fullmatch(r"(\D*)(\d{1,15})\D*", name) for name in names]
    filled = [m for m, name in zip(matches, names, strict=True) if name]
    numbers_of = [int(m[2]) for m in filled if m]
    if all(filled) and len({m[1] for m in filled if m}) <= 1 and len(set(numbers_of)) == len(numbers_of):
        each = np.array([int(m[2]) if m else -1 for m in matches], np.int64)
    else:
        each = np.cumsum([bool(name) for name in names]).astype(np.int64)
        each[[not name for name in names]] = -1
    result: np.ndarray = each[codes]
    return result


def as_text(column: pd.Series) -> np.ndarray:
    """Return ids as text, object (n,): "" for none, and whole numbers without a decimal point."""
    # An id occurs in many rows, so each value is converted once.
    codes, values = pd.factorize(column)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_integer_dtype(column):
        each = [_number_text(float(value)) for value in values]
    else:
        each = [str(value).strip() for value in values]
    texts: np.ndarray = np.array([*each, ""], dtype=object)[codes]  # code -1 means a missing value
    return texts


def _number_text(value: float) -> str:
    if not np.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() else repr(value)


def _may_number(column: pd.Series) -> bool:
    """Return whether a column may number tracks: integers or text, and not mostly empty."""
    if pd.api.types.is_bool_dtype(column) or 2 * column.notna().sum() < len(column):
        return False
    if not pd.api.types.is_numeric_dtype(column):
        return True
    present = column.dropna().to_numpy(np.float64)
    return bool(np.isfinite(present).all() and (present == np.floor(present)).all())


def _numbers_rows(column: pd.Series) -> bool:
    return bool(_may_number(column) and column.notna().all() and column.is_unique)


def _grade(column: pd.Series, frames: np.ndarray) -> str:
    """Grade ids: "linked" over time, "twice" if an id repeats within a frame, "single" if each occurs once."""
    rows = pd.DataFrame({"id": column.to_numpy(), "t": frames})[column.notna().to_numpy()]
    if pd.api.types.is_numeric_dtype(rows["id"]):
        rows = rows[rows["id"] >= 0]
    if len(rows) == 0 or rows["id"].is_unique:
        return "single"
    return "twice" if rows.duplicated().any() else "linked"


def _follows(column: pd.Series, frames: np.ndarray, edges: np.ndarray) -> bool:
    """Return whether an id changes from a spot (edges[:, 0]) to the next (edges[:, 1]) only where an id begins."""
    ids = column.to_numpy()
    begins = pd.Series(frames).groupby(ids).transform("min").to_numpy() == frames
    before, after = edges.T
    return bool(((ids[before] == ids[after]) | begins[after]).all())


def _refers(column: pd.Series, ids: pd.Series) -> bool:
    """Return whether all values of a column, except "none", are among the ids."""
    present = column.dropna()
    if pd.api.types.is_numeric_dtype(present):
        present = present[present > 0] if not (ids == 0).any() else present[present >= 0]
    return bool(len(present) and present.isin(ids).mean() > 0.5)
