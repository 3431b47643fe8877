"""Thread-safe access to the pages of a TIFF file, with checks of each page before it is decoded."""

from __future__ import annotations

import logging
import math
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from morpholaw.cells.files import DENSEST, refuse_special
from morpholaw.cells.movie_formats.colour_table import grows_brighter
from morpholaw.cells.movie_formats.jpeg import MOST_SCANS, count_scans
from morpholaw.cells.movie_formats.units import PixelSize, pixel_size
from morpholaw.errors import InputError, reason

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # problems are reported in our own messages

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First bytes of a TIFF or BigTIFF file, in either byte order."""
_SMALL_UNIT = 2**28
"""Size in bytes of a strip or tile that is always accepted; larger ones must be about as large as the image."""
_UNITS = {2: 25_400.0, 3: 10_000.0}
"""Micrometres per unit of the resolution tags: inch and centimetre."""
_JPEG = {6, 7, 33007, 34892}


class TiffPages:
    """The main pages of a TIFF file, without sub-pages such as the levels of a pyramid.

    Raises
    ------
    InputError
        If the file is not a TIFF, or its chain of pages is truncated.
    """

    def __init__(self, path: Path) -> None:
        import tifffile

        self.path = path
        refuse_special(path)
        try:
            self.tif = tifffile.TiffFile(path)
        except FileNotFoundError:
            raise InputError(f"There is no file {path}.") from None
        except Exception as error:
            raise InputError(f"{path} cannot be read as a TIFF file: {reason(error)}.") from error
        # Threads share one file handle. Page directories and data are read under this lock, but decoding, which takes
        # most of the time, is not.
        self.tif.filehandle.set_lock(True)
        self._lock = self.tif.filehandle.lock
        weakref.finalize(self, self.tif.close)

    def __len__(self) -> int:
        """Return the number of pages."""
        return len(self.tif.pages)

    def close(self) -> None:
        """Close the file."""
        self.tif.close()

    @property
    def first(self) -> Any:
        """The first page."""
        return self.tif.pages.first

    @property
    def description(self) -> str:
        """Description of the first page; "" if there is none."""
        return str(self.first.description or "")

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return int(self.tif.filehandle.size)

    def page(self, i: int) -> Any:
        """Return the directory of page ``i``."""
        with self._lock:
            return self.tif.pages[i]

    def read(self, i: int) -> np.ndarray:
        """Return the pixels of page ``i``: (y, x), or with samples (y, x, s) or (s, y, x)."""
        return self.decode(self.page(i))

    def decode(self, page: Any) -> np.ndarray:
        """Return the pixels of a page of this file, after a check of its header."""
        self.check(page)
        return np.asarray(page.asarray(maxworkers=1))

    def check(self, page: Any) -> None:
        """Reject a page that would take far more memory or time to decode than its image needs."""
        counts = page.databytecounts
        if 0 in counts:
            raise InputError(
                f"Image {page.index} of {self.path} is incomplete: {sum(n == 0 for n in counts)} of its {len(counts)} "
                "strips or tiles are not stored. Copy the file again, or export it again."
            )
        key = page.keyframe
        check_unit(key, self.size, self.path)
        if int(key.compression) in _JPEG:
            with self._lock:
                check_scans(page, self.path)

    def resolution(self) -> PixelSize | None:
        """Return the pixel size from the resolution tags; None if they state a print resolution, as is common."""
        page = self.first
        if "XResolution" not in page.tags or "YResolution" not in page.tags:
            return None
        per_x, per_y = (float(n) for n in page.resolution)
        length = _UNITS.get(int(page.resolutionunit))
        if length is None or not (per_x > 0 and per_y > 0):
            return None
        return pixel_size(length / per_y, length / per_x, "TIFF resolution")[0]

    def colours(self) -> np.ndarray | None:
        """Return the colours, uint8 (n, 3), that pixels refer to by number; None if larger numbers are brighter.

        ImageJ colours grey values with a table, so that its numbers are grey values whatever the colours.
        """
        table = self.first.colormap
        if table is None or self.tif.is_imagej:
            return None
        colours = (np.asarray(table).T >> 8).astype(np.uint8)
        return None if grows_brighter(colours) else colours

    def check_whole(self, i: int) -> None:
        """Reject a file that is truncated before the end of page ``i``, or whose chain of pages is broken."""
        page = self.page(i)
        ends = (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False))
        missing = max(ends, default=0) - self.size
        self.check_missing(missing)

    def check_missing(self, missing: int) -> None:
        """Reject a file with missing bytes or a broken chain of pages."""
        what = f"{missing} bytes are missing" if missing > 0 else self._broken_chain()
        if what:
            raise InputError(f"{self.path} is truncated ({what}); copy it again.")

    def _broken_chain(self) -> str:
        """Return why the chain of pages is broken, or ""; tifffile only logs it and returns a shorter movie."""
        count = len(self.tif.pages)
        with self._lock:
            self.tif.filehandle.seek(self.tif.pages.next_page_offset or 0)
            link = self.tif.filehandle.read(self.tif.tiff.offsetsize)
        whole = len(link) == self.tif.tiff.offsetsize and not any(link)
        return "" if whole else f"it breaks off after {count} pages"


def check_frame_claim(height: int, width: int, dtype: np.dtype, stored: int, path: Path) -> None:
    """Reject a header with frames too large for a file of ``stored`` bytes, however compressed."""
    if height * width * dtype.itemsize > max(_SMALL_UNIT, DENSEST * stored):
        raise InputError(
            f"{path} has {stored} bytes but claims frames of {height} x {width} {dtype} pixels, which do not fit; "
            "its header is wrong."
        )


def check_unit(page: Any, stored: int, path: Path) -> None:
    """Reject a page whose strips or tiles, which are decoded as a whole, are far larger than its image."""
    itemsize = np.dtype(page.dtype).itemsize if page.dtype is not None else 1
    frame = math.prod(int(n) for n in page.shape) * itemsize
    if page.is_tiled:
        unit = math.prod((page.tilewidth, page.tilelength, page.tiledepth, page.samplesperpixel)) * itemsize
    else:
        unit = frame
    if max(unit, frame) > max(_SMALL_UNIT, DENSEST * stored) or unit > max(_SMALL_UNIT, 4 * frame):
        raise InputError(
            f"{path} claims an image of {page.imagelength} x {page.imagewidth} pixels in units of {unit} bytes, which "
            "do not fit its data; its header is wrong."
        )


def check_scans(page: Any, path: Path) -> None:
    """Reject a JPEG with so many scans that decoding it would take minutes."""
    handle = page.parent.filehandle
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        handle.seek(offset)
        if count_scans(handle.read(min(int(count), _SMALL_UNIT))) > MOST_SCANS:
            raise InputError(f"{path} has a JPEG image in more than {MOST_SCANS} scans; it is damaged.")
