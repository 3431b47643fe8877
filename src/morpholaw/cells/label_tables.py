"""Tables of classes, matched to crops by all keys that they contain: crop, file, spot, mask, track and frame.

A key that refers to no crop, or to two, is not used. If two keys refer to different crops in the same row, the table is
rejected: it belongs to other cells, or its ids mean something else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.class_spelling import one_spelling
from morpholaw.cells.reader_process import read_apart
from morpholaw.cells.rows_of_movie import rows_of_movie
from morpholaw.cells.text_table import read_text_table
from morpholaw.cells.track_formats.classes import class_column, class_names, has_btrack_states
from morpholaw.cells.track_formats.column_names import (
    CLASS,
    FRAME,
    MASK,
    ONE_BASED_FRAME,
    SPOT,
    STEP,
    TIME,
    TIME_IN_UNIT,
    TRACK,
    WEAK_TRACK,
    by_key,
    key_of,
    named,
)
from morpholaw.cells.track_formats.identity import as_text
from morpholaw.display import capitalised
from morpholaw.errors import InputError

_FAR = 5.0
"""Distance in pixels beyond which a cell and its position in a table do not match."""
_ENOUGH = 3
_PIXELS = 0.05
"""Relative difference from 1 below which a scale means that positions are in pixels."""
_SAME_PLACE = 0.5
"""Distance in pixels below which positions in two tables are equal up to rounding."""


@dataclass(frozen=True)
class LabelTable:
    """Classes from a table, one per labelled row.

    Attributes
    ----------
    crops : ndarray of int64, shape (n,)
        Rows of the table of cells.
    classes : ndarray of object, shape (n,)
        Classes of these cells.
    notes : list of str
        How the table was understood, if that is not obvious.
    """

    crops: np.ndarray
    classes: np.ndarray
    notes: list[str]


@dataclass(frozen=True)
class _Key:
    """Columns of the label table, and the columns of the cells that they may refer to."""

    columns: tuple[str, ...]
    cells: tuple[str, ...]
    certain: bool
    """Whether the names are those that Morpholaw writes, which must match."""
    from_one: bool = False
    """Whether the last column counts frames from 1."""

    @property
    def text(self) -> str:
        return " and ".join(self.columns)


def open_label_table(
    path: str | os.PathLike[str], cells: pd.DataFrame, set_name: str, known: Sequence[str] = ()
) -> LabelTable:
    """Do the same as :func:`read_label_table` in a separate process, for tables from others."""
    return read_apart(partial(read_label_table, path, cells, set_name, tuple(known)), path)


def read_label_table(
    path: str | os.PathLike[str], cells: pd.DataFrame, set_name: str, known: Sequence[str] = ()
) -> LabelTable:
    """Read classes for the crops of a set.

    Parameters
    ----------
    path : path
        Text table with a column of classes (class, phase, state, label, ...) and columns that identify the crop:
        ``crop``, ``file``, the id of the spot or mask, or a track with a frame.
    cells : DataFrame
        Table of the set's cells, existing or planned.
    set_name : str
        Name of the set, for messages and for tables with a column ``set``.
    known : sequence of str
        Classes of the study, whose spelling is used: "Metaphase" becomes "metaphase".

    Returns
    -------
    LabelTable

    Raises
    ------
    InputError
        If a column is missing, a row refers to a crop that does not exist, a key is ambiguous, or two keys contradict
        each other.
    """
    path = Path(path)
    table = read_text_table(path)
    values = table.values
    notes: list[str] = []
    line = table.lines
    keys = by_key(values.columns)
    if len(values) == 0:
        raise InputError(f"{path} has column names but no rows.")
    tracks = next((name for name in named(values, TRACK)), None)
    label = class_column(values, tracks, notes, str(path))
    if label is None:  # a table in which nothing has been labelled yet
        label = next((name for name in named(values, CLASS) if values[name].isna().all()), None)
    if "set" in keys:
        inside = values[keys["set"][0]].astype(str) == set_name
        if not inside.any():
            sets = ", ".join(map(str, values[keys["set"][0]].dropna().unique()[:5]))
            raise InputError(
                f"{path} has no rows for the crop set {set_name}; its column set contains {sets}."
            )
        values, line = values[inside].reset_index(drop=True), line[inside.to_numpy()]
    values, line = rows_of_movie(values, line, set_name, path, notes)
    candidates = _keys(values, label, set(cells.columns))
    if label is None or not candidates:
        raise InputError(
            f"{path} has the columns {', '.join(map(str, table.values.columns[:12]))}; expected a class (label) "
            "and one of crop, file, the id of the spot, or track_id with t."
            + "".join(f" {capitalised(note.removeprefix(f'{path}: '))}" for note in notes)
        )
    classes = class_names(values[label], has_btrack_states(values, label))
    classes = one_spelling(classes, known, str(path), notes)
    labelled = np.flatnonzero(classes != "")
    values, line, classes = values.iloc[labelled].reset_index(drop=True), line[labelled], classes[labelled]
    if len(values) == 0:
        return LabelTable(np.zeros(0, np.int64), classes, notes)
    crops = _match(values, cells, candidates, line, path, set_name)
    _check_places(values, cells, crops, path, set_name)
    labels = pd.DataFrame({"crop": crops, "class": classes, "line": line})
    twice = labels.drop_duplicates(["crop", "class"]).duplicated("crop")
    if twice.any():
        at = labels.loc[twice[twice].index[0]]
        raise InputError(
            f"Line {at['line']} of {path} gives crop {at['crop']} the class {at['class']!r}, but another line gives it "
            "another class; keep one of them."
        )
    return LabelTable(crops, classes, notes)


def _keys(values: pd.DataFrame, label: str | None, cells: set[str]) -> list[_Key]:
    """Return the keys by which a table may identify crops, the most reliable first."""
    columns = [name for name in values.columns if name != label]
    exact = {str(name).strip().lower(): name for name in columns}
    keys: list[_Key] = []
    for name in ("crop", "file", "source_id"):
        if name in exact and name in cells:
            keys.append(_Key((exact[name],), (name,), certain=True))
    times = [name for name in named(columns, (*FRAME, *TIME, "sourcet")) if _is_whole(values[name])]
    frames_only = [name for name in times if key_of(name) not in TIME_IN_UNIT]
    times = frames_only or [name for name in named(columns, STEP) if _is_whole(values[name])] or times
    one_based = [name for name in named(columns, ONE_BASED_FRAME) if _is_whole(values[name])]
    tracks = [name for name in named(columns, (*TRACK, *WEAK_TRACK)) if key_of(name) != "crop"]
    spots = [name for name in named(columns, SPOT) if key_of(name) != "sourceid"]
    if "source_id" in cells:
        keys += [_Key((name,), ("source_id",), certain=False) for name in dict.fromkeys(spots)]
    for time in [*times, *([] if times else one_based)]:
        from_one = time in one_based and values[time].min() > 0
        frames = ("source_t",) if key_of(time) == "sourcet" else ("t",) if from_one else ("t", "source_t")
        for track in dict.fromkeys(tracks):
            ids = ("source_track",) if key_of(track) == "sourcetrack" else ("track_id", "source_track")
            for pair in ((i, t) for i in ids for t in frames if {i, t} <= cells):
                certain = (track, time) == ("track_id", "t") and pair == ("track_id", "t") and "crop" in exact
                keys.append(_Key((track, time), pair, certain, from_one))
        masks = named(columns, MASK)
        keys += [
            _Key((name, time), ("mask_id", t), certain=False, from_one=from_one)
            for name in dict.fromkeys(masks)
            for t in frames
            if {"mask_id", t} <= cells
        ]
    return keys


def _match(
    values: pd.DataFrame, cells: pd.DataFrame, keys: list[_Key], line: np.ndarray, path: Path, set_name: str
) -> np.ndarray:
    """Return the crop of each row."""
    results = [(key, *_look_up(values, cells, key)) for key in keys]
    for key, crops, _ in results:
        if key.certain and len(key.columns) == 1 and (crops < 0).any() and _filled(values, key):
            raise _unknown(values, key, crops, line, path, set_name)
    whole = [(key, crops) for key, crops, _ in results if (crops >= 0).all()]
    if not whole:
        key, crops, ambiguous = min(results, key=lambda result: (int((result[1] < 0).sum()), not result[2]))
        if ambiguous:
            raise InputError(
                f"{path} identifies cells by {key.text}, but {set_name} has several with the same {key.text} "
                f"({ambiguous}); identify them by crop, or by the spot's own id (source_id)."
            )
        error = _unknown(values, key, crops, line, path, set_name)
        if len(key.columns) > 1 and (_look_up(values, cells, replace(key, from_one=True))[0] >= 0).all():
            raise InputError(
                f"{error} Its {key.columns[-1]} seems to count from 1; number the frames from 0."
            )
        raise error
    for key, crops, ambiguous in results:  # Morpholaw's own names must not contradict the rest
        if (
            key.certain
            and not ambiguous
            and (crops < 0).any()
            and len(key.columns) > 1
            and _filled(values, key)
        ):
            raise _unknown(values, key, crops, line, path, set_name)
    first, chosen = whole[0]
    for key, crops in whole[1:]:
        if (differs := crops != chosen).any():
            at = int(np.flatnonzero(differs)[0])
            ours = " and ".join(first.cells), " and ".join(key.cells)
            same = f"{first.text} as {ours[0]} or as {ours[1]}" if first.columns == key.columns else ""
            raise InputError(
                f"Line {line[at]} of {path} refers to crop {chosen[at]} of {set_name} by "
                + (
                    f"{first.text} but to crop {crops[at]} by {key.text}. The table belongs to other cells, or a "
                    "column has the wrong name; remove the wrong column."
                    if not same
                    else f"{same}, which is crop {crops[at]}: name the columns {ours[0].replace(' and ', ', ')} or "
                    f"{ours[1].replace(' and ', ', ')}, or give the crop."
                )
            )
    return chosen


def _look_up(values: pd.DataFrame, cells: pd.DataFrame, key: _Key) -> tuple[np.ndarray, str]:
    """Return the crop of each row by one key, -1 for none or several, and the first ambiguous key."""
    names = _joined([cells[name] for name in key.cells])
    columns = [values[name] for name in key.columns]
    if key.from_one:
        columns[-1] = columns[-1] - 1
    wanted = _joined(columns)
    known = pd.Series(np.arange(len(cells)), index=names)
    known = known[(names != "") & ~pd.Index(names).str.contains("\0\0|^\0|\0$", regex=True)]
    twice = known.index.duplicated(keep=False)
    ambiguous = wanted[np.isin(wanted, known.index[twice].unique())]
    crops = known[~twice].reindex(wanted).fillna(-1).to_numpy(np.int64)
    return crops, ambiguous[0].replace("\0", ", ") if len(ambiguous) else ""


def _joined(columns: list[pd.Series]) -> np.ndarray:
    texts = [as_text(column) for column in columns]
    return (
        texts[0]
        if len(texts) == 1
        else np.array(["\0".join(row) for row in zip(*texts, strict=True)], object)
    )


def _unknown(
    values: pd.DataFrame, key: _Key, crops: np.ndarray, line: np.ndarray, path: Path, set_name: str
) -> InputError:
    at = int(np.flatnonzero(crops < 0)[0])
    empty = [name for name in key.columns if as_text(values[name].iloc[[at]])[0] == ""]
    if empty:
        return InputError(
            f"Line {line[at]} of {path} has no {' and '.join(empty)}, as where cells of a spreadsheet were merged; "
            "give it in every row that has a class."
        )
    row = ", ".join(f"{name} {as_text(values[name].iloc[[at]])[0]}" for name in key.columns)
    return InputError(f"Line {line[at]} of {path} refers to {row}, which {set_name} does not have.")


def _filled(values: pd.DataFrame, key: _Key) -> bool:
    """Return whether the columns of a key have a value in every row."""
    return all((as_text(values[name]) != "").all() for name in key.columns)


def _check_places(
    values: pd.DataFrame, cells: pd.DataFrame, crops: np.ndarray, path: Path, set_name: str
) -> None:
    """Reject a table whose positions are those of other cells."""
    exact = {str(name).strip().lower(): name for name in values.columns}
    if not {"y", "x"} <= exact.keys() or len(crops) < _ENOUGH:
        return
    columns = [
        pd.to_numeric(values[exact[name]], errors="coerce").to_numpy(np.float64) for name in ("y", "x")
    ]
    stated = np.stack(columns)
    ours = cells[["y", "x"]].to_numpy(np.float64)[crops].T
    known = np.isfinite(stated).all(axis=0) & np.isfinite(ours).all(axis=0)
    stated, ours = stated[:, known], ours[:, known]
    if stated.shape[1] < _ENOUGH or not (norm := float((stated**2).sum())):
        return
    scale = float((stated * ours).sum()) / norm  # positions may be in micrometres as well as in pixels
    scale = 1.0 if abs(scale - 1) < _PIXELS else scale
    distance = float(np.median(np.hypot(*(scale * stated - ours))))
    if distance > _FAR:
        raise InputError(
            f"The positions in {path} are {distance:.0f} pixels away from the cells of {set_name} with the same ids. "
            "The table belongs to other cells, or its ids mean something else."
        )
    stated *= scale
    chosen = cells.iloc[crops[known]]
    for shift, when in ((-1, "before"), (1, "after")):
        there = _distance_in_frame(cells, chosen, stated, shift)
        if there is not None and there < _SAME_PLACE < distance / 2:
            raise InputError(
                f"The positions in {path} are those of the cells in the frame {when} the stated one in {set_name}; "
                "number the frames from 0, as in the crop set."
            )


def _distance_in_frame(
    cells: pd.DataFrame, chosen: pd.DataFrame, stated: np.ndarray, shift: int
) -> float | None:
    """Return the median distance of positions (2, n) from the chosen tracks, ``shift`` frames before or after.

    Return None if too few of them have such a frame.
    """
    places = cells.drop_duplicates(["track_id", "t"]).set_index(["track_id", "t"])[["y", "x"]]
    wanted = pd.MultiIndex.from_arrays([chosen["track_id"], chosen["t"] + shift])
    there = places.reindex(wanted).to_numpy(np.float64).T
    distance = np.hypot(*(stated - there))
    distance = distance[np.isfinite(distance)]
    return float(np.median(distance)) if len(distance) >= max(_ENOUGH, 0.5 * stated.shape[1]) else None


def _is_whole(column: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(column):
        return False
    present = column.dropna().to_numpy(np.float64)
    return bool((present == np.floor(present)).all())
