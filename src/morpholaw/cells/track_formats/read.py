"""Detection of the format of a tracks file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.files import refuse_special
from morpholaw.cells.movie_formats.array import load_npy
from morpholaw.cells.movie_formats.tiff_pages import STARTS
from morpholaw.cells.stand_ins import refuse_stand_in
from morpholaw.cells.text_table import refuse_packed
from morpholaw.cells.track_formats.btrack import read_btrack
from morpholaw.cells.track_formats.ctc import ctc_folder, read_ctc
from morpholaw.cells.track_formats.facts import TrackContext, TrackFacts, Tracks
from morpholaw.cells.track_formats.geff import is_geff, read_geff
from morpholaw.cells.track_formats.label_stack import read_label_stack
from morpholaw.cells.track_formats.track_table import read_track_table, track_table
from morpholaw.cells.track_formats.trackmate import read_trackmate
from morpholaw.cells.zarr_files import attributes, is_zarr
from morpholaw.errors import InputError

FORMATS = "a CTC folder, btrack HDF5, TrackMate XML, GEFF, a table (CSV) or a label stack"
_OURS = ("track_id", "t", "y", "x")
_TABLES = (".csv", ".tsv", ".txt", ".dat", ".tab", ".xls")
"""Endings of text tables; ImageJ gives its tables that of a workbook."""


def read_raw_tracks(source: Any, context: TrackContext) -> Tracks:
    """Read raw tracks, not yet validated or matched to the frames of the movie.

    Parameters
    ----------
    source : path, array or DataFrame
        As for :func:`morpholaw.cells.tracks.open_tracks`.
    context : TrackContext
        Known facts about the movie.

    Returns
    -------
    Tracks

    Raises
    ------
    InputError
        If the file is missing, damaged or of an unknown format.
    """
    if isinstance(source, pd.DataFrame):
        return _read_frame(source, context)
    if not isinstance(source, (str, os.PathLike)):
        return read_label_stack(source, context)
    path = Path(source)
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if path.is_dir():
        return _read_folder(path, context)
    refuse_special(path)
    with path.open("rb") as handle:
        start = handle.read(512)
    if not start:
        raise InputError(f"{path} is empty.")
    refuse_stand_in(start, path)
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return read_btrack(path, context)
    if start.startswith(STARTS):
        return read_label_stack(path, context)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_trackmate(path, context)
    suffix = path.suffix.lower()
    if start.startswith(b"PK\x03\x04") and suffix == ".npz":
        raise InputError(
            f"{path} is an archive of NumPy arrays; save the masks or tracks separately, as .npy or TIFF."
        )
    refuse_packed(start, path, "the table of tracks")
    if start.startswith(b"\x93NUMPY"):
        return _read_npy(path, context)
    if suffix == ".txt" and ctc_folder(path) is not None:
        return read_ctc(path, context)
    if suffix in _TABLES:
        return read_track_table(path, context)
    raise InputError(f"The format of the tracks in {path} is unknown; expected {FORMATS}.")


def _read_npy(path: Path, context: TrackContext) -> Tracks:
    """Read masks (t, y, x), or data of a napari tracks layer: one row of id, frame and position per cell."""
    array = load_npy(path)
    names = {4: list(_OURS), 5: ["track_id", "t", "z", "y", "x"]}
    if array.ndim == 2 and array.dtype.kind in "iuf" and array.shape[1] in names:
        table = pd.DataFrame(np.asarray(array), columns=names[array.shape[1]])
        return track_table(table, {}, str(path), context, [])
    return read_label_stack(path, context)


def _read_folder(path: Path, context: TrackContext) -> Tracks:
    if is_geff(path) or (is_zarr(path) and "geff_version" in attributes(path)):
        return read_geff(path, context)
    if ctc_folder(path) is not None:
        return read_ctc(path, context)
    return read_label_stack(path, context)


def _read_frame(table: pd.DataFrame, context: TrackContext) -> Tracks:
    """Use a table in memory unchanged if it has our columns, else interpret it like a file's table."""
    if set(_OURS) <= set(map(str, table.columns)):
        return Tracks(table, TrackFacts(format="table in memory"))
    return track_table(table, {}, "The track table", context, [])
