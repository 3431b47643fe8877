"""Movies of any length, read one frame at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from morpholaw.cells.files import refuse_special
from morpholaw.cells.frames_apart import frames_apart
from morpholaw.cells.movie_facts import MovieFacts
from morpholaw.cells.movie_formats.array import open_array, open_npy
from morpholaw.cells.movie_formats.folder import open_folder
from morpholaw.cells.movie_formats.ome_tiff import open_companion
from morpholaw.cells.movie_formats.ome_zarr import open_ome_zarr
from morpholaw.cells.movie_formats.other_files import refuse_address, refuse_file, unknown_file
from morpholaw.cells.movie_formats.planes import select_movie
from morpholaw.cells.movie_formats.png import open_png
from morpholaw.cells.movie_formats.source import Choices, FrameSource, MovieWarning
from morpholaw.cells.movie_formats.tiff import SUFFIXES, open_tiff
from morpholaw.cells.movie_formats.tiff_pages import STARTS
from morpholaw.cells.movie_formats.vendor import VENDORS, open_vendor, vendor_of
from morpholaw.cells.stand_ins import refuse_stand_in
from morpholaw.cells.zarr_files import is_zarr
from morpholaw.errors import InputError, reason

__all__ = ["Movie", "MovieFacts", "MovieWarning", "open_masks", "open_movie"]


class Movie:
    """A movie of one channel with axes (t, y, x), read lazily.

    Attributes
    ----------
    shape : tuple of int
        Frames, height and width.
    dtype : numpy.dtype
        Type of a pixel: integer or float, native byte order.
    pixel_size : float or None
        Micrometres per pixel; None if neither the file nor the user states it.
    name : str
        Name in messages and tables.
    path : pathlib.Path or None
        Path of the file or folder; None for an array.
    facts : MovieFacts
        How the movie is understood, with the source of each fact.
    """

    def __init__(
        self, source: FrameSource, name: str, path: Path | None = None, pixel_size: float | None = None
    ) -> None:
        self._source = source
        self.facts = _with_pixel_size(source, str(path or name), pixel_size)
        self.shape = self.facts.shape
        self.dtype = self.facts.dtype
        self.pixel_size = self.facts.pixel_size
        self.name = name
        self.path = path

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read every frame in order."""
        return self.frames()

    def __repr__(self) -> str:
        """Describe the movie in one line."""
        size = "unknown pixel size" if self.pixel_size is None else f"{self.pixel_size:.4g} µm/pixel"
        return f"Movie({self.name!r}, {' x '.join(map(str, self.shape))} {self.dtype}, {size})"

    def frame(self, t: int) -> np.ndarray:
        """Read frame ``t``.

        Parameters
        ----------
        t : int
            Number of the frame, counted from 0.

        Returns
        -------
        numpy.ndarray
            Raw pixels, (y, x), of the movie's dtype; a copy that the caller may change.

        Raises
        ------
        IndexError
            If the frame does not exist.
        InputError
            If the frame cannot be read, or has pixels that are not finite.
        """
        t = int(t)
        if not 0 <= t < len(self):
            raise IndexError(f"{self.name} has frames 0 to {len(self) - 1}, but no frame {t}")
        try:
            pixels = self._source.read(t)
            reusable = pixels.dtype == self.dtype and self._source.fresh
            frame = pixels if reusable else np.array(pixels, dtype=self.dtype)
        except InputError:
            raise
        except MemoryError:
            size = " x ".join(map(str, self.shape[1:]))
            raise InputError(
                f"Frame {t} of {self.name} ({size} {self.dtype}) does not fit in this machine's free memory."
            ) from None
        except Exception as error:
            # Whatever a decoder reports about a damaged file, the user's options are the same.
            raise InputError(f"Frame {t} of {self.name} cannot be read: {reason(error)}.") from error
        self._check(frame, t)
        return frame

    def _check(self, frame: np.ndarray, t: int) -> None:
        if frame.shape != self.shape[1:]:
            size = " x ".join(map(str, frame.shape))
            raise InputError(
                f"Frame {t} of {self.name} is {size}, but the header says {self.shape[1]} x {self.shape[2]}."
            )
        if frame.dtype.kind == "f" and not (finite := np.isfinite(frame)).all():
            raise InputError(
                f"Frame {t} of {self.name} has {frame.size - int(finite.sum())} pixels that are not finite "
                "numbers (NaN or infinity); fill them before cutting crops."
            )

    def frames(self) -> Iterator[np.ndarray]:
        """Read every frame in order, one at a time."""
        return (self.frame(t) for t in range(len(self)))


