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
from morpholaw.cells.track_validation import TracksWarning, clip_tracks, validate_tracks, with_family
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
    return with_family(kept, related)


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
