"""Which format a file of tracks is in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from morpholaw.cells.track_formats.btrack import read_btrack
from morpholaw.cells.track_formats.ctc import ctc_folder, read_ctc
from morpholaw.cells.track_formats.geff import is_geff, read_geff
from morpholaw.cells.track_formats.label_stack import read_label_stack
from morpholaw.cells.track_formats.napari_csv import read_napari_csv
from morpholaw.cells.track_formats.trackmate import read_trackmate
from morpholaw.errors import InputError

FORMATS = "a CTC folder, btrack HDF5, TrackMate XML, GEFF, a napari tracks CSV or a label stack"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_raw_tracks(
    source: Any,
    movie_shape: tuple[int, int, int] | None = None,
    pixel_size: float | None = None,
    ids_per_frame: bool = False,
) -> pd.DataFrame:
    """Read a track table as the file has it, not yet validated; parameters as in ``read_tracks``."""
    if not isinstance(source, (str, os.PathLike)):
        return read_label_stack(source, ids_per_frame)
    path = Path(source)
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if path.is_dir():
        return _read_folder(path, pixel_size, ids_per_frame)
    with path.open("rb") as handle:
        start = handle.read(512)
    if not start:
        raise InputError(f"{path} is empty.")
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return read_btrack(path, movie_shape)
    if start.startswith(_TIFF_STARTS):
        return read_label_stack(path, ids_per_frame)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_trackmate(path, pixel_size)
    if path.suffix.lower() == ".txt" and ctc_folder(path) is not None:
        return read_ctc(path)
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return read_napari_csv(path)
    raise InputError(f"{path} is in no known format of tracks; {FORMATS} was expected.")


def _read_folder(path: Path, pixel_size: float | None, ids_per_frame: bool) -> pd.DataFrame:
    if is_geff(path):
        return read_geff(path, pixel_size)
    if ctc_folder(path) is not None:
        return read_ctc(path)
    return read_label_stack(path, ids_per_frame)


def format_name(source: Any) -> str:
    """Name the format of a source that :func:`read_raw_tracks` reads."""
    if not isinstance(source, (str, os.PathLike)):
        return "label stack"
    path = Path(source)
    if path.is_dir():
        return "GEFF" if is_geff(path) else "CTC folder" if ctc_folder(path) is not None else "label stack"
    with path.open("rb") as handle:
        start = handle.read(512)
    if start.startswith(b"\x89HDF"):
        return "btrack HDF5"
    if start.startswith(_TIFF_STARTS):
        return "label stack"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "TrackMate XML"
    return "CTC folder" if path.suffix.lower() == ".txt" and ctc_folder(path) is not None else "table"
