"""Conversion of units of length and time in headers to micrometres and seconds, and pixel sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from morpholaw.errors import InputError

_MICROMETRES = {
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre"), 1.0),
    **dict.fromkeys(("micrometres", "\\u00b5m", "\\u03bcm"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 1e4),
    **dict.fromkeys(("dm", "decimeter", "decimeters", "decimetre", "decimetres"), 1e5),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1e6),
    **dict.fromkeys(("in", "inch", "inches", '"'), 25_400.0),
    **dict.fromkeys(("ft", "foot", "feet"), 304_800.0),
    **dict.fromkeys(("pm", "picometer", "picometers", "picometre", "picometres"), 1e-6),
    **dict.fromkeys(("a", "å", "angstrom", "angstroms", "ångström"), 1e-4),
}

_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
}

_PIXELS = ("px", "pix", "pixel", "pixels")
_COUNTED = (*_PIXELS, "frame", "frames")

COARSEST = 20.0
"""Largest plausible pixel size in micrometres; larger ones are print resolutions (72 dpi is 353 um)."""
FINEST = 0.001
"""Smallest plausible pixel size in micrometres; smaller ones have a wrong unit."""
SAME_SIZE = 0.02
"""Relative difference below which pixel sizes, or the sides of a pixel, are equal; calibrations are not better."""


@dataclass(frozen=True)
class PixelSize:
    """Micrometres per pixel along y and x, with their source."""

    y: float
    x: float
    source: str

    def side(self, where: str) -> float:
        """Return the side length of square pixels.

        Raises
        ------
        InputError
            If pixels are not square, so that one number cannot describe them.
        """
        if abs(self.y - self.x) > SAME_SIZE * max(self.y, self.x):
            raise InputError(
                f"{where}: according to its {self.source}, pixels are not square ({self.y:.4g} µm high, {self.x:.4g} "
                "µm wide), so cells would look stretched. Resample it to square pixels, or, if the header is "
                "wrong, give the correct size with --pixel-size (pixel_size=...)."
            )
        return math.sqrt(self.y * self.x) if self.y != self.x else self.x


def real(value: object) -> float | None:
    """Return a value of a header as a float; None if it is not a number."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def micrometres(unit: object) -> float | None:
    """Return a unit of length in micrometres; None if it is not a unit of length."""
    return _MICROMETRES.get(unit.strip().lower()) if isinstance(unit, str) else None


def counts_pixels(unit: object) -> bool:
    """Return whether a unit means that pixels are counted."""
    return isinstance(unit, str) and unit.strip().lower() in _PIXELS


def is_unit(text: str) -> bool:
    """Return whether a text is a unit of length or time, or pixels or frames."""
    unit = text.strip().lower()
    return unit in _MICROMETRES or unit in _SECONDS or unit in _COUNTED


def seconds_per(unit: object) -> float | None:
    """Return a unit of time in seconds; None if it is not a unit of time."""
    return _SECONDS.get(unit.strip().lower()) if isinstance(unit, str) else None


def seconds(value: float | None, unit: object) -> float | None:
    """Return a duration in seconds; None if the unit is not a time or the value is invalid."""
    factor = seconds_per(unit)
    if value is None or factor is None or not math.isfinite(value) or value <= 0:
        return None
    return value * factor


def pixel_size(y: float | None, x: float | None, source: str) -> tuple[PixelSize | None, str | None]:
    """Return the pixel size that a header states in micrometres, and a note if it is implausible.

    Parameters
    ----------
    y, x : float or None
        Micrometres per pixel; None, 0, NaN or infinity if not stated.
    source : str
        Name of the header.

    Returns
    -------
    size : PixelSize or None
    note : str or None
    """
    if y is None or x is None or not (math.isfinite(y) and math.isfinite(x) and y > 0 and x > 0):
        return None, None
    if not (FINEST <= y <= COARSEST and FINEST <= x <= COARSEST):
        size = f"{x:.4g} µm" if x == y else f"{y:.4g} x {x:.4g} µm"
        return None, (
            f"Its {source} states a pixel size of {size}, which is impossible for a microscope and is ignored; give "
            "the correct size with --pixel-size (pixel_size=...)."
        )
    return PixelSize(float(y), float(x), source), None
