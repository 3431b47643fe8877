"""Reading of single cell images (PNG, TIFF or JPEG) as greyscale images, and fitting them to one size."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path

import numpy as np

from morpholaw.cells.movie_formats.jpeg import MOST_SCANS, count_scans
from morpholaw.cells.movie_formats.source import COLOURS, choose
from morpholaw.errors import InputError, reason

_MOST_PIXELS = 2**26  # 8192 x 8192
_MOST_CHANNELS = 4


def read_grey(path: Path, channel: int | str | None = None) -> np.ndarray:
    """Read an image file as a greyscale image (y, x) of its own dtype.

    Parameters
    ----------
    path : path
        PNG, TIFF or JPEG.
    channel : int or str, optional
        Channel to read if the image has several: a number counted from 0, or red, green or blue. By default, an image
        with several channels is only read if they are equal.

    Returns
    -------
    ndarray
        (y, x).

    Raises
    ------
    InputError
        If the file is damaged, has several channels and none was chosen, is a stack, or has NaN, infinite or complex
        pixels.
    """
    try:
        pixels, alpha = _decode(path)
    except Exception as error:  # each codec raises its own exceptions
        raise InputError(f"{path} cannot be read as an image: {reason(error)}.") from None
    pixels = _one_channel(np.squeeze(pixels), alpha, channel, path)
    if np.iscomplexobj(pixels) or (pixels.dtype.kind == "f" and not np.isfinite(pixels).all()):
        raise InputError(f"{path} has pixels that are NaN, infinite or complex; expected finite numbers.")
    return pixels.astype(np.uint8) if pixels.dtype == bool else pixels


def cut_centre(image: np.ndarray, size: int) -> np.ndarray:
    """Return a copy of the central part of an image (y, x), at most (size, size)."""
    rows, columns = (slice(max(0, (n - size) // 2), max(0, (n - size) // 2) + size) for n in image.shape)
    return image[rows, columns].copy()


def fit_square(image: np.ndarray, size: int, background: float) -> np.ndarray:
    """Crop an image (y, x) at its centre to (size, size), or pad it with the background level."""
    image = cut_centre(image, size)
    widths = [((size - n) // 2, size - n - (size - n) // 2) for n in image.shape]
    if any(width != (0, 0) for width in widths):
        level = round(background) if image.dtype.kind in "iu" else background
        image = np.pad(image, widths, constant_values=level)
    return image


def _one_channel(pixels: np.ndarray, alpha: bool, channel: int | str | None, path: Path) -> np.ndarray:
    """Return one channel of an image: any one if all are equal, else the chosen one."""
    if pixels.ndim == 2 and 0 not in pixels.shape:
        if channel is not None:
            choose("channel", ("",), channel, str(path))
        return pixels
    last = pixels.ndim == 3 and 1 < pixels.shape[-1] <= _MOST_CHANNELS
    first = pixels.ndim == 3 and 1 < pixels.shape[0] <= _MOST_CHANNELS
    if not (last or first) or 0 in pixels.shape:
        raise InputError(
            f"{path} is an array of shape {pixels.shape}; expected one image with rows and columns."
        )
    channels: np.ndarray = np.moveaxis(pixels, -1, 0) if last else pixels
    channels = channels[:-1] if alpha else channels
    if (channels == channels[:1]).all():
        return np.asarray(channels[0])
    names = COLOURS[: len(channels)] if len(channels) == 3 and last else ("",) * len(channels)
    if channel is None:
        what = "is a colour image" if names[0] else f"has {len(channels)} channels"
        example = "red, green or blue" if names[0] else f"0 to {len(channels) - 1}"
        raise InputError(f"{path} {what}; expected one grey channel. Choose one with --channel ({example}).")
    return np.asarray(channels[choose("channel", names, channel, str(path))])


def _decode(path: Path) -> tuple[np.ndarray, bool]:
    """Return the pixels of a file, after checks of its header, and whether its last channel is opacity."""
    if path.suffix.lower() in (".tif", ".tiff"):
        return _decode_tiff(path)
    import imagecodecs
    from PIL import Image, UnidentifiedImageError

    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
                _check_claim(image.size)
                mode, kind = image.mode, image.format
        except UnidentifiedImageError:
            raise ValueError("it is not a PNG or JPEG image") from None
    if kind == "PNG":
        return imagecodecs.png_decode(data), mode in ("LA", "RGBA")
    if count_scans(data) > MOST_SCANS:
        raise ValueError(f"it is a JPEG image in more than {MOST_SCANS} scans, which no program writes")
    return imagecodecs.jpeg_decode(data), False


def _decode_tiff(path: Path) -> tuple[np.ndarray, bool]:
    from morpholaw.cells.movie_formats.tiff_pages import TiffPages

    pages = TiffPages(path)
    try:
        series = pages.tif.series[0]
        _check_claim(tuple(series.shape))
        for page in (page for page in series.pages if page is not None):
            pages.check(page)
        extra = pages.first.extrasamples
        pixels = series.asarray(maxworkers=1)
        if (colours := pages.colours()) is not None:
            return colours[pixels], False
        return pixels, series.axes.endswith("S") and tuple(extra) in ((1,), (2,))
    finally:
        pages.close()


def _check_claim(shape: tuple[int, ...]) -> None:
    if math.prod(shape) > _MOST_PIXELS:
        raise ValueError(f"its header claims {' x '.join(map(str, shape))} pixels, too many for a crop")
