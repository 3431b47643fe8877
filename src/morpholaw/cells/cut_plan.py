"""Planning of crops before any pixel is read: which cells of a movie are cut from which frame, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.families import families
from morpholaw.cells.track_validation import clip_tracks
from morpholaw.config import CropConfig
from morpholaw.errors import InputError
from morpholaw.events import Monitor

if TYPE_CHECKING:
    from morpholaw.cells.movies import Movie

SAME_SCALE = 0.01
"""Relative difference below which pixel sizes count as equal, because resampling would only blur."""


@dataclass(frozen=True)
class CutPlan:
    """The cells of a movie in the order of frames, and where each is cut.

    Attributes
    ----------
    rows : DataFrame
        Rows of the tracks, one per cell.
    frames : list of (int, ndarray, ndarray)
        Frame number, and the y and x pixels of its cells' centres after resampling.
    shape : tuple of int
        Height and width of a frame after resampling.
    pixel_size, movie_pixel_size : float or None
        Pixel size of the crops and of the movie, in micrometres.
    clipped, dropped, over_edge : int
        Number of cells left out because they are outside the movie or at its border, and number of crops that extend
        beyond the border.
    """

    rows: pd.DataFrame
    frames: list[tuple[int, np.ndarray, np.ndarray]]
    shape: tuple[int, int]
    pixel_size: float | None
    movie_pixel_size: float | None
    clipped: int
    dropped: int
    over_edge: int


def plan_cuts(movie: Movie, tracks: pd.DataFrame, config: CropConfig, monitor: Monitor) -> CutPlan:
    """Plan the cutting of validated ``tracks`` (see :func:`morpholaw.cells.track_validation.validate_tracks`)."""
    inside, warnings = clip_tracks(tracks, movie.shape, f"The track table of {movie.name}")
    for warning in warnings:
        monitor.warn(warning)
    factor, pixel_size = _scale(movie, config)
    height, width = (max(1, round(n * factor)) for n in movie.shape[1:])
    rows = inside.sort_values(["t", "track_id"], kind="stable", ignore_index=True)
    y = _centre(rows["y"], height / movie.shape[1], height)
    x = _centre(rows["x"], width / movie.shape[2], width)
    over = _over_edge(y, height, config.size) | _over_edge(x, width, config.size)
    dropped = 0
    if config.edge == "drop" and over.any():
        dropped = int(over.sum())
        rows, y, x = rows[~over].reset_index(drop=True), y[~over], x[~over]
        monitor.tell(f"{dropped} of {len(over)} cells lie at the border of {movie.name} and were dropped.")
        if len(rows) == 0:
            raise InputError(
                f"All {len(over)} cells of {movie.name} are within {config.size // 2} pixels of the border, "
                "where edge='drop' leaves cells out; use edge='background' or 'reflect' for this movie."
            )
    times = rows["t"].to_numpy()
    starts = np.flatnonzero(np.diff(times, prepend=-1))
    ends = [*starts[1:], len(rows)]
    frames = [(int(times[a]), y[a:b], x[a:b]) for a, b in zip(starts, ends, strict=True)]
    return CutPlan(
        rows,
        frames,
        (height, width),
        pixel_size=pixel_size,
        movie_pixel_size=_movie_pixel_size(movie, config),
        clipped=len(tracks) - len(inside),
        dropped=dropped,
        over_edge=0 if dropped else int(over.sum()),
    )


def planned_cells(rows: pd.DataFrame, tracks: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the table of the planned cells; tracks connected by divisions or merges are one group."""
    names = families(tracks).map(lambda family: f"{name}/{family}")  # one text per track, not one per row
    extra = {c: rows[c].to_numpy() for c in rows if c not in ("crop", "file", "group", "label", "family")}
    label = rows["label"].fillna("").astype(str).to_numpy() if "label" in rows else ""
    group = rows["track_id"].map(names).to_numpy()
    return cells_table(len(rows), label=label, group=group, **extra)


def _movie_pixel_size(movie: Movie, config: CropConfig) -> float | None:
    return movie.pixel_size if config.pixel_size is None else config.pixel_size


def _scale(movie: Movie, config: CropConfig) -> tuple[float, float | None]:
    """Return the factor by which frames are resampled, and the pixel size of the crops in micrometres."""
    pixel_size = _movie_pixel_size(movie, config)
    wanted = config.model_pixel_size
    if wanted is None:
        return 1.0, pixel_size
    if pixel_size is None:
        raise InputError(
            f"The pixel size of {movie.name} is unknown, so it cannot be resampled to {wanted} µm per "
            "pixel; set pixel_size."
        )
    factor = pixel_size / wanted
    return (1.0, pixel_size) if abs(factor - 1) <= SAME_SCALE else (factor, wanted)


def _centre(position: pd.Series, factor: float, length: int) -> np.ndarray:
    """Return the pixel nearest to a centroid after resampling; pixel centres are integers on both scales."""
    scaled = (position.to_numpy(np.float64) + 0.5) * factor - 0.5
    places: np.ndarray = np.clip(np.floor(scaled + 0.5).astype(np.int64), 0, length - 1)
    return places


def _over_edge(centre: np.ndarray, length: int, size: int) -> np.ndarray:
    start = centre - size // 2
    return (start < 0) | (start + size > length)
