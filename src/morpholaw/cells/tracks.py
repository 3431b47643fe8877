"""Tracks of cells as a table, from any program.

A track table has the columns ``track_id``, ``t`` (int64), ``y``, ``x`` (float64, in pixels; 0 is the centre of the
first row or column) and ``parent`` (int64, -1 for none), and optionally ``label`` (str, "" for none), ``dummy``
(bool, whether the position was interpolated by the tracker) and ``family`` (int64, equal for related tracks; only if
some are related in ways that ``parent`` does not state, such as by a merge). It is sorted by track and time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.exchanged_ids import exchange_note
from morpholaw.cells.families import families
from morpholaw.cells.frozen_tracks import frozen_note
from morpholaw.cells.shared_places import without_shared_places
from morpholaw.cells.track_checks import axes_seem_exchanged, check_links, outside_image
from morpholaw.cells.track_formats.facts import Ids, TrackContext, TrackFacts, Tracks
from morpholaw.cells.track_formats.frames import place_frames
from morpholaw.cells.track_formats.read import read_raw_tracks
from morpholaw.display import counted
from morpholaw.errors import InputError

__all__ = [
    "TrackFacts",
    "Tracks",
    "TracksWarning",
    "clip_tracks",
    "divisions",
    "open_tracks",
    "read_tracks",
    "validate_tracks",
]


class TracksWarning(UserWarning):
    """Tracks that were left out, or an automatic decision, in one sentence."""


_COLUMNS = ["track_id", "t", "y", "x", "parent"]
_OUTSIDE = 0.02
"""Share of positions that may be outside the image without a suspicion that x and y are exchanged."""


def read_tracks(
    source: Any,
    movie_shape: tuple[int, int, int] | None = None,
    pixel_size: float | None = None,
    ids_per_frame: bool = False,
) -> pd.DataFrame:
    """Read tracks as a table; the same as :func:`open_tracks` without the facts.

    Parameters
    ----------
    source : path or array
        A CTC folder (man_track.txt or res_track.txt with masks), btrack HDF5, TrackMate XML, GEFF, a table of
        tracks (CSV), or a label stack (TIFF, zarr, folder of masks, or an array (t, y, x) of integers).
    movie_shape : tuple of int, optional
        (t, y, x) of the movie; tracks outside it are left out with a warning.
    pixel_size : float, optional
        Micrometres per pixel, needed if positions are in micrometres and the file does not state it.
    ids_per_frame : bool
        For masks: ids start again in every frame, so every mask is a separate track.

    Returns
    -------
    pandas.DataFrame
        A valid track table; see :mod:`morpholaw.cells.tracks`.

    Warns
    -----
    TracksWarning
        If rows were left out or decisions were made.

    Raises
    ------
    InputError
        If the file is missing, damaged or of an unknown format, or its tracks are invalid or contradict the movie.
    """
    tracks = open_tracks(
        source,
        movie_shape=movie_shape,
        pixel_size=pixel_size,
        ids="per-frame" if ids_per_frame else "auto",
    )
    table, notes = tracks.table, tracks.facts.notes
    if movie_shape is not None:
        _check_axes(table, movie_shape, _where(source))
        table, sentences = clip_tracks(table, movie_shape, _where(source))
        notes = [*notes, *sentences]
    for sentence in notes:
        warnings.warn(sentence, TracksWarning, stacklevel=2)
    return table


def open_tracks(
    source: Any,
    *,
    movie_shape: tuple[int, int, int] | None = None,
    movie_frames: Sequence[int] | None = None,
    pixel_size: float | None = None,
    ids: Ids = "auto",
    frame_offset: int | None = None,
    frame_interval: float | None = None,
    movie_interval: float | None = None,
    swap_xy: bool = False,
) -> Tracks:
    """Read tracks together with facts from their file, without leaving out tracks outside the movie.

    Parameters
    ----------
    source : path, array or DataFrame
        As for :func:`read_tracks`, or a table of tracks.
    movie_shape : tuple of int, optional
        (t, y, x) of the movie; contradicting frames and positions are rejected.
    movie_frames : sequence of int, optional
        Numbers in the names of the movie's files, one per frame, to match tracks whose frames are file numbers.
    pixel_size : float, optional
        Micrometres per pixel of the movie.
    ids : {"auto", "tracks", "per-frame", "linked", "laptrack"}
        Meaning of the ids in the file: decided from the content; ids of tracks; ids of single frames, so that each cell
        is a separate track; for masks also: not used, with masks linked by overlap or with LapTrack.
    frame_offset : int, optional
        Number added to the file's frame numbers to get the movie's, which count from 0; 0 means that they match.
    frame_interval : float, optional
        Seconds between frames, for files with times; in the file's unit of time if that is unknown.
    movie_interval : float, optional
        Seconds between frames according to the movie's header, used only if the times alone are ambiguous.
    swap_xy : bool
        Whether to exchange x and y.

    Returns
    -------
    Tracks
        A valid table, and facts about it.

    Raises
    ------
    InputError
        If the file is missing, damaged or of an unknown format, or its tracks are invalid or contradict the movie.
    """
    where = _where(source)
    context = TrackContext(
        movie_shape=movie_shape,
        movie_frames=None if movie_frames is None else tuple(int(n) for n in movie_frames),
        pixel_size=pixel_size,
        ids=ids,
        frame_interval=frame_interval,
        movie_interval=movie_interval,
    )
    raw, facts = read_raw_tracks(source, context).parts
    notes = list(facts.notes)
    if swap_xy:
        raw = raw.rename(columns={"y": "x", "x": "y"})
    table = validate_tracks(raw, where, notes)
    stored = table["t"].to_numpy()
    t = stored + (frame_offset or 0)
    if frame_offset is None:
        t = place_frames(stored, facts, where, context, notes)
    if not np.array_equal(t, stored):
        table = _moved(table.assign(t=t, source_t=stored), where)
    table = without_shared_places(table, where, notes)
    linked = check_links(table, ids, facts.format, where)
    oddities = exchange_note(table, where, masks=facts.format == "label stack"), frozen_note(table, where)
    notes += [note for note in oddities if note]
    facts = replace(
        facts,
        frames=(int(table["t"].min()), int(table["t"].max())),
        linked=linked and facts.linked,
        notes=notes,
        sources={name: source for name, source in facts.sources.items() if getattr(facts, name) is not None},
    )
    return Tracks(table, facts)


def _check_axes(table: pd.DataFrame, movie_shape: tuple[int, int, int], where: str) -> None:
    """Reject positions that are outside the movie but would be inside it with x and y exchanged."""
    y, x = table["y"].to_numpy(), table["x"].to_numpy()
    height, width = movie_shape[1:]
    outside = outside_image(y, x, height, width)
    if outside > max(2, _OUTSIDE * len(table)) and axes_seem_exchanged(y, x, height, width):
        raise InputError(
            f"{where} has {outside} of {len(table)} positions outside the {height} x {width} image, but not with x "
            "and y exchanged; exchange the two columns."
        )


def _where(source: Any) -> str:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return "The track table" if isinstance(source, pd.DataFrame) else "The label stack"


def _moved(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Drop the rows for which the movie has no frame."""
    kept = table[table["t"] >= 0].reset_index(drop=True)
    if len(kept) == 0:
        raise InputError(f"{where} has no cell in a frame of the movie; give another --frame-offset.")
    related = families(table)
    kept.loc[~kept["parent"].isin(kept["track_id"]), "parent"] = -1
    return _with_family(kept, related)


