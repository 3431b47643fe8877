"""Cutting of crops around every tracked cell of a movie, directly to disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from morpholaw.cells.crop_centring import CropCentring
from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import CropWriter
from morpholaw.cells.movie_cells import MovieCells
from morpholaw.cells.normalise import Normalisation
from morpholaw.cells.tracker_masks import TrackerMasks
from morpholaw.config import CropConfig
from morpholaw.display import first_few
from morpholaw.events import SILENT, Monitor

if TYPE_CHECKING:
    from morpholaw.cells.movies import Movie


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
            monitor.warn(sentence)
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
    monitor.warn(
        f"{empty.sum()} of {len(empty)} crops of {name} have the same grey value in all pixels (frame"
        f"{'s' if len(frames) > 1 else ''} {shown}): blank or saturated. Do not label them."
    )
