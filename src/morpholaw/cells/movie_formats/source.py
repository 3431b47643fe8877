"""What every movie format offers, and the rules that every format obeys."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError

MAX_FRAME_PIXELS = 2**30
MAX_MOVIE_PIXELS = 2**40

_MICROMETRES = {
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre"), 1.0),
    **dict.fromkeys(("micrometres", "\\u00b5m"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "meters", "metre"), 1e6),
    **dict.fromkeys(("in", "inch", "inches"), 25_400.0),
    **dict.fromkeys(("pm", "picometer", "picometers"), 1e-6),
    **dict.fromkeys(("a", "å", "angstrom", "angstroms"), 1e-4),
}


class MovieWarning(UserWarning):
    """Something in a movie that was decided for the user, in one sentence."""


@dataclass(frozen=True)
class FrameSource:
    """A movie that is read one frame at a time.

    Attributes
    ----------
    shape : tuple of int
        Frames, height and width: (t, y, x).
    dtype : numpy.dtype
        Of a pixel, in native byte order.
    read : callable
        ``read(t)`` gives frame t as an array (y, x).
    pixel_size : float or None
        Micrometres per pixel, where the file says so.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    read: Callable[[int], np.ndarray]
    pixel_size: float | None = None


def time_axis(shape: Sequence[int], axes: str | None, where: str) -> int | None:
    """Find which axis before the last two is time; None where the movie is one frame.

    Parameters
    ----------
    shape : sequence of int
        Of the whole array; its last two axes are y and x.
    axes : str or None
        One letter an axis, e.g. "tczyx", where the file names them.
    where : str
        The movie's name, for the message.

    Raises
    ------
    InputError
        The array is not a one-channel 2D movie.
    """
    shape = tuple(int(n) for n in shape)
    names = axes.lower() if axes else "?" * max(0, len(shape) - 2) + "yx"
    size = " x ".join(map(str, shape))
    if len(shape) < 2 or 0 in shape:
        raise InputError(f"{where} has the shape {size or 'of one number'}, but a movie has axes t, y and x.")
    if "s" in names or (axes is None and len(shape) > 2 and shape[-1] in (3, 4)):
        raise InputError(f"{where} ({size}) is a colour image, but a movie has one channel (t, y, x).")
    if names[-2:] != "yx":
        raise InputError(f"{where} has the axes {names} ({size}), but the last two must be y and x.")
    long = [i for i in range(len(shape) - 2) if shape[i] > 1]
    if len(long) > 1:
        found = ", ".join(f"{names[i]}: {shape[i]}" if axes else str(shape[i]) for i in long)
        raise InputError(
            f"{where} ({size}) has more than one axis before y and x ({found}), but a movie is one 2D "
            "channel over time (t, y, x): pick a channel and a slice, or project them, first."
        )
    if not long:
        return None
    if names[long[0]] == "c":
        raise InputError(f"{where} ({size}) has {shape[long[0]]} channels, but a movie has one (t, y, x).")
    if names[long[0]] == "z":
        warnings.warn(f"{where}: its axis z is read as time.", MovieWarning, stacklevel=2)
    return long[0]


def check_size(shape: tuple[int, int, int], where: str) -> None:
    """Refuse headers that claim more pixels than any movie has."""
    frames, height, width = shape
    if height * width > MAX_FRAME_PIXELS or frames * height * width > MAX_MOVIE_PIXELS:
        raise InputError(
            f"{where} claims {frames} frames of {height} x {width} pixels, more than any movie has: "
            "its header is wrong."
        )


def check_dtype(dtype: np.dtype, where: str) -> np.dtype:
    """Return ``dtype`` in native byte order; refuse anything but real numbers."""
    if dtype.kind not in "uif":
        raise InputError(f"{where} has pixels of type {dtype}, but integers or floats were expected.")
    return dtype.newbyteorder("=")


def micrometres(unit: object) -> float | None:
    """How many micrometres a unit of length is; None where the unit is no length."""
    return _MICROMETRES.get(unit.strip().lower()) if isinstance(unit, str) else None


def pixel_side(y: float | None, x: float | None, where: str) -> float | None:
    """One pixel size from two: their geometric mean, with a warning where pixels are not square."""
    if not (y and x and math.isfinite(y) and math.isfinite(x) and y > 0 and x > 0):
        return None
    if abs(y - x) > 0.01 * max(y, x):
        warnings.warn(
            f"{where}: its pixels are not square ({y:.4g} x {x:.4g} um), so shapes will look stretched.",
            MovieWarning,
            stacklevel=2,
        )
        return math.sqrt(y * x)
    return float(x)