def _with_family(table: pd.DataFrame, related: pd.Series) -> pd.DataFrame:
    """Return a table with the column ``family`` (see :func:`families`) if its parents do not state all relations."""
    table = table.drop(columns="family", errors="ignore")
    stated = families(table)
    wanted = related.reindex(stated.index)
    if len(set(zip(stated, wanted, strict=True))) == stated.nunique() == wanted.nunique():
        return table
    return table.assign(family=table["track_id"].map(wanted).to_numpy(np.int64))


def validate_tracks(
    tracks: pd.DataFrame, where: str = "The track table", notes: list[str] | None = None
) -> pd.DataFrame:
    """Return a track table with the right columns, types and order.

    Parents that are not in the table become -1, with a sentence in ``notes`` or else a :class:`TracksWarning`; the
    column ``family`` then states which tracks have the same one. Other columns are kept.

    Parameters
    ----------
    tracks : DataFrame
        Table to validate.
    where : str
        Name of the table in messages.
    notes : list of str, optional
        List to which sentences are added in place of warnings.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        If a column is missing, there are no rows, a position is not finite, an id or frame is negative or not an
        integer, or a track occurs twice in one frame, has two parents, or is its own ancestor.
    """
    if missing := [name for name in _COLUMNS[:4] if name not in tracks.columns]:
        raise InputError(f"{where} has no column {', '.join(missing)}; expected track_id, t, y and x.")
    if not tracks.columns.is_unique:
        twice = ", ".join(map(str, tracks.columns[tracks.columns.duplicated()].unique()))
        raise InputError(f"{where} has more than one column {twice}; expected each once.")
    if len(tracks) == 0:
        raise InputError(f"{where} has no tracks.")
    table = tracks.reset_index(drop=True).copy()
    for name in ("track_id", "t"):
        table[name] = _whole(table[name], name, where)
    for name in ("y", "x"):
        table[name] = _numbers(table[name], name, where)
    table["parent"] = (
        _whole(table["parent"], "parent", where, lowest=-1) if "parent" in table else np.int64(-1)
    )
    if "label" in table:
        table["label"] = table["label"].astype(object).where(table["label"].notna(), "").astype(str)
    if "dummy" in table:
        table["dummy"] = table["dummy"].astype(bool)
    for name in ("source_track", "source_id"):
        if name in table:
            table[name] = table[name].astype(object).where(table[name].notna(), "").astype(str)
    table = table.sort_values(["track_id", "t"], kind="stable", ignore_index=True)
    twice = table.duplicated(["track_id", "t"])
    if twice.any():
        first = table[twice].iloc[0]
        raise InputError(
            f"{where} has track {int(first.track_id)} twice in frame {int(first.t)} "
            f"({counted(int(twice.sum()), 'row')}): daughters need other ids than their mother, and a table may "
            "contain only one movie."
        )
    related = families(table)
    sentences: list[str] = []
    table = _with_family(_check_parents(table, where, sentences), related)
    for sentence in sentences if notes is None else []:
        warnings.warn(sentence, TracksWarning, stacklevel=2)
    if notes is not None:
        notes += sentences
    return table[[*_COLUMNS, *(name for name in table.columns if name not in _COLUMNS)]]


