"""Cut a crop around every tracked cell of a movie, frame by frame, straight to disk.

Each frame is read once, in order, whatever the order of the tracks; it is padded once and all its crops are
taken from it together. Memory holds one or two frames and their crops, however long the movie is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import CropWriter
from morpholaw.cells.cut_plan import plan_cuts, planned_cells
from morpholaw.cells.cutter import Cutter
from morpholaw.cells.files import fingerprint
from morpholaw.cells.in_turn import in_turn
from morpholaw.cells.normalise import Normalisation, Per, fit_normalisation
from morpholaw.cells.tracks import validate_tracks
from morpholaw.config import CropConfig
from morpholaw.events import SILENT, Monitor, Progress

if TYPE_CHECKING:
    from morpholaw.cells.movies import Movie

_SAMPLE_FRAMES = 8
_SAMPLE_CROPS = 512
_CUTTERS = 2
"""Frames cut at a time. Reading has one thread of its own: a file is read from one place at a time."""

_Frame = tuple[int, np.ndarray, np.ndarray]
"""Its number, and the rows and columns of its cells."""


def cut_crops(
    movie: Movie,
    tracks: pd.DataFrame,
    folder: str | os.PathLike[str],
    config: CropConfig | None = None,
    normalisation: Normalisation | None = None,
    monitor: Monitor = SILENT,
    overwrite: bool = False,
) -> CropSet:
    """Cut every tracked cell out of a movie (paper, 5.1).

    A crop is centred on the pixel nearest to the centroid, which becomes pixel [size // 2, size // 2]. The
    set's cells are in the order of the frames, by ``track_id`` within a frame. Their ``group`` is the movie's
    name and the first ancestor's ``track_id``: a whole lineage tree is one group, because a daughter's first
    crops resemble the mother's last ones.

    Parameters
    ----------
    movie : Movie
        (t, y, x), any real dtype; read lazily.
    tracks : DataFrame
        ``track_id``, ``t``, ``y``, ``x`` (pixels), ``parent`` and optionally ``label`` and ``dummy``, in any
        order. What lies outside of the movie is left out, with a warning.
    folder : path
        The crop set's folder to be.
    config : CropConfig, optional
        Size, edges and pixel sizes. With ``edge="background"`` crops over the border continue in the frame's
        background level, with "reflect" in its mirror image; with "drop" those cells are left out.
    normalisation : Normalisation, optional
        The grey scale to use, e.g. that of an earlier set of the same camera; by default it is fitted on up
        to 512 cells of 8 frames.

    Returns
    -------
    CropSet
        ``meta`` says how it was made, how many cells were ``dropped`` at the border, how many cells lay
        outside of the movie (``clipped``) and how many crops reach over the border (``over_edge``).

    Raises
    ------
    InputError
        When the tracks make no sense, no cell is left, a frame cannot be read or holds NaN or infinite
        pixels, or a pixel size is needed and unknown.
    InterruptedError
        When ``should_stop`` said so; nothing is left behind.
    """
    cells = MovieCells(movie, tracks, config, normalisation, monitor)
    brightness: list[np.ndarray] = []
    with CropWriter(folder, cells.config.size, overwrite) as writer:
        for crops, own in cells.cut(monitor):
            writer.append(crops)
            brightness.append(own)
        meta = cells.describe(writer.folder)
        return writer.finish(cells.table.assign(brightness=np.concatenate(brightness)), meta)


class MovieCells:
    """The tracked cells of a movie, planned and ready to be cut; nothing is written.

    Parameters
    ----------
    movie, tracks, config, normalisation
        As for :func:`cut_crops`.

    Attributes
    ----------
    table : DataFrame
        A row a cell, in the order in which they are cut.
    normalisation : Normalisation
        Given, or fitted.
    """

    def __init__(
        self,
        movie: Movie,
        tracks: pd.DataFrame,
        config: CropConfig | None = None,
        normalisation: Normalisation | None = None,
        monitor: Monitor = SILENT,
    ) -> None:
        self.movie, self.config = movie, config or CropConfig()
        tracks = validate_tracks(tracks, f"The track table of {movie.name}")
        self._plan = plan_cuts(movie, tracks, self.config, monitor)
        self.table = planned_cells(self._plan.rows, tracks, movie.name)
        self._cutter = Cutter(self.config, self._plan.shape)
        self._kept: dict[int, np.ndarray] = {}
        if normalisation is None:
            times = _spread([t for t, *_ in self._plan.frames], _SAMPLE_FRAMES)
            self._kept = {t: movie.frame(t) for t in times}
            normalisation = _fit(
                self._kept, self._plan.frames, self._cutter, movie.name, self.config.brightness
            )
        self.normalisation = normalisation

    def __len__(self) -> int:
        return len(self.table)

    def cut(
        self,
        monitor: Monitor = SILENT,
        then: Callable[[np.ndarray], np.ndarray] = np.asarray,
        threads: int = _CUTTERS,
        start: Callable[[], None] | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the crops of one frame after another, uint8 (k, s, s), and their cells' brightness, (k,).

        Yielded is what ``then`` makes of the crops, in the thread that cut them, in whose core's cache they are;
        each of the ``threads`` calls ``start`` first.
        """
        said, done = monotonic(), 0
        with (
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(threads, initializer=start) as cutters,
        ):
            frames = in_turn(reader, self._fetch, self._plan.frames, 1)
            for cut in in_turn(cutters, partial(self._cut, then), frames, threads):
                if monitor.should_stop():
                    raise InterruptedError(f"Cutting {self.movie.name} was stopped; no crops were kept.")
                yield cut
                done += len(cut[1])
                if monotonic() - said > 0.2 or done == len(self):
                    said = monotonic()
                    monitor.emit(Progress(done, len(self), "cutting crops"))

    def _fetch(self, planned: _Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A frame, read but for the few at hand, and where its cells are."""
        t, y, x = planned
        return (self._kept.pop(t) if t in self._kept else self.movie.frame(t)), y, x

    def _cut(
        self, then: Callable[[np.ndarray], np.ndarray], frame: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        crops, brightness = self._cutter.cut(*frame, self.normalisation)
        return then(crops), brightness

    def describe(self, folder: Path) -> dict[str, Any]:
        """How the crops are made, for the description of a set in ``folder``."""
        movie = self.movie
        return {
            "kind": "movie",
            "normalisation": self.normalisation.to_json(),
            "model_pixel_size": self.config.model_pixel_size,
            "edge": self.config.edge,
            "movie": {"name": movie.name, "shape": list(movie.shape), "dtype": str(movie.dtype)},
            "sources": [_source(movie, folder)] if movie.path is not None else [],
            **self._plan.meta,
        }


def _fit(
    sample: dict[int, np.ndarray],
    frames: list[tuple[int, np.ndarray, np.ndarray]],
    cutter: Cutter,
    name: str,
    per: Per,
) -> Normalisation:
    """Fit on cells spread evenly over the sampled frames; no random choice, so that it can be repeated."""
    each = max(1, _SAMPLE_CROPS // len(sample))
    crops = []
    for t, y, x in frames:
        if t in sample:
            some = _spread(range(len(y)), each)
            crops.append(cutter.cut_raw(sample[t], y[some], x[some]))
    return fit_normalisation(np.concatenate(crops), f"The cells of {name}", per)


def _spread(values: list[int] | range, count: int) -> list[int]:
    """Up to ``count`` of the values, evenly spaced."""
    if len(values) <= count:
        return list(values)
    return [values[i] for i in np.linspace(0, len(values) - 1, count).round().astype(int)]


def _source(movie: Movie, folder: Path) -> dict[str, str]:
    """The movie's path, relative so that a study can be moved with its data, and its fingerprint."""
    path = Path(str(movie.path)).absolute()
    try:
        shown = Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # another drive on Windows
        shown = path.as_posix()
    return {"path": shown, "fingerprint": fingerprint(path)}
