"""TIFF, ImageJ TIFF and OME-TIFF stacks, read page by page or memory-mapped."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.cells.movie_formats.source import (
    FrameSource,
    check_dtype,
    check_size,
    micrometres,
    pixel_side,
    time_axis,
)
from morpholaw.errors import InputError, reason

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

SUFFIXES = (".tif", ".tiff")
_COARSEST = (
    20.0  # um; a larger "pixel" is the resolution of a printer (72 dpi is 353 um), not of a microscope
)
_SMALL_FRAME = 2**28  # bytes: a frame that any machine can hold
_DENSEST = 1100  # bytes of a frame that one byte of a file can stand for (deflate: 1032)


def open_tiff(path: Path) -> FrameSource:
    """Open a TIFF stack without reading its pixels.

    Raises
    ------
    InputError
        The file is not a TIFF, is truncated, or is not a one-channel 2D movie.
    """
    import tifffile

    try:
        tif = tifffile.TiffFile(path)
    except Exception as error:
        raise InputError(f"{path} is not a TIFF file that can be read: {reason(error)}.") from error
    try:
        source = _source(tif, path)
    except InputError:
        tif.close()
        raise
    except Exception as error:
        tif.close()
        raise InputError(
            f"{path} is a damaged or truncated TIFF file ({reason(error)}); copy it again."
        ) from error
    weakref.finalize(source, tif.close)
    return source


def _source(tif: TiffFile, path: Path) -> FrameSource:
    ome = _ome_pixels(tif, path)  # before the series: tifffile parses the same XML, less carefully
    found = list(tif.series)
    if _is_frame_by_frame(tif, found):
        return _frames(tif, ome, path)
    series = _only_movie(found, path)
    shape, axes = tuple(series.shape), series.axes
    at = time_axis(shape, axes, str(path))
    size = (1 if at is None else shape[at], shape[-2], shape[-1])
    check_size(size, str(path))
    dtype = check_dtype(series.dtype, str(path)) if series.dtype is not None else np.dtype("u1")
    _check_whole(tif, series, path)
    _check_claim(size, dtype, tif.filehandle.size, path)
    return FrameSource(size, dtype, _frame_reader(tif, series, size, path), _pixel_size(tif, ome, path))


def _is_frame_by_frame(tif: TiffFile, series: list[TiffPageSeries]) -> bool:
    """Whether every page is a series of its own and all are alike: frames that were written one by one."""
    first = series[0]
    return (
        len(series) == len(tif.pages) > 1
        and all(
            len(one.pages) == 1 and one.shape == first.shape and one.dtype == first.dtype for one in series
        )
        and len(tif.pages.first.shape) == 2
    )


def _frames(tif: TiffFile, ome: dict[str, str] | None, path: Path) -> FrameSource:
    """A movie of a file whose pages are frames that were written one by one."""
    first: Any = tif.pages.first
    last: Any = tif.pages[-1]
    size = (len(tif.pages), int(first.shape[0]), int(first.shape[1]))
    check_size(size, str(path))
    dtype = check_dtype(np.dtype(first.dtype), str(path))
    _check_claim(size, dtype, tif.filehandle.size, path)
    ends = (o + n for o, n in zip(last.dataoffsets, last.databytecounts, strict=False))
    if max(ends, default=0) > tif.filehandle.size or _broken_chain(tif):
        raise InputError(f"{path} is truncated (its last frame is not whole); copy it again.")

    def read(t: int) -> np.ndarray:
        page: Any = tif.pages[t]
        return page.asarray(maxworkers=1)

    return FrameSource(size, dtype, read, _pixel_size(tif, ome, path))


def _check_claim(size: tuple[int, int, int], dtype: np.dtype, stored: int, path: Path) -> None:
    """Refuse a header that claims frames which a file of ``stored`` bytes cannot hold, however compressed."""
    frame = size[1] * size[2] * dtype.itemsize
    if frame > max(_SMALL_FRAME, _DENSEST * stored):
        raise InputError(
            f"{path} has {stored} bytes and claims frames of {size[1]} x {size[2]} {dtype} pixels, which it "
            "cannot hold: its header is wrong."
        )


def _only_movie(series: list[TiffPageSeries], path: Path) -> TiffPageSeries:
    """The one image series of a file; thumbnails and labels beside a stack are passed over."""
    stacks = [s for s in series if len(s.shape) > 2 and int(np.prod(s.shape[:-2])) > 1]
    if len(series) == 1:
        return series[0]
    if len(stacks) == 1:
        return stacks[0]
    shapes = "; ".join(" x ".join(map(str, s.shape)) for s in series[:4])
    raise InputError(
        f"{path} holds {len(series)} images of different kinds ({shapes}), but one movie was expected."
    )


def _check_whole(tif: TiffFile, series: TiffPageSeries, path: Path) -> None:
    """Refuse a file that ends before its last frame does."""
    end = tif.filehandle.size
    if series.dataoffset is not None:
        missing = series.dataoffset + series.nbytes - end
    else:
        page = series.pages[-1]
        if page is None or page.parent is not tif:
            return
        missing = (
            max((o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0) - end
        )
    if missing <= 0 and not (broken := _broken_chain(tif)):
        return
    what = f"{missing} bytes are missing" if missing > 0 else broken
    raise InputError(f"{path} is truncated ({what}); copy it again.")


def _broken_chain(tif: TiffFile) -> str:
    """Why the chain of pages breaks off, or ""; tifffile only logs it and gives a shorter movie."""
    count = len(tif.pages)
    handle = tif.filehandle
    handle.seek(tif.pages.next_page_offset or 0)
    link = handle.read(tif.tiff.offsetsize)
    if len(link) == tif.tiff.offsetsize and not any(link):
        return ""
    return f"it breaks off after {count} pages"


def _frame_reader(
    tif: TiffFile, series: TiffPageSeries, size: tuple[int, int, int], path: Path
) -> Callable[[int], np.ndarray]:
    frames, *plane = size
    pages = series.pages
    if series.dataoffset is not None:
        stored = series.dtype.newbyteorder(tif.byteorder)
        mapped = np.memmap(path, dtype=stored, mode="r", offset=series.dataoffset, shape=size)
        return lambda t: mapped[t]
    if len(pages) == frames:

        def read_page(t: int) -> np.ndarray:
            page = pages[t]
            if page is None:
                raise InputError(f"Frame {t} of {path} is in another file, which is not beside it.")
            return page.asarray(maxworkers=1).reshape(plane)

        return read_page
    import zarr

    stack: Any = zarr.open(series.aszarr(maxworkers=1), mode="r")
    stack = stack if hasattr(stack, "shape") else stack["0"]
    at = next((i for i, n in enumerate(stack.shape[:-2]) if n > 1), None)
    return lambda t: stack[tuple(t if i == at else 0 for i in range(stack.ndim - 2))]


def _ome_pixels(tif: TiffFile, path: Path) -> dict[str, str] | None:
    """The attributes of the first <Pixels> of the OME-XML, parsed without entities.

    Raises
    ------
    InputError
        The XML of any kind of TIFF declares entities, or names files outside the file's own folder.
    """
    text = tif.pages.first.description
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise InputError(f"{path} has XML that declares entities, which is not allowed.")
    if not tif.is_ome:
        return None
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(text)
    except DefusedXmlException as error:
        raise InputError(f"{path} has OME-XML that declares entities, which is not allowed.") from error
    except ParseError as error:
        raise InputError(f"{path} has OME-XML that is not valid ({error}); copy the file again.") from error
    for named in root.iterfind(".//{*}UUID[@FileName]"):
        name = str(named.get("FileName"))
        if re.search(r"[/\\:]", name):
            raise InputError(f"{path} names the file {name!r}, which is outside its folder.")
    pixels = root.find(".//{*}Pixels")
    return dict(pixels.attrib) if pixels is not None else None


def _pixel_size(tif: TiffFile, ome: dict[str, str] | None, path: Path) -> float | None:
    if ome is not None:
        sides = [
            float(ome[f"PhysicalSize{axis}"])
            * (micrometres(ome.get(f"PhysicalSize{axis}Unit", "µm")) or np.nan)
            for axis in "YX"
            if ome.get(f"PhysicalSize{axis}")
        ]
        return pixel_side(sides[0], sides[-1], str(path)) if sides else None
    page = tif.pages.first
    per_x, per_y = page.resolution if "XResolution" in page.tags and "YResolution" in page.tags else (0, 0)
    if not (per_x and per_y):
        return None
    if tif.is_imagej and (unit := (tif.imagej_metadata or {}).get("unit")):
        length = micrometres(str(unit))
    else:
        length = {2: 25_400.0, 3: 10_000.0}.get(int(page.resolutionunit))
    if length is None:
        return None
    side = pixel_side(length / per_y, length / per_x, str(path))
    return side if side is not None and side <= _COARSEST else None
