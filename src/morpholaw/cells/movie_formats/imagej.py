"""ImageJ hyperstacks. Their header gives channels, slices and frames; if it is outdated, the pages decide."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from morpholaw.cells.movie_formats.array import array_planes
from morpholaw.cells.movie_formats.page_stack import PageStack, stack_for
from morpholaw.cells.movie_formats.planes import Planes
from morpholaw.cells.movie_formats.source import Choices
from morpholaw.cells.movie_formats.tiff_pages import TiffPages
from morpholaw.cells.movie_formats.units import PixelSize, micrometres, pixel_size, real, seconds
from morpholaw.errors import InputError

_ORDERS = {"czt", "ctz", "zct", "ztc", "tcz", "tzc"}
_MOST = 2**40


def imagej_planes(pages: TiffPages, choices: Choices, path: Path) -> Planes | None:
    """Describe an ImageJ hyperstack; return None if its header cannot be understood.

    Raises
    ------
    InputError
        If the header contradicts the pages in a way that cannot be resolved, or the file is truncated.
    """
    header: dict[str, Any] = pages.tif.imagej_metadata or {}
    sizes = {
        axis: _count(header.get(key))
        for axis, key in zip("czt", ("channels", "slices", "frames"), strict=True)
    }
    if None in sizes.values():
        return None
    lengths = {axis: n or 1 for axis, n in sizes.items()}
    letters = _order(header, lengths, path)[::-1]
    page = pages.first
    shape, axes = tuple(int(n) for n in page.shape), page.axes.lower()
    if "s" in axes and lengths["c"] == shape[axes.index("s")]:
        lengths["c"] = 1  # Bio-Formats counts the samples of a colour page as channels
    where = str(path)
    total = math.prod(lengths.values())
    notes: list[str] = []
    array: Any
    if _is_virtual(pages, total):
        leading = tuple(lengths[a] for a in letters)
        pages.check_missing(page.dataoffsets[0] + total * page.nbytes - pages.size)
        stored = np.dtype(page.dtype).newbyteorder(pages.tif.byteorder)
        array = np.memmap(path, dtype=stored, mode="r", offset=page.dataoffsets[0], shape=(*leading, *shape))
    else:
        lengths, note = _agreed(lengths, len(pages), header, where)
        notes += [note] if note else []
        leading = tuple(lengths[a] for a in letters)
        pages.check_whole(len(pages) - 1)
        dtype = np.dtype(page.dtype) if page.dtype is not None else np.dtype("u1")
        array = PageStack(leading, shape, dtype, pages.read, where)
    planes = array_planes(stack_for(array, choices.axes), where, letters + axes, choices.axes)
    scale, note = imagej_scale(pages, header)
    notes += [f"{where}: {note}"] if note else []
    interval = seconds(real(header.get("finterval")), header.get("tunit", "sec"))
    return replace(
        planes,
        format="ImageJ TIFF",
        pixel_size=scale,
        frame_interval=interval,
        frame_interval_source="ImageJ header" if interval else None,
        notes=tuple(notes),
    )


def imagej_scale(pages: TiffPages, header: dict[str, Any]) -> tuple[PixelSize | None, str | None]:
    """Return the pixel size of an ImageJ header, and a note if it cannot be correct."""
    unit = header.get("unit")
    if unit is None:
        return pages.resolution(), None
    page = pages.first
    if "XResolution" not in page.tags or "YResolution" not in page.tags:
        return None, None
    per_x, per_y = (float(n) for n in page.resolution)
    um_x, um_y = micrometres(str(unit)), micrometres(str(header.get("yunit") or unit))
    if not (per_x > 0 and per_y > 0 and um_x and um_y):
        return None, None
    return pixel_size(um_y / per_y, um_x / per_x, "ImageJ header")


def _order(header: dict[str, Any], lengths: dict[str, int], path: Path) -> str:
    """Return the order of the images, the axis that changes fastest first; the header seldom names it."""
    stated = str(header.get("order", "czt"))
    order = stated.lower().strip().removesuffix("(default)").removeprefix("xy")
    if order in _ORDERS:
        return order
    if order not in ("", "default") and sum(n > 1 for n in lengths.values()) > 1:
        raise InputError(
            f"{path} has an ImageJ header that names an unknown order of its images, {stated!r}; open it in Fiji and "
            "save it again."
        )
    return "czt"


def _is_virtual(pages: TiffPages, total: int) -> bool:
    """Return whether only the first of ``total`` images has a page, and the others follow its data."""
    page = pages.first
    if total <= 1 or not page.is_contiguous or int(page.compression) != 1 or int(page.predictor) != 1:
        return False
    if len(pages) == 1:
        return True
    after: int = pages.page(1).offset
    return bool(len(pages) < total and after >= page.dataoffsets[0] + total * page.nbytes)


def _agreed(
    lengths: dict[str, int], stored: int, header: dict[str, Any], where: str
) -> tuple[dict[str, int], str | None]:
    """Return the lengths of the axes according to the existing pages, and a note if the header differs."""
    total = math.prod(lengths.values())
    if total == stored:
        return lengths, None
    long = [axis for axis, n in lengths.items() if n > 1]
    if not long:
        # ImageJ writes only the number of images if there is a single axis.
        stated = _count(header.get("images")) or 1
        lengths = {**lengths, "t": stored}
        note = None if stated in (1, stored) else _other_count(where, stated, stored)
        return lengths, note
    if long in (["t"], ["z"]):
        return {**lengths, long[0]: stored}, _other_count(where, total, stored)
    names = {"c": "channels", "z": "slices", "t": "frames"}
    text = ", ".join(f"{lengths[axis]} {names[axis]}" for axis in "czt")
    raise InputError(
        f"{where} contains {stored} images, but its ImageJ header says {text}; open it in Fiji, correct the numbers "
        "(Image > Properties) and save it again."
    )


def _other_count(where: str, stated: int, stored: int) -> str:
    return (
        f"{where}: its ImageJ header says {stated} images, but it contains {stored}; all of these are read."
    )


def _count(value: object) -> int | None:
    """Return a positive integer from a header; 1 if it is missing, None if it is invalid."""
    if value is None:
        return 1
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 < value < _MOST else None