def open_movie(
    source: Any,
    name: str | None = None,
    pixel_size: float | None = None,
    channel: int | str | None = None,
    position: int | str | None = None,
    z: int | str | None = None,
    axes: str | None = None,
    apart: bool = False,
) -> Movie:
    """Open a movie without reading its pixels.

    Parameters
    ----------
    source : path or array
        A TIFF or OME-TIFF stack, a folder of TIFF or PNG frames, an OME-Zarr or zarr folder, a .npy file, a file of a
        microscope manufacturer (CZI, ND2, LIF, ...; needs the extra ``vendor``), or an array (t, y, x) from NumPy,
        dask, zarr or a napari layer. Axes of length one are ignored.
    name : str, optional
        Name of the movie; by default the file's name without its suffix.
    pixel_size : float, optional
        Micrometres per pixel; overrides the value in the file.
    channel : int or str, optional
        Channel to read if there are several: its name, or its number counted from 0.
    position : int or str, optional
        Position (field, scene, series) to read if there are several: its name, or its number counted from 0.
    z : int or str, optional
        How to reduce a z-stack: "max", "mean", or the number of a slice counted from 0.
    axes : str, optional
        One letter per axis of the source ("tyx", "yxt", "tcyx"), if the file does not name its axes or names
        them wrongly. For a folder: one letter for each number that changes in the names, then y and x.
    apart : bool
        Read the file in a separate process, which is terminated if it takes too much memory or time. For files from
        others.

    Returns
    -------
    Movie
        The movie. Its ``facts`` state how it was understood; ``facts.notes`` should be shown to the user.

    Raises
    ------
    InputError
        If the file does not exist, cannot be read, or has several movies and none was chosen.
    """
    if pixel_size is not None and not (math.isfinite(pixel_size) and pixel_size > 0):
        raise InputError(f"The pixel size is {pixel_size}; expected a positive number of micrometres.")
    if isinstance(source, Movie):
        return Movie(source._source, name or source.name, source.path, pixel_size or source.pixel_size)
    choices = Choices(channel, position, z, axes)
    if not isinstance(source, (str, os.PathLike)):
        name = name or "the array"
        return Movie(open_array(source, name, choices), name, None, pixel_size)
    refuse_address(os.fspath(source))
    path = Path(source)
    refuse_special(path)
    opened = frames_apart(partial(_open_path, path, choices), path) if apart else _open_path(path, choices)
    return Movie(opened, name or _short_name(path), path, pixel_size)


def open_masks(source: str | os.PathLike[str]) -> Movie:
    """Open a movie of masks; in a folder with both frames and masks, open the masks."""
    path = Path(source)
    refuse_address(os.fspath(source))
    opened = open_folder(path, masks=True) if path.is_dir() and not is_zarr(path) else None
    return Movie(opened or _open_path(path, Choices()), _short_name(path), path, pixel_size=1.0)


def _with_pixel_size(source: FrameSource, where: str, stated: float | None) -> MovieFacts:
    if stated is not None:
        return replace(source.facts, pixel_size=float(stated), pixel_size_source="given")
    if source.pixel_size is None:
        return source.facts
    side = source.pixel_size.side(where)
    return replace(source.facts, pixel_size=side, pixel_size_source=source.pixel_size.source)


def _open_path(path: Path, choices: Choices) -> FrameSource:
    try:
        if not path.exists():
            raise InputError(f"There is no file or folder {path}.")
        if path.is_dir():
            vendor = vendor_of(path)
            if vendor is not None and not is_zarr(path):
                return open_vendor(path, vendor, choices)
            return open_ome_zarr(path, choices) if is_zarr(path) else open_folder(path, choices)
        if not path.is_file():
            raise InputError(f"{path} is neither a file nor a folder.")
        with path.open("rb") as handle:
            start = handle.read(512)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not start:
        raise InputError(f"{path} is empty.")
    return _open_file(path, start, choices)


def _open_file(path: Path, start: bytes, choices: Choices) -> FrameSource:
    """Open a file by its first bytes, or by its suffix if they are not characteristic."""
    refuse_stand_in(start, path)
    suffix = path.suffix.lower()
    if start.startswith(STARTS):
        return open_tiff(path, choices)
    if start.startswith(b"\x89PNG") or suffix == ".png":
        return open_png(path, choices)
    if start.startswith(b"\x93NUMPY") or suffix == ".npy":
        return open_npy(path, choices)
    if path.name.lower().endswith(".companion.ome") or b"<OME" in start:
        return select_movie(open_companion(path, choices), choices, str(path))
    if vendor := vendor_of(path, start):
        return open_vendor(path, vendor, choices)
    if suffix in SUFFIXES:
        return open_tiff(path, choices)
    refuse_file(path, start)
    raise unknown_file(path)


def _short_name(path: Path) -> str:
    name = path.resolve().name
    for suffix in (
        ".ome.tiff",
        ".ome.tif",
        ".ome.zarr",
        ".companion.ome",
        ".tiff",
        ".tif",
        ".zarr",
        ".png",
        ".npy",
    ):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(name).stem if path.suffix.lower() in VENDORS else name