def clip_tracks(
    tracks: pd.DataFrame, movie_shape: tuple[int, int, int], where: str = "The track table"
) -> tuple[pd.DataFrame, list[str]]:
    """Drop the rows of a track table that are outside the movie.

    Parameters
    ----------
    tracks : DataFrame
        A valid track table.
    movie_shape : tuple of int
        (t, y, x) of the movie.
    where : str
        Name of the table in messages.

    Returns
    -------
    tracks : DataFrame
        Rows inside the movie; a parent without remaining rows becomes -1.
    notes : list of str
        One sentence per kind of row that was dropped.

    Raises
    ------
    InputError
        If no row is inside.
    """
    frames, height, width = movie_shape
    late = (tracks["t"] >= frames).to_numpy()
    inside = (
        tracks["y"].between(-0.5, height - 0.5, inclusive="left")
        & tracks["x"].between(-0.5, width - 0.5, inclusive="left")
    ).to_numpy()
    kept = ~late & inside
    if not kept.any():
        raise InputError(
            f"{where} has no position inside the movie ({frames} frames of {height} x {width} pixels): it "
            f"spans frames {tracks.t.min()} to {tracks.t.max()}, y {tracks.y.min():.0f} to "
            f"{tracks.y.max():.0f} and x {tracks.x.min():.0f} to {tracks.x.max():.0f}; is it of another "
            "movie, or in micrometres?"
        )
    sentences = []
    if late.any():
        sentences.append(
            f"{where}: {late.sum()} of {len(tracks)} positions are after the movie's last frame "
            f"({frames - 1}) and were left out."
        )
    if (outside := ~late & ~inside).any():
        sentences.append(
            f"{where}: {outside.sum()} of {len(tracks)} positions are outside the {height} x {width} image "
            "and were left out."
        )
    clipped = tracks[kept].reset_index(drop=True)
    clipped.loc[~clipped["parent"].isin(clipped["track_id"]), "parent"] = -1
    return clipped, sentences


