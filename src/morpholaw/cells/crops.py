"""Cutting of crops around every tracked cell of a movie, frame by frame, directly to disk.

Each frame is read once, in order, and padded once, and all its crops are cut together. Memory use is a few frames and
their crops, whatever the length of the movie.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from morpholaw.cells.crop_centring import CropCentring
from morpholaw.cells.crop_record import CropOrigin, FileSource, MovieSource
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import CropWriter
from morpholaw.cells.cut_plan import plan_cuts, planned_cells
from morpholaw.cells.even_spacing import spread
from morpholaw.cells.files import fingerprint
from morpholaw.cells.frame_pairs import frame_pairs
from morpholaw.cells.normalise import Normalisation, Per, fit_normalisation
from morpholaw.cells.pixel_check import PixelFindings, check_pixels
from morpholaw.cells.repeated_frames import RepeatedFrames
from morpholaw.cells.saturation import saturated
from morpholaw.cells.tracker_masks import TrackerMasks, cut_masks
from morpholaw.cells.tracks import validate_tracks
from morpholaw.config import CropConfig
from morpholaw.display import first_few
from morpholaw.events import SILENT, Message, Monitor, Progress

if TYPE_CHECKING:
    from morpholaw.cells.movies import Movie

_SAMPLE_CROPS = 512
_CUTTERS = 2
"""Number of frames cut at the same time. One additional thread reads files sequentially."""

_Frame = tuple[int, np.ndarray, np.ndarray]
"""Frame number, and the rows and columns of its cells."""

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def cut_crops(
    movie: Movie,
    tracks: pd.DataFrame,
    folder: str | os.PathLike[str],
    config: CropConfig | None = None,
    normalisation: Normalisation | None = None,
    monitor: Monitor = SILENT,
    overwrite: bool = False,
) -> CropSet:
    """Cut crops of all tracked cells from a movie (paper, 5.1).

    A crop is centred on the pixel nearest to the centroid, which becomes pixel [size // 2, size // 2]. Cells are sorted
    by frame and ``track_id``. Their ``group`` consists of the movie's name and the first ancestor's ``track_id``:
    tracks connected by divisions or merges are one group, because a daughter's first crops resemble her mother's last
    ones, and a merged track shows the same cells as the tracks before it.

    Parameters
    ----------
    movie : Movie
        Movie (t, y, x) of any real dtype; read lazily.
    tracks : DataFrame
        Columns ``track_id``, ``t``, ``y``, ``x`` (pixels), ``parent`` and optionally ``label`` and ``dummy``, in any
        order. Positions outside the movie are left out with a warning.
    folder : path
        Folder of the crop set to create.
    config : CropConfig, optional
        Size, edges and pixel sizes. At the border, ``edge="background"`` fills crops with the background level,
        "reflect" mirrors the frame, and "drop" leaves the cells out.
    normalisation : Normalisation, optional
        Grey scale to use, such as that of an earlier set from the same camera; by default it is fitted to up to 512
        cells from 8 frames, in pairs of consecutive frames.
    monitor : Monitor, optional
        Receives progress and warnings, and can stop the cutting.
    overwrite : bool
        Replace an existing set once the new one is complete.

    Returns
    -------
    CropSet
        The new set. Its ``record`` states how it was made, and the number of cells that were left out at the border
        (``dropped``) or outside the movie (``clipped``) and of crops that extend beyond the border (``over_edge``).

    Raises
    ------
    InputError
        If the tracks are invalid, no cell is left, a frame cannot be read or has NaN or infinite pixels, or a required
        pixel size is unknown.
    InterruptedError
        If the monitor asked to stop. Nothing is kept then.
    """
    cells = MovieCells(movie, tracks, config, normalisation, monitor)
    return write_crops(cells, folder, cells.origin(Path(folder)), monitor, overwrite)


def write_crops(
    cells: MovieCells,
    folder: str | os.PathLike[str],
    origin: CropOrigin,
    monitor: Monitor = SILENT,
    overwrite: bool = False,
    masks: TrackerMasks | None = None,
) -> CropSet:
    """Write the planned cells of a movie to a crop set; nothing is kept if this fails or is stopped.

    If the tracker's ``masks`` are given, they are stored beside the crops.
    """
    brightness: list[np.ndarray] = []
    empty: list[np.ndarray] = []
    centring = CropCentring(cells.config.size / cells.side)
    with CropWriter(folder, cells.config.size, overwrite) as writer:
        for crops, frame_brightness in cells.cut(monitor):
            writer.append(crops)
            brightness.append(frame_brightness)
            empty.append(one_grey_value(crops))
            centring.add(crops)
        _tell_empty(np.concatenate(empty), cells.table["t"].to_numpy(), cells.movie.name, monitor)
        for sentence in centring.sentences(cells.table, cells.movie.name):
            monitor.emit(Message(sentence, "warning"))
        if masks is not None:
            writer.add_masks(cells.cut_masks(masks))
        writer.finish(cells.table.assign(brightness=np.concatenate(brightness)), origin)
    return CropSet(writer.folder)


def one_grey_value(crops: np.ndarray) -> np.ndarray:
    """Return which crops (n, s, s) have the same value in all pixels (blank or saturated), bool (n,)."""
    pixels = crops.reshape(len(crops), -1)
    same: np.ndarray = pixels.max(axis=1) == pixels.min(axis=1)
    return same


def _tell_empty(empty: np.ndarray, t: np.ndarray, name: str, monitor: Monitor) -> None:
    """Emit a warning about crops without contrast, with their frames."""
    if not empty.any():
        return
    frames = np.unique(t[empty])
    shown = first_few(frames, 5)
    monitor.emit(
        Message(
            f"{empty.sum()} of {len(empty)} crops of {name} have the same grey value in all pixels (frame"
            f"{'s' if len(frames) > 1 else ''} {shown}): blank or saturated. Do not label them.",
            "warning",
        )
    )


class MovieCells:
    """The tracked cells of a movie, planned and ready to be cut; nothing is written.

    Parameters
    ----------
    movie, tracks, config, normalisation, monitor
        As for :func:`cut_crops`.

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
        self._cutter = _Cutter(self.config, self._plan.shape)
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
            monitor.emit(Message(sentence, "warning"))

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


def file_source(path: Path, folder: Path) -> FileSource:
    """Return the relative path and the fingerprint of a file or folder from which the crops in ``folder`` are made."""
    return FileSource(path=path_from(path, folder), fingerprint=fingerprint(path.absolute()))


def path_from(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, with slashes; the absolute path if it is on another drive."""
    path = path.absolute()
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # Windows
        return path.as_posix()


class _Cutter:
    """Cuts crops from frames of one size: resamples them if necessary, pads them once, and cuts all crops together."""

    def __init__(self, config: CropConfig, shape: tuple[int, int]) -> None:
        self.size, self.edge, self.shape = config.size, config.edge, shape

    def cut(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, normalisation: Normalisation
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return crops, uint8 (k, s, s), centred on pixels (y, x), and the brightness of their cells, float32 (k,)."""
        crops = self.cut_raw(raw, y, x, normalisation.background)
        brightness = normalisation.brightness(crops)
        return normalisation.apply(crops, brightness), brightness

    def cut_raw(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, background: float | None = None
    ) -> np.ndarray:
        """Return crops (k, s, s) in the movie's grey values, padded by default with the frame's background."""
        frame = raw if raw.shape == self.shape else _resample(raw, self.shape)
        windows = np.lib.stride_tricks.sliding_window_view(
            self._pad(frame, background), (self.size, self.size)
        )
        crops: np.ndarray = windows[y, x]
        return crops

    def _pad(self, frame: np.ndarray, background: float | None) -> np.ndarray:
        half = self.size // 2
        if self.edge == "reflect":
            return np.pad(frame, half, mode="symmetric")
        level = float(np.percentile(frame[::4, ::4], 5)) if background is None else background
        if np.issubdtype(frame.dtype, np.integer):
            limits = np.iinfo(frame.dtype)
            level = min(max(round(level), limits.min), limits.max)
        return np.pad(frame, half, constant_values=level)


def _resample(frame: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from skimage.transform import resize

    shrinks = shape[0] < frame.shape[0]
    resized: np.ndarray = resize(
        frame.astype(np.float32), shape, order=1, anti_aliasing=shrinks, preserve_range=True
    )
    return resized


def _fit(
    sample: dict[int, np.ndarray], frames: list[_Frame], cutter: _Cutter, name: str, per: Per
) -> Normalisation:
    """Fit on cells spread evenly over the sampled frames, without random choices, so that it can be repeated."""
    crops = np.concatenate(_sampled_crops(sample, frames, cutter))
    return fit_normalisation(crops, f"The cells of {name}", per)


def _sampled_crops(sample: dict[int, np.ndarray], frames: list[_Frame], cutter: _Cutter) -> list[np.ndarray]:
    """Return crops in the movie's grey values of some cells of each sampled frame, (k, s, s)."""
    each = max(1, _SAMPLE_CROPS // len(sample))
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
