"""Plausibility checks of tracks: cells are linked over time, ids follow their cells, and x and y are not exchanged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.cells.even_spacing import evenly, spread
from morpholaw.cells.track_formats.facts import Ids
from morpholaw.errors import InputError

_ENOUGH = 5
"""Minimum number of tracks for conclusions from their lengths."""
_SINGLE = 0.9
"""Share of single-frame tracks above which cells are not linked."""
_LINKS = 50
_FOLLOW = 0.25
"""Share of ids that go to the nearest cell of the next frame, below which ids do not follow cells."""
_STILL_OUTSIDE = 0.1
"""Share of the positions outside the image that may still be outside with y and x exchanged."""
_FRAMES = 12
_CELLS = 64
"""Maximum number of cells per frame that are followed into the next."""


def check_links(table: pd.DataFrame, ids: Ids, format_name: str, where: str) -> bool:
    """Return whether cells are linked over time; reject tracks that are not.

    Parameters
    ----------
    table : DataFrame
        A valid track table.
    ids : {"auto", "tracks", "per-frame", "linked", "laptrack"}
        Meaning of the ids according to the user; anything but "auto" is not questioned.
    format_name : str
        Name of the file format.
    where : str
        Name of the file in messages.

    Returns
    -------
    bool

    Raises
    ------
    InputError
        If almost every track has only one frame, or ids do not follow their cells.
    """
    lengths = np.unique(table["track_id"].to_numpy(), return_counts=True)[1]
    single = int((lengths == 1).sum())
    linked = table["t"].nunique() == 1 or len(lengths) < _ENOUGH or single <= _SINGLE * len(lengths)
    if ids != "auto" or format_name == "label stack":
        return linked
    if not linked:
        raise InputError(
            f"{where} has {len(lengths)} tracks, of which {single} have only one frame: its cells are not linked over "
            "time, and a split into training and test would have the same cell on both sides. Give tracks that follow "
            "cells (a column track_id), or --ids per-frame (ids='per-frame') to treat each cell separately."
        )
    follow = _share_that_follows(table)
    if follow is not None and follow < _FOLLOW:
        raise InputError(
            f"{where} has ids that do not follow cells: only {follow:.0%} of them are at the nearest cell of the next "
            "frame, as if they were renumbered in each frame. Link the cells first, or give --ids per-frame "
            "(ids='per-frame') to treat each cell separately, or --ids tracks if they are tracks after all."
        )
    return True


def outside_image(y: np.ndarray, x: np.ndarray, height: int, width: int) -> int:
    """Return the number of positions (n,), in pixels, that are outside an image."""
    return int(((y < -0.5) | (y >= height - 0.5) | (x < -0.5) | (x >= width - 0.5)).sum())


def axes_seem_exchanged(y: np.ndarray, x: np.ndarray, height: int, width: int) -> bool:
    """Return whether nearly all positions (n,) that are outside an image would be inside it with y and x exchanged."""
    return outside_image(x, y, height, width) < _STILL_OUTSIDE * outside_image(y, x, height, width)


def _share_that_follows(table: pd.DataFrame) -> float | None:
    """Return the share of steps that go to the nearest cell of the next frame; None with too few steps."""
    t, track = table["t"].to_numpy(), table["track_id"].to_numpy()
    place = table[["y", "x"]].to_numpy(np.float64)
    order = np.argsort(t, kind="stable")
    frames = np.unique(t)
    pairs = frames[:-1][np.diff(frames) == 1]
    steps = near = 0
    for frame in spread(pairs.tolist(), _FRAMES):
        bounds = np.searchsorted(t, [frame, frame + 1, frame + 2], sorter=order)
        now, then = order[bounds[0] : bounds[1]], order[bounds[1] : bounds[2]]
        if len(then) < 4:
            continue
        now = now[np.isin(track[now], track[then])]
        now = now[evenly(len(now), _CELLS)]
        # For so few distances, importing a tree search would take longer.
        gaps = place[now][:, None] - place[then][None]
        nearest = np.einsum("ijk,ijk->ij", gaps, gaps).argmin(axis=1)
        near += int((track[then][nearest] == track[now]).sum())
        steps += len(now)
    return near / steps if steps >= _LINKS else None
