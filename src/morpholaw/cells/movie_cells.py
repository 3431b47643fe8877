"""The tracked cells of a movie, planned and cut frame by frame.

Each frame is read once, in order, and all its crops are cut together. Memory use is a few frames and their crops,
whatever the length of the movie.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from morpholaw.cells.crop_cutter import CropCutter
from morpholaw.cells.crop_record import CropOrigin, MovieSource, file_source
from morpholaw.cells.cut_plan import plan_cuts, planned_cells
from morpholaw.cells.even_spacing import spread
from morpholaw.cells.frame_pairs import frame_pairs
from morpholaw.cells.normalise import SAMPLE_CROPS, Normalisation, Per, fit_normalisation
from morpholaw.cells.pixel_check import PixelFindings, check_pixels
from morpholaw.cells.repeated_frames import RepeatedFrames
from morpholaw.cells.saturation import saturated
from morpholaw.cells.track_validation import validate_tracks
from morpholaw.cells.tracker_masks import TrackerMasks, cut_masks
from morpholaw.config import CropConfig
from morpholaw.events import SILENT, Monitor, Progress

if TYPE_CHECKING:
    from morpholaw.cells.movies import Movie

_CUTTERS = 2
"""Number of frames cut at the same time. One additional thread reads files sequentially."""

_Frame = tuple[int, np.ndarray, np.ndarray]
"""Frame number, and the rows and columns of its cells."""

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class MovieCells:
    """The tracked cells of a movie, planned and ready to be cut; nothing is written.

    Parameters
    ----------
    movie, tracks, config, normalisation, monitor
        As for :func:`morpholaw.cells.crops.cut_crops`.

    Attributes
    ----------
    table : DataFrame
        One row per cell, in the order of cutting.
    normalisation : Normalisation
        Grey scale, given or fitted.
    group_prefix : str
        Prefix of the names of groups: the movie's name, unless changed by :meth:`regroup`.
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
        self.group_prefix = movie.name
        tracks = validate_tracks(tracks, f"The track table of {movie.name}")
        self._plan = plan_cuts(movie, tracks, self.config, monitor)
        self.table = planned_cells(self._plan.rows, tracks, self.group_prefix)
        self._cutter = CropCutter(self.config, self._plan.shape)
        self._read_ahead: dict[int, np.ndarray] = {}
        self._repeated = RepeatedFrames()
        if normalisation is None:
            normalisation = _fit(
                self._sample(), self._plan.frames, self._cutter, movie.name, self.config.brightness
            )
        self.normalisation = normalisation

    def __len__(self) -> int:
        return len(self.table)

    def regroup(self, prefix: str) -> None:
        """Set the prefix of the names of groups."""
        roots = self.table["group"].str.slice(len(self.group_prefix))
        self.table["group"], self.group_prefix = prefix + roots, prefix

    @property
    def pixel_size(self) -> float | None:
        """Pixel size of the movie, in micrometres."""
        return self._plan.movie_pixel_size

    @property
    def side(self) -> float:
        """Side length of a crop, in pixels of the movie."""
        return self.config.size * self.movie.shape[1] / self._plan.shape[0]

    def look(self) -> PixelFindings | None:
        """Compare tracked positions with the pixels of a few frames; None if those frames are blank."""
        return check_pixels(self._sample(), self._plan.rows, self.side)

    def saturated(self) -> np.ndarray:
        """Return which of some cells are saturated, bool (n,); see :mod:`morpholaw.cells.saturation`."""
        return saturated(np.concatenate(_sampled_crops(self._sample(), self._plan.frames, self._cutter)))

    def _digest(self) -> str:
        """Return a fingerprint of the pixels of a few frames, which identifies a movie that is not a file."""
        digest = hashlib.sha256(repr((self.movie.shape, str(self.movie.dtype))).encode())
        for t, frame in sorted(self._sample().items()):
            digest.update(f"{t}\0".encode() + np.ascontiguousarray(frame).data)
        return digest.hexdigest()

    def _sample(self) -> dict[int, np.ndarray]:
        """Return the frames that are examined before the cutting; they are cached."""
        if not self._read_ahead:
            times = {t for pair in frame_pairs([t for t, *_ in self._plan.frames]) for t in pair}
            self._read_ahead = {t: self.movie.frame(t) for t in sorted(times)}
        return self._read_ahead

    def cut(
        self,
        monitor: Monitor = SILENT,
        process: Callable[[np.ndarray], Any] = np.asarray,
        threads: int = _CUTTERS,
    ) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield for each frame the crops, uint8 (k, s, s), and the brightness of their cells, (k,).

        Crops are passed through ``process`` in the thread that cut them, while they are in the cache of its core.
        """
        last_report, done = monotonic(), 0
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(threads) as cutters:
            frames = _in_order(reader, self._fetch, self._plan.frames, 1)
            for cut in _in_order(cutters, partial(self._cut, process), frames, threads):
                if monitor.should_stop():
                    raise InterruptedError(f"Cutting {self.movie.name} was stopped; no crops were kept.")
                yield cut
                done += len(cut[1])
                if monotonic() - last_report > 0.2 or done == len(self):
                    last_report = monotonic()
                    monitor.emit(Progress(done, len(self), "cutting crops"))
        if (sentence := self._repeated.sentence(self.movie.frame, self.movie.name)) is not None:
            monitor.warn(sentence)

    def cut_masks(self, masks: TrackerMasks) -> Iterator[np.ndarray]:
        """Yield the tracker's masks of the crops' central cells, bool (k, s, s), frame by frame."""
        start = 0
        for t, y, x in self._plan.frames:
            rows = self._plan.rows.iloc[start : start + len(y)]
            start += len(y)
            number = int(rows["source_t"].iloc[0]) if "source_t" in rows else t
            ids = rows["mask_id"].to_numpy(np.int64) if "mask_id" in rows else np.full(len(rows), -1)
            yield cut_masks(masks.frame(number), y, x, ids, self._plan.shape, self.config.size)

    def _fetch(self, planned: _Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a frame, from the cache if it was read before, and the positions of its cells."""
        t, y, x = planned
        frame = self._read_ahead.pop(t) if t in self._read_ahead else self.movie.frame(t)
        self._repeated.add(t, frame)
        return frame, y, x

    def _cut(
        self, process: Callable[[np.ndarray], Any], frame: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> tuple[Any, np.ndarray]:
        crops, brightness = self._cutter.cut(*frame, self.normalisation)
        return process(crops), brightness

    def origin(self, folder: Path) -> CropOrigin:
        """Return how the crops are made, for the record of a set in ``folder``."""
        movie, plan = self.movie, self._plan
        return CropOrigin(
            kind="movie",
            normalisation=self.normalisation,
            pixel_size=plan.pixel_size,
            movie_pixel_size=plan.movie_pixel_size,
            model_pixel_size=self.config.model_pixel_size,
            edge=self.config.edge,
            movie=MovieSource(
                name=movie.name,
                shape=movie.shape,
                dtype=str(movie.dtype),
                channel=movie.facts.channel,
                position=movie.facts.position,
                z=movie.facts.z,
                digest="" if movie.path is not None else self._digest(),
                frame_interval=self.config.frame_interval or movie.facts.frame_interval,
            ),
            sources=() if movie.path is None else (file_source(movie.path, folder),),
            clipped=plan.clipped,
            dropped=plan.dropped,
            over_edge=plan.over_edge,
            group_prefix=self.group_prefix,
        )


def _fit(
    sample: dict[int, np.ndarray], frames: list[_Frame], cutter: CropCutter, name: str, per: Per
) -> Normalisation:
    """Fit on cells spread evenly over the sampled frames, without random choices, so that it can be repeated."""
    crops = np.concatenate(_sampled_crops(sample, frames, cutter))
    return fit_normalisation(crops, f"The cells of {name}", per)


def _sampled_crops(
    sample: dict[int, np.ndarray], frames: list[_Frame], cutter: CropCutter
) -> list[np.ndarray]:
    """Return crops in the movie's grey values of some cells of each sampled frame, (k, s, s)."""
    each = max(1, SAMPLE_CROPS // len(sample))
    crops = []
    for t, y, x in frames:
        if t in sample:
            some = spread(range(len(y)), each)
            crops.append(cutter.cut_raw(sample[t], y[some], x[some]))
    return crops


def _in_order(
    pool: Executor, work: Callable[[_In], _Out], items: Iterable[_In], ahead: int
) -> Iterator[_Out]:
    """Yield ``work(item)`` in the order of the items, with up to ``ahead`` of them started in advance."""
    waiting: deque[Future[_Out]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
