"""Writes a tiled 16-bit movie with tracks, frame by frame, for the rows that cut cells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

TILE = 256


def write_movie(path: Path, frames: int, side: int, cells: int) -> pd.DataFrame:
    """Write a TIFF of bright spots on a dim background and return its tracks.

    Parameters
    ----------
    path : Path
        File to write.
    frames, side, cells : int
        Number of frames, side length in pixels, and number of cells per frame.

    Returns
    -------
    DataFrame
        ``track_id``, ``t``, ``y``, ``x``, ``parent``, sorted by track.
    """
    import tifffile

    random = np.random.default_rng(0)
    start = random.uniform(0, side - 1, (cells, 1, 2))
    steps = random.normal(0, 1, (cells, frames, 2)).cumsum(axis=1)
    places = np.clip(start + steps, 0, side - 1)
    spot = 4000 * np.exp(-(np.hypot(*np.mgrid[-12:13, -12:13]) ** 2) / 60)

    def images() -> Iterator[np.ndarray]:
        for t in range(frames):
            frame = random.integers(180, 240, (side, side), dtype=np.uint16)
            for y, x in places[:, t].astype(int):
                top, left = max(0, y - 12), max(0, x - 12)
                part = frame[top : y + 13, left : x + 13]
                part += spot[top - y + 12 :, left - x + 12 :][: part.shape[0], : part.shape[1]].astype(
                    np.uint16
                )
            yield frame

    def tiles() -> Iterator[np.ndarray]:
        for frame in images():
            for y in range(0, side, TILE):
                for x in range(0, side, TILE):
                    yield np.ascontiguousarray(frame[y : y + TILE, x : x + TILE])

    tifffile.imwrite(
        path,
        tiles(),
        shape=(frames, side, side),
        dtype=np.uint16,
        tile=(TILE, TILE),
        metadata={"axes": "TYX"},
    )
    ids, times = np.repeat(np.arange(1, cells + 1), frames), np.tile(np.arange(frames), cells)
    y, x = places.reshape(-1, 2).T
    return pd.DataFrame({"track_id": ids, "t": times, "y": y, "x": x, "parent": ids})
