"""Cutting of crops from a tiled 16-bit movie, from file to file, compared with one cell at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.bench.comparison import Comparison
from morpholaw.bench.machine import peak_memory_mb
from morpholaw.bench.movie import write_movie
from morpholaw.bench.timing import in_turn
from morpholaw.cells.crops import cut_crops
from morpholaw.cells.movies import open_movie

SIDE, CELLS, SIZE = 1024, 400, 64
MEMORY_FRAMES = 4
"""Factor by which a movie is longer that must be cut in the same memory."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure crops of 64 x 64 per second, and the memory for a movie four times as long."""
    frames = 100 if full else 20
    with tempfile.TemporaryDirectory(prefix="morpholaw-bench-") as place:
        folder = Path(place)
        tracks = write_movie(folder / "movie.tif", frames, SIDE, CELLS)

        def ours() -> None:
            cut_crops(open_movie(folder / "movie.tif"), tracks, folder / "set", overwrite=True)

        mine, theirs = in_turn(
            ours, lambda: _cell_by_cell(folder / "movie.tif", tracks, folder / "crops.npy"), rounds=5
        )
        short = peak_memory_mb()
        longer = write_movie(folder / "long.tif", frames * MEMORY_FRAMES, SIDE, CELLS)
        cut_crops(open_movie(folder / "long.tif"), longer, folder / "long")
        long = peak_memory_mb()
    unit = "crops/s"
    rates = [[len(tracks) / taken for taken in times] for times in (mine, theirs)]
    note = f"{frames} frames of {SIDE} x {SIDE} with {CELLS} cells each; both write their crops to disk."
    memory = f"{frames} frames against {frames * MEMORY_FRAMES}; the first number is the longer movie's peak."
    return [
        Comparison(rates[0], rates[1], "scikit-image, cell by cell", 5, unit, True, note),
        Comparison([long], [short], "peak memory, a movie 4 times as long", 0.9, "MiB", note=memory),
    ]


def _cell_by_cell(path: Path, tracks: pd.DataFrame, out: Path) -> None:
    """Cut crops in the obvious way, optimised: each frame is read once, and only the crop is padded."""
    import tifffile
    from skimage import exposure, util

    to_bytes: Any = util.img_as_ubyte  # skimage's functions have no types
    rescale: Any = exposure.rescale_intensity
    half, crops = SIZE // 2, []
    with tifffile.TiffFile(path) as movie:
        for t, cells in tracks.groupby("t"):
            frame = movie.pages[int(str(t))].asarray()
            low, high = np.percentile(frame, (1, 99.9))
            for _, cell in cells.iterrows():
                y, x = round(cell["y"]), round(cell["x"])
                top, left = max(0, y - half), max(0, x - half)
                part = frame[top : y + half, left : x + half]
                above, before = top - (y - half), left - (x - half)
                below, after = SIZE - above - part.shape[0], SIZE - before - part.shape[1]
                padded = np.pad(part, ((above, below), (before, after)), mode="symmetric")
                crops.append(to_bytes(rescale(padded, (low, high), (0.0, 1.0))))
    np.save(out, np.stack(crops), allow_pickle=False)
