"""TIFF, ImageJ TIFF and OME-TIFF stacks, read page by page or memory-mapped."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from morpholaw.cells.movie_formats.imagej import imagej_planes
from morpholaw.cells.movie_formats.ome_tiff import ome_planes
from morpholaw.cells.movie_formats.planes import Planes, select_movie
from morpholaw.cells.movie_formats.source import NO_CHOICES, Choices, FrameSource
from morpholaw.cells.movie_formats.tiff_pages import TiffPages, check_frame_claim
from morpholaw.cells.movie_formats.tiff_series import series_planes
from morpholaw.errors import InputError, reason

SUFFIXES = (".tif", ".tiff", ".stk")


def open_tiff(path: Path, choices: Choices = NO_CHOICES, one_frame: bool = False) -> FrameSource:
    """Open a TIFF stack without reading its pixels.

    Parameters
    ----------
    path : path
        File to open.
    choices : Choices
        Channel, position and slice to read, and names of the axes.
    one_frame : bool
        Whether the file is one frame of a movie in a folder.

    Returns
    -------
    FrameSource

    Raises
    ------
    InputError
        If the file is not a TIFF, is truncated, has no movie, or has several and none was chosen.
    """
    pages = TiffPages(path)
    try:
        planes = _planes(pages, choices, path)
        check_frame_claim(planes.height, planes.width, planes.dtype, pages.size, path)
        source = select_movie(planes, choices, str(path), one_frame)
    except InputError:
        pages.close()
        raise
    except Exception as error:
        pages.close()
        raise InputError(
            f"{path} is a damaged or truncated TIFF file ({reason(error)}); copy it again."
        ) from error
    return source


def _planes(pages: TiffPages, choices: Choices, path: Path) -> Planes:
    text = pages.description
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise InputError(f"{path} has XML that declares entities, which is not allowed.")
    planes = None
    if pages.tif.is_ome:
        planes = ome_planes(pages, text, choices, path)
    elif pages.tif.is_imagej:
        planes = imagej_planes(pages, choices, path)
    planes = planes or series_planes(pages, choices, path)
    return replace(planes, files=planes.files or (path,), colour_table=pages.colours() is not None)
