"""A folder with one TIFF or PNG file per frame, in natural order (t2 before t10)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from morpholaw.cells.movie_formats.source import FrameSource, check_size
from morpholaw.cells.movie_formats.tiff import SUFFIXES as TIFF_SUFFIXES
from morpholaw.cells.movie_formats.tiff import open_tiff
from morpholaw.errors import InputError

_GREY_MODES = {"L", "I", "I;16", "I;16B", "I;16L"}


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that orders the numbers inside names by value."""
    parts = re.split(r"(\d+)", name.lower())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def frame_files(folder: Path) -> list[Path]:
    """The frames in ``folder``: its TIFF files, or else its PNG files, in natural order.

    Raises
    ------
    InputError
        The folder holds neither, or both.
    """
    files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    tiffs = [p for p in files if p.suffix.lower() in TIFF_SUFFIXES]
    pngs = [p for p in files if p.suffix.lower() == ".png"]
    if tiffs and pngs:
        raise InputError(
            f"{folder} holds both TIFF and PNG files, but one file a frame of one kind was expected."
        )
    if not (tiffs or pngs):
        raise InputError(f"{folder} holds no TIFF or PNG files, but one file a frame was expected.")
    return sorted(tiffs or pngs, key=lambda p: natural_key(p.name))


def open_folder(folder: Path, files: list[Path] | None = None) -> FrameSource:
    """Open a folder of frames; only the first file is looked at until a frame is asked for.

    Raises
    ------
    InputError
        There is no frame, or the first cannot be used.
    """
    files = frame_files(folder) if files is None else files
    first = open_frame(files[0])
    shape = (len(files), *first.shape[1:])
    check_size(shape, str(folder))

    def read(t: int) -> np.ndarray:
        frame = open_frame(files[t])
        if frame.shape != first.shape or frame.dtype != first.dtype:
            raise InputError(
                f"{files[t]} is {frame.shape[1]} x {frame.shape[2]} {frame.dtype}, but the first frame, "
                f"{files[0].name}, is {first.shape[1]} x {first.shape[2]} {first.dtype}."
            )
        return frame.read(0)

    return FrameSource(shape, first.dtype, read, first.pixel_size)


def open_frame(path: Path) -> FrameSource:
    """Open a file that holds one frame."""
    source = open_png(path) if path.suffix.lower() == ".png" else open_tiff(path)
    if source.shape[0] != 1:
        raise InputError(f"{path} holds {source.shape[0]} frames, but a folder of frames has one a file.")
    return source


def open_png(path: Path) -> FrameSource:
    """Open a grey PNG file as a movie of one frame."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG",)) as image:
            mode, (width, height) = image.mode, image.size
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not a PNG file that can be read.") from error
    if mode not in _GREY_MODES:
        raise InputError(
            f"{path} is a PNG image of mode {mode}, but a grey one with 8 or 16 bits was expected."
        )
    check_size((1, height, width), str(path))

    def read(t: int) -> np.ndarray:
        with Image.open(path, formats=("PNG",)) as image:
            return np.asarray(image).astype(dtype, copy=False)

    dtype = np.dtype("uint8" if mode == "L" else "uint16")
    return FrameSource((1, height, width), dtype, read)
