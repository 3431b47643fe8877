"""Units of length and time, as headers spell them, in micrometres and seconds; the pixel size of a plane."""

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

COARSEST = 20.0
"""Micrometres; a larger "pixel" is the resolution of a printer (72 dpi is 353 um), not of a microscope."""
FINEST = 0.001
"""Micrometres; a smaller pixel than a nanometre is a wrong unit."""
_SQUARE = 0.02
"""Sides of a pixel within 2 % of each other are equal: stages and cameras are calibrated no better."""


@dataclass(frozen=True)
class PixelSize:
    """Micrometres per pixel along y and x, and who says so."""

    y: float
    x: float
    source: str

    def side(self, where: str) -> float:
        """Return the one side of a square pixel.

        Raises
        ------
        InputError
            Pixels are not square, so that one number cannot describe them.
        """
        if abs(self.y - self.x) > _SQUARE * max(self.y, self.x):
            raise InputError(
                f"{where}: its {self.source} says that pixels are not square ({self.y:.4g} um high, {self.x:.4g} um "
                "wide), so that cells would look stretched. Resample it to square pixels, or, if the header is "
                "wrong, give the true size with --pixel-size."
            )
        return math.sqrt(self.y * self.x) if self.y != self.x else self.x


def micrometres(unit: object) -> float | None:
    """Return how many micrometres a unit of length is; None where the unit is no length."""
    return _MICROMETRES.get(unit.strip().lower()) if isinstance(unit, str) else None


def seconds(value: float | None, unit: object) -> float | None:
    """Return a duration in seconds; None where the unit is no time or the value no duration."""
    factor = _SECONDS.get(unit.strip().lower()) if isinstance(unit, str) else None
    if value is None or factor is None or not math.isfinite(value) or value <= 0:
        return None
    return value * factor


def pixel_size(y: float | None, x: float | None, source: str) -> tuple[PixelSize | None, str | None]:
    """Return the pixel size that a header states in micrometres, and a note where the numbers cannot be one.

    Parameters
    ----------
    y, x : float or None
        Micrometres per pixel; None, 0, NaN or infinity where the header does not say.
    source : str
        Which header.
    """
    if y is None or x is None or not (math.isfinite(y) and math.isfinite(x) and y > 0 and x > 0):
        return None, None
    if not (FINEST <= y <= COARSEST and FINEST <= x <= COARSEST):
        size = f"{x:.4g} um" if x == y else f"{y:.4g} x {x:.4g} um"
        return None, (
            f"Its {source} states pixels of {size}, which no microscope for cells has, and is ignored; give the true "
            "size with --pixel-size."
        )
    return PixelSize(float(y), float(x), source), None
