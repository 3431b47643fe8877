"""Measurements at tracked positions of a frame: brightness, and the centre of the light around them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from morpholaw.cells.even_spacing import evenly

DISC = 2
"""Number of pixels on each side of a position whose mean is its brightness."""
REACH = 10
"""Distance in pixels within which the centre of light is sought."""

_CELLS = 48  # maximum number of cells per frame
_PLACES = 16  # number of random points compared with each cell

Frames = Mapping[int, np.ndarray]
"""Frames (y, x) by number."""


def shows_something(frame: np.ndarray) -> bool:
    """Return whether a frame has at least two different values, so that it is neither empty nor fully saturated."""
    some = frame[::4, ::4]
    return bool(some.min() < some.max() or frame.min() < frame.max())


class Places(NamedTuple):
    """Measured cells as arrays, without positions that a tracker interpolated.

    Attributes
    ----------
    t, track : ndarray of int64, shape (n,)
        Frame and track.
    y, x : ndarray of float64, shape (n,)
        Position in pixels.
    """

    t: np.ndarray
    track: np.ndarray
    y: np.ndarray
    x: np.ndarray


def measured(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that a tracker did not interpolate (``dummy``); all rows if all were interpolated."""
    if "dummy" not in cells or cells["dummy"].all():
        return cells
    return cells[~cells["dummy"].to_numpy(bool)]


def measured_places(cells: pd.DataFrame) -> Places:
    """Return the measured cells of a table with track_id, t, y, x and optionally dummy."""
    cells = measured(cells)
    y, x = (cells[name].to_numpy(np.float64) for name in ("y", "x"))
    return Places(cells["t"].to_numpy(), cells["track_id"].to_numpy(), y, x)


def places_in(frame: np.ndarray, places: Places, t: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and tracks of up to _CELLS cells of a frame, evenly spaced in the table."""
    rows = np.flatnonzero(places.t == t)
    y, x = places.y[rows], places.x[rows]
    height, width = frame.shape
    inside = np.flatnonzero((y >= -0.5) & (y < height - 0.5) & (x >= -0.5) & (x < width - 0.5))
    some = inside[evenly(len(inside), _CELLS)]
    whole = (np.rint(y[some]).astype(np.int64), np.rint(x[some]).astype(np.int64))
    return *whole, places.track[rows[some]]


def share_of_darker(frame: np.ndarray, y: np.ndarray, x: np.ndarray, size: float) -> np.ndarray:
    """Return the share of random points around each position that are darker than it."""
    dy, dx = (np.rint(size * part).astype(np.int64) for part in _around())
    rows, columns = y[:, None] + dy, x[:, None] + dx
    height, width = frame.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    places = _brightness(frame, rows.ravel(), columns.ravel()).reshape(rows.shape)
    here = _brightness(frame, y, x)[:, None]
    darker = ((here > places) + 0.5 * (here == places)) * inside
    share: np.ndarray = darker.sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    share[~inside.any(axis=1)] = 0.5
    return share


@cache
def _around() -> tuple[np.ndarray, np.ndarray]:
    """Return points around a cell in units of the crop side, from beside a nucleus to the next crop."""
    rng = np.random.default_rng(0)
    angle = (np.arange(_PLACES) + rng.uniform(size=_PLACES)) * 2 * np.pi / _PLACES
    distance = rng.permutation(np.linspace(0.32, 0.88, _PLACES))
    return distance * np.sin(angle), distance * np.cos(angle)


def _brightness(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    grid = np.array([-DISC, 0, DISC])
    mean: np.ndarray = window(frame, y, x, grid).mean(axis=(1, 2), dtype=np.float64)
    return mean


def distance_to_light(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the distance from each position to the centre of the light around it, in pixels."""
    distance: np.ndarray = np.hypot(*light_beside(frame, y, x).T)
    return distance


def light_beside(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the offset in rows and columns from each position to the centre of the light around it, (n, 2)."""
    grid = np.arange(-REACH, REACH + 1, 2)
    return centre_of_light(window(frame, y, x, grid), grid)


def centre_of_light(windows: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the centre of the light above the rim of windows (n, k, k), in rows and columns of ``grid``, (n, 2)."""
    light = windows.astype(np.float32)
    rim = light[:, 0].sum(axis=1) + light[:, -1].sum(axis=1) + light[:, 1:-1, 0].sum(axis=1)
    rim += light[:, 1:-1, -1].sum(axis=1)
    light -= (rim / (4 * len(grid) - 4))[:, None, None]
    np.maximum(light, 0, out=light)
    down, across = light.sum(axis=2), light.sum(axis=1)
    total = np.maximum(down.sum(axis=1), 1e-6)
    return np.stack([down @ grid / total, across @ grid / total], axis=1)


def window(frame: np.ndarray, y: np.ndarray, x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the pixels at ``grid`` around positions, (n, k, k); border pixels are repeated outside."""
    height, width = frame.shape
    rows = np.maximum(np.minimum(y[:, None] + grid, height - 1), 0)
    columns = np.maximum(np.minimum(x[:, None] + grid, width - 1), 0)
    # one flat index per pixel is twice as fast as an index per axis
    pixels: np.ndarray = frame.reshape(-1).take((rows * width)[:, :, None] + columns[:, None, :])
    return pixels
