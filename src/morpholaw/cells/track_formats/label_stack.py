"""A stack of integer masks (t, y, x) whose ids stay with a cell over time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.movies import open_movie
from morpholaw.cells.track_formats.warning import warn_tracks
from morpholaw.errors import InputError

_JUMP = 2.0  # cell diameters that a median cell may move from one frame to the next


def read_label_stack(source: Any, ids_per_frame: bool = False) -> pd.DataFrame:
    """Read the centroids of the masks in a label stack.

    Parameters
    ----------
    source : path or array
        Anything that :func:`morpholaw.cells.movies.open_movie` opens, with integer pixels; 0 is background.
    ids_per_frame : bool
        Ids are numbered afresh in every frame: every mask becomes a track of its own.

    Raises
    ------
    InputError
        It cannot be read, its pixels are not integers, or there is no mask in it.
    """
    movie = (
        open_movie(source)
        if isinstance(source, (str, os.PathLike))
        else open_movie(source, "The label stack")
    )
    where = str(movie.path or movie.name)
    if movie.dtype.kind not in "ui":
        raise InputError(f"{where} has {movie.dtype} pixels, but masks are integers.")
    table = stack_centroids(enumerate(movie.frames()))
    if len(table) == 0:
        raise InputError(f"{where} has no mask in any of its {len(movie)} frames.")
    if ids_per_frame:
        table["track_id"] = np.arange(1, len(table) + 1)
    elif _jumps(table):
        warn_tracks(
            f"{where}: most ids jump by more than {_JUMP:.0f} cell diameters from frame to frame; if ids are "
            "numbered afresh in every frame, read it with ids_per_frame=True."
        )
    return table.drop(columns="area")


def stack_centroids(frames: Iterable[tuple[int, np.ndarray]]) -> pd.DataFrame:
    """Centroids of every mask in (t, mask) pairs: a table of track_id, t, y, x and area (pixels)."""
    parts = []
    for t, mask in frames:
        ids, y, x, area = label_centroids(mask)
        parts.append(pd.DataFrame({"track_id": ids, "t": np.int64(t), "y": y, "x": x, "area": area}))
    columns = ["track_id", "t", "y", "x", "area"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def label_centroids(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ids, y, x and area (pixels) of the masks in one frame, without looping over them.

    Parameters
    ----------
    mask : numpy.ndarray
        (y, x) integers; 0 is background.
    """
    at = np.flatnonzero(mask)
    labels = mask.ravel()[at]
    if labels.size and (int(labels.max()) > 4 * mask.size or int(labels.min()) < 0):
        ids, labels = np.unique(labels, return_inverse=True)  # bincount would be as long as the largest id
    else:
        ids = np.arange(int(labels.max()) + 1 if labels.size else 0)
    area = np.bincount(labels, minlength=len(ids))
    row, column = np.divmod(at, mask.shape[1])
    found = np.flatnonzero(area)
    y = np.bincount(labels, weights=row, minlength=len(ids))[found] / area[found]
    x = np.bincount(labels, weights=column, minlength=len(ids))[found] / area[found]
    return ids[found].astype(np.int64), y, x, area[found]


def _jumps(table: pd.DataFrame) -> bool:
    """Whether the median mask moves much farther than a cell does from one frame to the next."""
    ordered = table.sort_values(["track_id", "t"])
    step = ordered[["track_id", "t", "y", "x"]].diff()
    linked = ((step["track_id"] == 0) & (step["t"] == 1)).to_numpy()
    if linked.sum() < 10:
        return False
    distance = np.hypot(step["y"], step["x"])[linked]
    return bool(np.median(distance) > _JUMP * np.sqrt(ordered["area"].median()))
