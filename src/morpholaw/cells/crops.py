"""Cut a crop around every tracked cell of a movie, frame by frame, straight to disk.

Each frame is read once, in order, whatever the order of the tracks; it is padded once and all its crops are
taken from it together. Memory holds one or two frames and their crops, however long the movie is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet, CropWriter, cells_table
from morpholaw.cells.files import fingerprint
from morpholaw.cells.normalise import Normalisation, Per, fit_normalisation
from morpholaw.cells.tracks import clip_tracks, validate_tracks
from morpholaw.config import CropConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Progress, Report, ShouldStop, never, silent

if TYPE_CHECKING:
    from morpholaw.cells.movies import Movie

_SAMPLE_FRAMES = 8
_SAMPLE_CROPS = 512
_SAME_SCALE = 0.01  # pixel sizes within 1 % of each other are the same: resampling would only blur


def cut_crops(
    movie: Movie,
    tracks: pd.DataFrame,
    folder: str | os.PathLike[str],
    config: CropConfig | None = None,
    normalisation: Normalisation | None = None,
    report: Report = silent,
    should_stop: ShouldStop = never,
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
    config = config or CropConfig()
    tracks = validate_tracks(tracks, f"The track table of {movie.name}")
    plan = _plan(movie, tracks, config, report)
    cutter = _Cutter(config, plan.shape)
    kept: dict[int, np.ndarray] = {}
    if normalisation is None:
        kept = {t: movie.frame(t) for t in _spread([t for t, *_ in plan.frames], _SAMPLE_FRAMES)}
        normalisation = _fit(kept, plan.frames, cutter, movie.name, config.brightness)
    brightness: list[np.ndarray] = []
    with CropWriter(folder, config.size, overwrite) as writer:
        said = monotonic()
        raw_frames = _read(movie, [t for t, *_ in plan.frames], kept)
        for (_, y, x), raw in zip(plan.frames, raw_frames, strict=True):
            if should_stop():
                raise InterruptedError(f"Cutting {movie.name} was stopped; no crops were kept.")
            crops, own = cutter.cut(raw, y, x, normalisation)
            writer.append(crops)
            brightness.append(own)
            if monotonic() - said > 0.2 or writer.count == len(plan.rows):
                said = monotonic()
                report(Progress(writer.count, len(plan.rows), "cutting crops"))
        meta = {
            "kind": "movie",
            "normalisation": normalisation.to_json(),
            "model_pixel_size": config.model_pixel_size,
            "edge": config.edge,
            "movie": {"name": movie.name, "shape": list(movie.shape), "dtype": str(movie.dtype)},
            "sources": [_source(movie, writer.folder)] if movie.path is not None else [],
            **plan.meta,
        }
        cells = _cells(plan.rows, tracks, movie.name).assign(brightness=np.concatenate(brightness))
        return writer.finish(cells, meta)


def lineage_roots(tracks: pd.DataFrame) -> pd.Series:
    """The first ancestor's track_id of every track: a Series indexed by track_id.

    A parent that is not in the table ends the line, and so does a cycle, which no real lineage has.
    """
    first = tracks.drop_duplicates("track_id")
    ids, parents = first["track_id"].to_numpy(), first["parent"].to_numpy()
    parent_of = pd.Series(np.where(np.isin(parents, ids), parents, ids), index=ids)
    roots = parent_of.copy()
    for _ in range(len(ids).bit_length() + 1):  # each round doubles the generations climbed
        further = roots.map(roots)
        if (further == roots).all():
            break
        roots = further
    return roots


@dataclass(frozen=True)
class _Plan:
    """Which cells are cut from which frame, and where, before any pixel is read."""

    rows: pd.DataFrame
    frames: list[tuple[int, np.ndarray, np.ndarray]]  # t, and the centre pixels y and x of its cells
    shape: tuple[int, int]  # of a frame, after resampling
    meta: dict[str, Any]


def _plan(movie: Movie, tracks: pd.DataFrame, config: CropConfig, report: Report) -> _Plan:
    inside, warnings = clip_tracks(tracks, movie.shape, f"The track table of {movie.name}")
    for warning in warnings:
        report(Message(warning, level="warning"))
    factor, pixel_size = _scale(movie, config)
    height, width = (max(1, round(n * factor)) for n in movie.shape[1:])
    rows = inside.sort_values(["t", "track_id"], kind="stable", ignore_index=True)
    y = _centre(rows["y"], height / movie.shape[1], height)
    x = _centre(rows["x"], width / movie.shape[2], width)
    over = _over_edge(y, height, config.size) | _over_edge(x, width, config.size)
    counts = {"clipped": len(tracks) - len(inside), "dropped": 0, "over_edge": int(over.sum())}
    if config.edge == "drop" and over.any():
        rows, y, x = rows[~over].reset_index(drop=True), y[~over], x[~over]
        counts |= {"dropped": int(over.sum()), "over_edge": 0}
        report(
            Message(f"{over.sum()} of {len(over)} cells lie at the border of {movie.name} and were dropped.")
        )
        if len(rows) == 0:
            raise InputError(
                f"All {len(over)} cells of {movie.name} lie within {config.size // 2} pixels of the border, "
                "which the setting edge='drop' leaves out; expected 'background' or 'reflect' here."
            )
    times = rows["t"].to_numpy()
    starts = np.flatnonzero(np.diff(times, prepend=-1))
    ends = [*starts[1:], len(rows)]
    frames = [(int(times[a]), y[a:b], x[a:b]) for a, b in zip(starts, ends, strict=True)]
    sizes = {"pixel_size": pixel_size, "movie_pixel_size": _movie_pixel_size(movie, config)}
    return _Plan(rows, frames, (height, width), counts | sizes)


class _Cutter:
    """Takes crops out of frames of one size: resampled once if need be, padded once, cut together."""

    def __init__(self, config: CropConfig, shape: tuple[int, int]) -> None:
        self.size, self.edge, self.shape = config.size, config.edge, shape

    def cut(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, normalisation: Normalisation
    ) -> tuple[np.ndarray, np.ndarray]:
        """Crops uint8 (k, s, s) centred on pixels (y, x), and the brightness of their cells, float32 (k,)."""
        crops = self.cut_raw(raw, y, x, normalisation.background)
        brightness = normalisation.brightness(crops)
        return normalisation.apply(crops, brightness), brightness

    def cut_raw(
        self, raw: np.ndarray, y: np.ndarray, x: np.ndarray, background: float | None = None
    ) -> np.ndarray:
        """Crops (k, s, s) in the movie's grey values; the background is the frame's where it is not given."""
        frame = raw if raw.shape == self.shape else _resample(raw, self.shape)
        return self._slice(self._pad(frame, background), y, x)

    def _pad(self, frame: np.ndarray, background: float | None) -> np.ndarray:
        half = self.size // 2
        if self.edge == "reflect":
            return np.pad(frame, half, mode="symmetric")
        level = float(np.percentile(frame[::4, ::4], 5)) if background is None else background
        if np.issubdtype(frame.dtype, np.integer):
            limits = np.iinfo(frame.dtype)
            level = min(max(round(level), limits.min), limits.max)
        return np.pad(frame, half, constant_values=level)

    def _slice(self, padded: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(padded, (self.size, self.size))
        return windows[y, x]


def _fit(
    sample: dict[int, np.ndarray],
    frames: list[tuple[int, np.ndarray, np.ndarray]],
    cutter: _Cutter,
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


def _read(movie: Movie, times: list[int], kept: dict[int, np.ndarray]) -> Iterator[np.ndarray]:
    """Frames in order, the next one decoded while this one is cut; frames at hand are not read again."""
    with ThreadPoolExecutor(1) as reader:
        fetch = lambda t: kept.pop(t) if t in kept else movie.frame(t)  # noqa: E731
        following = reader.submit(fetch, times[0])
        for t in [*times[1:], None]:
            frame = following.result()
            if t is not None:
                following = reader.submit(fetch, t)
            yield frame


def _cells(rows: pd.DataFrame, tracks: pd.DataFrame, name: str) -> pd.DataFrame:
    names = lineage_roots(tracks).map(lambda root: f"{name}/{root}")  # one text a track, not one a row
    extra = {c: rows[c].to_numpy() for c in rows if c not in ("crop", "file", "group", "label")}
    label = rows["label"].fillna("").astype(str).to_numpy() if "label" in rows else ""
    group = rows["track_id"].map(names).to_numpy()
    return cells_table(len(rows), label=label, group=group, **extra)


def _movie_pixel_size(movie: Movie, config: CropConfig) -> float | None:
    return movie.pixel_size if config.pixel_size is None else config.pixel_size


def _scale(movie: Movie, config: CropConfig) -> tuple[float, float | None]:
    """Factor by which frames are resampled, and the crops' pixel size in micrometres."""
    pixel_size = _movie_pixel_size(movie, config)
    wanted = config.model_pixel_size
    if wanted is None:
        return 1.0, pixel_size
    if pixel_size is None:
        raise InputError(
            f"The pixel size of {movie.name} is not known, so it cannot be resampled to {wanted} um per "
            "pixel; state it (pixel_size)."
        )
    factor = pixel_size / wanted
    return (1.0, pixel_size) if abs(factor - 1) <= _SAME_SCALE else (factor, wanted)


def _resample(frame: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from skimage.transform import resize

    shrinks = shape[0] < frame.shape[0]
    return resize(frame.astype(np.float32), shape, order=1, anti_aliasing=shrinks, preserve_range=True)


def _centre(position: pd.Series, factor: float, length: int) -> np.ndarray:
    """The pixel nearest to a centroid, after resampling; pixel centres are whole numbers on both scales."""
    scaled = (position.to_numpy(np.float64) + 0.5) * factor - 0.5
    return np.clip(np.floor(scaled + 0.5).astype(np.int64), 0, length - 1)


def _over_edge(centre: np.ndarray, length: int, size: int) -> np.ndarray:
    start = centre - size // 2
    return (start < 0) | (start + size > length)


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
