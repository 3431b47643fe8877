"""Reading of a folder of crops in a separate process that can be terminated; only the crops are returned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morpholaw.cells.crop_images import cut_centre, fit_square, read_grey
from morpholaw.cells.movie_formats.tiff import open_tiff
from morpholaw.cells.orientations import COUNT, orient
from morpholaw.cells.reader_process import answered_apart
from morpholaw.errors import InputError

_BATCH = 16
"""Images per request, which may take a minute, because images may be whole fields of 8192 x 8192 pixels."""
_LARGE = 1 << 20
"""Number of pixels of an image above which its orientations are not compared."""
_SAMPLE_SIDE = 1024
"""Number of rows and columns sampled to measure the background of a large image."""


@dataclass(frozen=True)
class ReadCrop:
    """An image cropped to the size of a crop.

    Attributes
    ----------
    pixels : ndarray of shape (size, size)
        Centre of the image, in its original grey values.
    shape : tuple of int
        Shape of the whole image.
    digest : bytes
        Fingerprint of all its pixels, the same for its rotations and mirror images unless it is a large field.
    """

    pixels: np.ndarray
    shape: tuple[int, ...]
    digest: bytes


class CropReader:
    """Reads the images of a folder; created by :func:`crop_reader`."""

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self._ask = ask

    def samples(self, files: list[Path]) -> tuple[list[np.ndarray], list[float]]:
        """Return the centres of images, at most (size, size), and their background levels."""
        samples = [one for part in _parts(files) for one in self._ask((_sample, part, None))]
        return [centre for centre, _ in samples], [level for _, level in samples]

    def pixel_sizes(self, files: list[Path]) -> list[float | None]:
        """Return the pixel size stated in each file, in micrometres; None if it is not stated or not a TIFF."""
        return [size for part in _parts(files) for size in self._ask((_pixel_size, part, None))]

    def crops(self, files: list[Path], background: float) -> Iterator[ReadCrop]:
        """Read images as crops, padded with the background level."""
        for part in _parts(files):
            yield from self._ask((_crop, part, background))


@contextmanager
def crop_reader(folder: Path, size: int, channel: int | str | None) -> Iterator[CropReader]:
    """Start a reader of the images below ``folder`` for the duration of the block, with crops of (size, size)."""

    def answer(question: tuple[Callable[..., Any], list[Path], float | None]) -> list[Any]:
        function, files, background = question
        return [function(file, channel, size, background) for file in files]

    with answered_apart(answer, folder) as ask:
        yield CropReader(ask)


def _sample(file: Path, channel: int | str | None, size: int, _: None) -> tuple[np.ndarray, float]:
    image = read_grey(file, channel)
    step = max(1, max(image.shape) // _SAMPLE_SIDE)  # enough for the background level
    return cut_centre(image, size), float(np.percentile(image[::step, ::step], 5))


def _crop(file: Path, channel: int | str | None, size: int, background: float) -> ReadCrop:
    image = read_grey(file, channel)
    return ReadCrop(fit_square(image, size, background), image.shape, _digest(image))


def _digest(image: np.ndarray) -> bytes:
    """Return a fingerprint that does not change if an image is rotated by quarter turns or flipped, if it is small."""
    count = COUNT if image.size <= _LARGE else 1
    return hashlib.sha256(min(orient(image, k).tobytes() for k in range(count))).digest()


def _pixel_size(file: Path, *_: object) -> float | None:
    if file.suffix.lower() not in (".tif", ".tiff"):
        return None
    try:
        size = open_tiff(file).pixel_size
        return None if size is None else size.side(str(file))
    except InputError:  # a colour or unreadable image; reported when its pixels are read
        return None


def _parts(files: list[Path]) -> Iterator[list[Path]]:
    return (files[start : start + _BATCH] for start in range(0, len(files), _BATCH))