def divisions(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return the cell divisions in a valid track table.

    Parameters
    ----------
    tracks : DataFrame
        A valid track table.

    Returns
    -------
    DataFrame
        ``parent`` (int64), ``daughters`` (tuple of at least two track ids) and ``t`` (int64), the first frame with a
        daughter; sorted by t. A parent with one child is a bridged gap and not a division.
    """
    starts = tracks.groupby("track_id").agg(t=("t", "min"), parent=("parent", "first")).reset_index()
    families = starts[starts["parent"] >= 0].groupby("parent")
    rows = [(parent, tuple(f["track_id"].tolist()), f["t"].min()) for parent, f in families if len(f) > 1]
    parents, daughters, t = zip(*rows, strict=True) if rows else ((), (), ())
    table = pd.DataFrame(
        {
            "parent": np.array(parents, np.int64),
            "daughters": pd.Series(daughters, dtype=object),
            "t": np.array(t, np.int64),
        }
    )
    return table.sort_values(["t", "parent"], ignore_index=True)


def _check_parents(table: pd.DataFrame, where: str, notes: list[str]) -> pd.DataFrame:
    parents = table.groupby("track_id")["parent"].agg(["min", "max"])
    if (mixed := parents["min"] != parents["max"]).any():
        raise InputError(
            f"{where} gives track {parents.index[mixed][0]} two parents, but a track has one or none."
        )
    table.loc[
        table["parent"] == table["track_id"], "parent"
    ] = -1  # as btrack and some CTC files write "none"
    unknown = (table["parent"] >= 0) & ~table["parent"].isin(parents.index)
    if unknown.any():
        count = table.loc[unknown, "track_id"].nunique()
        notes.append(
            f"{where}: {counted(count, 'track has', 'tracks have')} a parent that is not in the table; it is left out."
        )
        table.loc[unknown, "parent"] = -1
    begin = table.groupby("track_id")["t"].min()
    early = table["parent"].map(begin) > table["track_id"].map(begin)
    _check_ancestry(dict(zip(table["track_id"], table["parent"], strict=True)), where)
    if early.any():
        count = table.loc[early, "track_id"].nunique()
        notes.append(
            f"{where}: the parents of {counted(count, 'track')} begin after the track itself and are left out."
        )
        table.loc[early, "parent"] = -1
    return table


def _check_ancestry(parent_of: dict[int, int], where: str) -> None:
    """Reject a track that is its own ancestor."""
    settled: set[int] = {-1}
    for track in parent_of:
        path: list[int] = []
        seen: set[int] = set()
        while track not in settled:
            if track in seen:
                loop = [str(step) for step in path[path.index(track) :]]
                names = " -> ".join([*loop[:5], "..." if len(loop) > 5 else loop[0]])
                raise InputError(f"{where} has tracks that are their own ancestors ({names}).")
            seen.add(track)
            path.append(track)
            track = parent_of[track]
        settled.update(path)


def _numbers(column: pd.Series, name: str, where: str) -> np.ndarray:
    numbers: np.ndarray = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        value = column.iloc[first]
        shown = "nothing" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value)
        raise InputError(
            f"{where} has a column {name} with {counted(bad.sum(), 'value that is', 'values that are')} not a finite "
            f"number, the first ({shown}) in row {first}."
        )
    return numbers


def _whole(column: pd.Series, name: str, where: str, lowest: int = 0) -> np.ndarray:
    numbers = column.to_numpy() if column.dtype.kind in "iu" else _numbers(column, name, where)
    bad = (numbers < lowest) | (numbers != np.floor(numbers)) | (numbers > 2**62)
    if bad.any():
        first = numbers[bad][0]
        raise InputError(
            f"{where} has a column {name} with {counted(bad.sum(), 'value that is', 'values that are')} not a whole "
            f"number of {lowest} or more, the first {first:g}."
        )
    return numbers.astype(np.int64)
