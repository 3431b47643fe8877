"""TIFF files without an OME or ImageJ header: plain stacks, and those of tifffile and other programs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.cells.movie_formats.array import array_planes
from morpholaw.cells.movie_formats.page_stack import PageStack, stack_for
from morpholaw.cells.movie_formats.planes import Planes
from morpholaw.cells.movie_formats.source import Choices, check_size
from morpholaw.cells.movie_formats.tiff_pages import TiffPages, check_frame_claim
from morpholaw.cells.movie_formats.units import PixelSize, pixel_size, real, seconds
from morpholaw.errors import InputError

if TYPE_CHECKING:
    from tifffile import TiffPageSeries

_STATED = "tczpyxs"


def series_planes(pages: TiffPages, choices: Choices, path: Path) -> Planes:
    """Describe the only image series of a file.

    Raises
    ------
    InputError
        If the file has several different series, or is truncated.
    """
    where = str(path)
    series = [one for one in pages.tif.series if 0 not in one.shape]
    pages.tif.pages.useframes = False
    if not series:
        raise InputError(f"{path} contains no image.")
    notes: list[str] = []
    if _are_blocks(series):
        array, letters = _blocks(pages, series, path)
    else:
        one = _only_movie(series, path)
        array, letters, notes = _one(pages, one, path)
    wanted = choices.axes
    named = any(a in "tczp" for a in letters)
    planes = array_planes(stack_for(array, wanted), where, letters, wanted)
    channels, scale, interval, source = _acquisition(pages)
    return replace(
        planes,
        format="TIFF",
        channels=channels if len(channels) == planes.length("c") else (),
        pixel_size=scale,
        frame_interval=interval,
        frame_interval_source=source if interval else None,
        named=named or wanted is not None,
        notes=tuple(notes),
    )


def _are_blocks(series: list[TiffPageSeries]) -> bool:
    """Return whether a file consists of parts with frames of the same kind, appended or written page by page."""
    first = series[0]
    return len(series) > 1 and all(
        one.shape[-2:] == first.shape[-2:]
        and one.dtype == first.dtype
        and one.axes[-2:] == "YX"
        and len(one.levels) == 1
        and len(one.pages) == math.prod(one.shape[:-2])
        and sum(n > 1 for n in one.shape[:-2]) <= 1
        and not any(axis in one.axes for axis in "CS")
        for one in series
    )


def _blocks(pages: TiffPages, series: list[TiffPageSeries], path: Path) -> tuple[PageStack, str]:
    """Return the frames of all parts in the order of the file."""
    indices = [page.index for one in series for page in one.pages if page is not None]
    count = sum(len(one.pages) for one in series)
    if len(indices) != count or any(not isinstance(i, int) for i in indices):
        raise InputError(
            f"{path} contains {len(series)} images whose order is unclear; save them as one stack."
        )
    height, width = (int(n) for n in series[0].shape[-2:])
    dtype = np.dtype(series[0].dtype)
    check_size((count, height, width), str(path))
    check_frame_claim(height, width, dtype, pages.size, path)
    pages.check_whole(max(indices))
    return PageStack((count,), (height, width), dtype, lambda i: pages.read(indices[i]), str(path)), "?yx"


def _only_movie(series: list[TiffPageSeries], path: Path) -> TiffPageSeries:
    """Return the only image series of a file; thumbnails and labels beside a stack are skipped."""
    stacks = [one for one in series if len(one.shape) > 2 and math.prod(one.shape[:-2]) > 1]
    if len(series) == 1:
        return series[0]
    if len(stacks) == 1:
        return stacks[0]
    shapes = "; ".join(" x ".join(map(str, one.shape)) for one in series[:4])
    raise InputError(
        f"{path} contains {len(series)} images of different sizes ({shapes}); expected one movie. Save the movie "
        "as a separate file."
    )


def _one(pages: TiffPages, series: TiffPageSeries, path: Path) -> tuple[Any, str, list[str]]:
    """Return the array of a series, the letters of its axes, and notes about it."""
    shape = tuple(int(n) for n in series.shape)
    letters = "".join(a if a in _STATED else "?" for a in series.axes.lower())
    dtype = np.dtype(series.dtype) if series.dtype is not None else np.dtype("u1")
    notes = []
    if _is_planar_stack(pages, series):
        letters = "t" + letters[1:]
        notes.append(
            f"{path} stores its {shape[0]} images as if they were red, green and blue; they are read as frames. If "
            "they are channels, give --axes cyx and choose one with --channel."
        )
    check_size((1, *_plane(shape, letters)), str(path))
    check_frame_claim(*_plane(shape, letters), dtype, pages.size, path)
    if series.dataoffset is not None:
        pages.check_missing(series.dataoffset + series.nbytes - pages.size)
        stored = dtype.newbyteorder(pages.tif.byteorder)
        return (
            np.memmap(path, dtype=stored, mode="r", offset=series.dataoffset, shape=shape),
            letters,
            notes,
        )
    last = series.pages[-1]
    if last is not None and last.parent is pages.tif:
        ends = (o + n for o, n in zip(last.dataoffsets, last.databytecounts, strict=False))
        pages.check_missing(max(ends, default=0) - pages.size)
    page_shape = tuple(int(n) for n in series.keyframe.shape)
    leading = shape[: len(shape) - len(page_shape)]
    if math.prod(leading) == len(series.pages) and shape[len(leading) :] == page_shape:

        def read(i: int) -> np.ndarray:
            page = series.pages[i]
            if page is None or page.parent is not pages.tif:
                raise InputError(f"Image {i} of {path} is in another file, which is not in the same folder.")
            return pages.decode(page)

        return PageStack(leading, page_shape, dtype, read, str(path)), letters, notes
    return _Locked(series), letters, notes


def _plane(shape: tuple[int, ...], letters: str) -> tuple[int, int]:
    return tuple(shape[letters.index(a)] if a in letters else 1 for a in "yx")  # type: ignore[return-value]


def _is_planar_stack(pages: TiffPages, series: TiffPageSeries) -> bool:
    """Return whether tifffile wrote three or four frames as the colours of a single page.

    tifffile does so for every array of three or four planes whose axes are not specified.
    """
    page = pages.first
    return (
        series.kind == "shaped"
        and series.axes == "SYX"
        and len(pages) == 1
        and page.planarconfig == 2
        and page.photometric == 2
        and page.shaped_description is not None
    )


class _Locked:
    """A series whose pages are volumes, read in chunks through tifffile by one thread at a time."""

    def __init__(self, series: TiffPageSeries) -> None:
        import zarr

        array: Any = zarr.open(series.aszarr(maxworkers=1), mode="r")
        self._array = array if hasattr(array, "shape") else array["0"]
        self._lock = Lock()
        self.shape, self.dtype = tuple(series.shape), np.dtype(series.dtype)

    def __getitem__(self, index: tuple[Any, ...]) -> np.ndarray:
        with self._lock:
            return np.asarray(self._array[index])


def _acquisition(pages: TiffPages) -> tuple[tuple[str, ...], PixelSize | None, float | None, str | None]:
    """Return channel names, pixel size, and seconds per frame with their source, from headers of other programs."""
    summary: Any = (
        (pages.tif.micromanager_metadata or {}).get("Summary") if pages.tif.is_micromanager else None
    )
    if isinstance(summary, dict):
        names = summary.get("ChNames")
        side = real(summary.get("PixelSize_um"))
        interval = seconds(real(summary.get("Interval_ms")), "ms")
        source = "Micro-Manager header"
        scale = pixel_size(side, side, source)[0] or pages.resolution()
        return tuple(map(str, names)) if isinstance(names, list) else (), scale, interval, source
    zeiss: Any = pages.tif.lsm_metadata if pages.tif.is_lsm else None
    if isinstance(zeiss, dict):
        names = (zeiss.get("ChannelColors") or {}).get("ColorNames")
        y, x = (real(zeiss.get(f"VoxelSize{axis}")) for axis in "YX")
        scale = pixel_size(y and y * 1e6, x and x * 1e6, "LSM header")[0]
        interval = seconds(real(zeiss.get("TimeIntervall")), "s")
        return tuple(map(str, names)) if isinstance(names, list) else (), scale, interval, "LSM header"
    return (), pages.resolution(), None, None
