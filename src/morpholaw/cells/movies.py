"""Movies of any length, read one frame at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from morpholaw.cells.movie_facts import MovieFacts
from morpholaw.cells.movie_formats.array import open_array
from morpholaw.cells.movie_formats.folder import open_folder, open_png
from morpholaw.cells.movie_formats.ome_zarr import open_ome_zarr
from morpholaw.cells.movie_formats.source import FrameSource, MovieWarning
from morpholaw.cells.movie_formats.tiff import open_tiff
from morpholaw.cells.zarr_files import is_zarr
from morpholaw.errors import InputError, reason

__all__ = ["Movie", "MovieFacts", "MovieWarning", "open_movie"]


class Movie:
    """One channel over time, axes (t, y, x), that never has to fit in memory.

    Attributes
    ----------
    shape : tuple of int
        Frames, height and width.
    dtype : numpy.dtype
        Of a pixel: integer or float, native byte order.
    pixel_size : float or None
        Micrometres per pixel; None where neither the file nor the user says.
    name : str
        How messages and tables call the movie.
    path : pathlib.Path or None
        Where it is; None for an array.
    facts : MovieFacts
        How the movie is understood, and where each fact comes from.
    """

    def __init__(
        self, source: FrameSource, name: str, path: Path | None = None, pixel_size: float | None = None
    ) -> None:
        self._source = source
        self.shape = source.shape
        self.dtype = source.dtype
        self.pixel_size = source.pixel_size if pixel_size is None else float(pixel_size)
        self.name = name
        self.path = path
        origin = "given" if pixel_size is not None else "header" if self.pixel_size is not None else None
        self.facts = MovieFacts(
            *self.shape,
            dtype=self.dtype,
            pixel_size=self.pixel_size,
            pixel_size_source=origin,
            files=() if path is None else (path,),
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return self.frames()

    def __repr__(self) -> str:
        size = "unknown pixel size" if self.pixel_size is None else f"{self.pixel_size:.4g} um/pixel"
        return f"Movie({self.name!r}, {' x '.join(map(str, self.shape))} {self.dtype}, {size})"

    def frame(self, t: int) -> np.ndarray:
        """Read frame ``t``.

        Returns
        -------
        numpy.ndarray
            (y, x), the raw pixels in the movie's dtype; a copy that the caller may change.

        Raises
        ------
        IndexError
            There is no such frame.
        InputError
            The frame cannot be read, or has pixels that are not a number.
        """
        t = int(t)
        if not 0 <= t < len(self):
            raise IndexError(f"frame {t} of {self.name}, which has frames 0 to {len(self) - 1}")
        try:
            frame = np.array(self._source.read(t), dtype=self.dtype)
        except InputError:
            raise
        except MemoryError:
            size = " x ".join(map(str, self.shape[1:]))
            raise InputError(
                f"Frame {t} of {self.name} ({size} {self.dtype}) does not fit in this machine's free memory."
            ) from None
        except Exception as error:
            # Whatever a decoder says about a damaged file, the person can only do one thing about it.
            raise InputError(f"Frame {t} of {self.name} cannot be read: {reason(error)}.") from error
        self._check(frame, t)
        return frame

    def _check(self, frame: np.ndarray, t: int) -> None:
        if frame.shape != self.shape[1:]:
            found = " x ".join(map(str, frame.shape))
            raise InputError(
                f"Frame {t} of {self.name} is {found}, but the header says {self.shape[1]} x {self.shape[2]}."
            )
        if frame.dtype.kind == "f" and not (finite := np.isfinite(frame)).all():
            raise InputError(
                f"Frame {t} of {self.name} has {frame.size - int(finite.sum())} pixels that are not a finite "
                "number (NaN or infinity); fill them before cutting crops."
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
) -> Movie:
    """Open a movie without reading its pixels.

    Parameters
    ----------
    source : path or array
        A TIFF or OME-TIFF stack, a folder of TIFF or PNG frames, an OME-Zarr or zarr folder, or an array
        (t, y, x) from numpy, dask, zarr or a napari layer. Axes of length one do not count.
    name : str, optional
        Default: the file's name without its suffix.
    pixel_size : float, optional
        Micrometres per pixel; wins over what the file says.
    channel : int or str, optional
        Which channel to read where there are several: its name, or its number counted from 0.
    position : int or str, optional
        Which position (field, scene, series) to read where there are several: its name, or its number from 0.
    z : int or str, optional
        What to read of a z-stack: "max", "mean", or the number of a slice counted from 0.
    axes : str, optional
        One letter per axis of the source ("tyx", "yxt", "tcyx"), where the file does not name its axes or names
        them wrongly.

    Returns
    -------
    Movie
        Its ``facts`` say how it was understood.

    Raises
    ------
    InputError
        There is no such file, it cannot be read, or it is not a one-channel 2D movie.
    """
    if pixel_size is not None and not (math.isfinite(pixel_size) and pixel_size > 0):
        raise InputError(f"The pixel size is {pixel_size}, but a number of micrometres above 0 was expected.")
    if isinstance(source, Movie):
        return Movie(source._source, name or source.name, source.path, pixel_size or source.pixel_size)
    if not isinstance(source, (str, os.PathLike)):
        name = name or "the array"
        return Movie(open_array(source, name), name, None, pixel_size)
    path = Path(source)
    return Movie(_open_path(path), name or _short_name(path), path, pixel_size)


def _open_path(path: Path) -> FrameSource:
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if is_zarr(path):
        return open_ome_zarr(path)
    if path.is_dir():
        return open_folder(path)
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty.")
    if path.suffix.lower() == ".png":
        return open_png(path)
    return open_tiff(path)


def _short_name(path: Path) -> str:
    name = path.resolve().name
    for suffix in (".ome.tiff", ".ome.tif", ".ome.zarr", ".tiff", ".tif", ".zarr", ".png"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
