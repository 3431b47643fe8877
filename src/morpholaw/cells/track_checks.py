"""Checks that tracks are tracks: cells are linked over time, ids stay with their cell, x and y are not exchanged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.facts import Ids
from morpholaw.cells.tracked_places import evenly
from morpholaw.errors import InputError

_ENOUGH = 5
"""Tracks from which on their lengths tell anything."""
_SINGLE = 0.9
"""Share of tracks of one frame from which on cells are not linked."""
_LINKS = 50
_FOLLOW = 0.25
"""Share of ids that go to the nearest cell of the next frame below which ids do not follow cells."""
_FRAMES = 12
_CELLS = 64
"""Cells of a frame that are followed into the next."""


def check_links(table: pd.DataFrame, ids: Ids, format_name: str, where: str) -> bool:
    """Whether cells are linked over time; refuse tracks that are none.

    Parameters
    ----------
    table : DataFrame
        A valid track table.
    ids : {"auto", "tracks", "per-frame", "linked", "laptrack"}
        What the person says that ids mean; anything but "auto" is taken at its word.

    Raises
    ------
    InputError
        Almost every track has one frame, or ids do not stay with their cell.
    """
    lengths = np.unique(table["track_id"].to_numpy(), return_counts=True)[1]
    single = int((lengths == 1).sum())
    linked = table["t"].nunique() == 1 or len(lengths) < _ENOUGH or single <= _SINGLE * len(lengths)
    if ids != "auto" or format_name == "label stack":
        return linked
    if not linked:
        raise InputError(
            f"{where} has {len(lengths)} tracks, of which {single} have one frame only: its cells are not linked over "
            "time, and a split into training and test would have the same cell on both sides. Give tracks that follow "
            "cells (a column track_id), or --ids per-frame (ids='per-frame') to take each cell by itself."
        )
    follow = _share_that_follows(table)
    if follow is not None and follow < _FOLLOW:
        raise InputError(
            f"{where} has ids that do not follow cells: only {follow:.0%} of them are at the nearest cell of the next "
            "frame, as if they were numbered again in each frame. Link the cells first, or give --ids per-frame "
            "(ids='per-frame') to take each cell by itself, or --ids tracks where they are tracks all the same."
        )
    return True


def check_axes(table: pd.DataFrame, movie_shape: tuple[int, int, int] | None, where: str) -> None:
    """Refuse positions that leave the movie as they are, and lie within it with x and y exchanged.

    Raises
    ------
    InputError
        x and y seem to be exchanged.
    """
    if movie_shape is None:
        return
    height, width = movie_shape[1:]
    y, x = table["y"].to_numpy(), table["x"].to_numpy()

    def outside(y: np.ndarray, x: np.ndarray) -> int:
        return int(((y < -0.5) | (y >= height - 0.5) | (x < -0.5) | (x >= width - 0.5)).sum())

    as_given, exchanged = outside(y, x), outside(x, y)
    if as_given > max(2, 0.02 * len(table)) and exchanged < 0.1 * as_given:
        raise InputError(
            f"{where} has {as_given} of {len(table)} positions outside the {height} x {width} image, and {exchanged} "
            "with x and y exchanged; exchange them (--set swap_xy=true)."
        )


def _share_that_follows(table: pd.DataFrame) -> float | None:
    """Share of steps to the next frame that go to the nearest cell there; None where there are too few to tell."""
    t, track = table["t"].to_numpy(), table["track_id"].to_numpy()
    place = table[["y", "x"]].to_numpy(np.float64)
    order = np.argsort(t, kind="stable")
    frames = np.unique(t)
    pairs = frames[:-1][np.diff(frames) == 1]
    steps = near = 0
    for frame in pairs[
        np.unique(np.linspace(0, len(pairs) - 1, min(len(pairs), _FRAMES)).astype(int))
    ].tolist():
        bounds = np.searchsorted(t, [frame, frame + 1, frame + 2], sorter=order)
        now, then = order[bounds[0] : bounds[1]], order[bounds[1] : bounds[2]]
        if len(then) < 4:
            continue
        now = now[np.isin(track[now], track[then])]
        now = now[evenly(len(now), _CELLS)]
        # So few distances take less time than importing a tree of neighbours.
        gaps = place[now][:, None] - place[then][None]
        nearest = np.einsum("ijk,ijk->ij", gaps, gaps).argmin(axis=1)
        near += int((track[then][nearest] == track[now]).sum())
        steps += len(now)
    return near / steps if steps >= _LINKS else None
