"""One recorded grey scale for every camera, so that 8-bit, 16-bit and offset sensors give comparable crops.

For each source (a movie, a folder of crops) two numbers are fitted once and stored with its crops: the camera's
``background``, and a ``scale``, the brightness of the brightest chromatin of a typical cell. Each cell is then
divided by its own ``brightness``, the same quantity in units of the source's scale, which is stored beside it.
Expression of the fluorescent histone varies tenfold among the cells of one culture, and as much among movies:
the brightness of a cell says little about its phase, and the texture of a dim metaphase would contribute a
hundredth of the squared error and would not be learnt. What remains is the shape and the texture of the
chromatin. (One scale for a whole source, division by the chromatin mass and a compressed scale all separated
real metaphases from interphases less well, docs/results.md.) Within a cell the scale is linear: a pixel is a
density of chromatin.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from morpholaw.errors import InputError

CEILING = 3.0
"""Brightness, in units of the cell's brightest chromatin, that maps to 1; what is brighter, a neighbour, is clipped."""

NUCLEUS = 0.22
"""Radius within which a cell's brightest chromatin is sought, as a share of the crop's side (14 of 64 pixels)."""

PEAK = 97
"""Percentile of the pixels in that radius: a metaphase plate of 20 pixels exceeds it, and a hot pixel does not."""

FAINTEST, BRIGHTEST = 1 / 32, 32.0
"""Range of a cell's brightness: what is fainter is not amplified further, so that a blank crop stays blank."""

Per = Literal["cell", "source"]

_LEVELS = np.float32(255)


@dataclass(frozen=True)
class Normalisation:
    """Raw camera units to a crop's uint8 and back.

    Attributes
    ----------
    background : float
        Grey value of empty background, raw units.
    scale : float
        Raw units above the background that count as 1: the brightest chromatin of a typical cell.
    ceiling : float
        Brightness in units of ``scale`` that maps to 255.
    per : {"cell", "source"}
        Whether each cell is divided by its own brightness too, or all have the source's scale.
    """

    background: float
    scale: float
    ceiling: float = CEILING
    per: Per = "cell"

    def __post_init__(self) -> None:
        """Check the values."""
        values = (self.background, self.scale, self.ceiling)
        if not np.all(np.isfinite(values)) or self.scale <= 0 or self.ceiling <= 0:
            raise InputError(f"A normalisation needs a finite background and positive scales, not {values}.")
        if self.per not in ("cell", "source"):
            raise InputError(f"A normalisation is per cell or per source, not {self.per!r}.")

    def brightness(self, raw: np.ndarray) -> np.ndarray:
        """Measure the brightest chromatin of the central cell of each raw crop (n, s, s), float32 (n,).

        The median of the source is 1. All values are 1 where one scale applies to the whole source.

        Parameters
        ----------
        raw : ndarray, (n, s, s)
            Crops in the movie's units.
        """
        if self.per == "source":
            return np.ones(len(raw), np.float32)
        brightness = (peak(raw) - self.background) / self.scale
        return np.clip(brightness, FAINTEST, BRIGHTEST).astype(np.float32)

    def apply(self, raw: np.ndarray, brightness: np.ndarray | float = 1.0) -> np.ndarray:
        """Normalise raw pixels of any real dtype; returns uint8 of the same shape.

        Parameters
        ----------
        raw : ndarray, (..., s, s)
            Raw crops or frames.
        brightness : ndarray, (n,), or float
            The result of :meth:`brightness` for crops (n, s, s).
        """
        value = np.subtract(raw, np.float32(self.background), dtype=np.float32)
        value *= np.float32(255 / (self.scale * self.ceiling)) / _each(brightness)
        np.clip(value, 0, _LEVELS, out=value)
        rounded: np.ndarray = np.rint(value, out=value)
        return rounded.astype(np.uint8)

    def invert(self, crops: np.ndarray, brightness: np.ndarray | float = 1.0) -> np.ndarray:
        """Return raw units, float32, from uint8 crops or floats in [0, 1], exact to half a grey level.

        Parameters
        ----------
        crops : ndarray, (n, s, s)
            uint8, or float in [0, 1].
        brightness : ndarray, (n,), or float
            What each crop was divided by, as :meth:`brightness` measured it.
        """
        level = np.asarray(crops, np.float32)
        if np.asarray(crops).dtype == np.uint8:
            level = level / _LEVELS
        raw: np.ndarray = level * (np.float32(self.ceiling * self.scale) * _each(brightness))
        return raw + np.float32(self.background)

    def to_json(self) -> dict[str, float | str]:
        """Return plain values for the study's files."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Normalisation:
        """Read what :meth:`to_json` wrote; raises InputError where a number is missing or not one.

        Parameters
        ----------
        values : dict
            Plain values.
        """
        try:
            numbers = {key: float(values[key]) for key in ("background", "scale", "ceiling")}
            # Crop sets written before version 0.2 have one scale per source.
            return cls(**numbers, per=values.get("per", "source"))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The normalisation {values!r} is not valid: {error}; expected background, scale, ceiling."
            ) from None


def peak(raw: np.ndarray) -> np.ndarray:
    """Measure the grey value of the brightest chromatin of the central cell of raw crops (n, s, s), float (n,)."""
    pixels = raw.reshape(len(raw), raw.shape[-1] ** 2)
    return _percentile(pixels.take(np.flatnonzero(nucleus(raw.shape[-1])), axis=1), PEAK)


def _percentile(rows: np.ndarray, percent: float) -> np.ndarray:
    """Compute np.percentile along rows (n, k), float64 (n,), in a third of its time; reorders the rows in place."""
    last = rows.shape[1] - 1
    below, share = divmod(percent / 100 * last, 1)
    rows.partition(int(below), axis=1)
    low = rows[:, int(below)].astype(np.float64)
    above: np.ndarray = rows[:, min(int(below) + 1, last) :].min(axis=1)
    percentile: np.ndarray = low + share * (above - low)
    return percentile


@cache
def nucleus(size: int) -> np.ndarray:
    """Mask the part of a crop of side ``size`` in which the brightest chromatin is sought, bool (size, size)."""
    from_centre = np.arange(size) - (size - 1) / 2
    mask: np.ndarray = np.hypot(from_centre[:, None], from_centre) < NUCLEUS * size
    return mask


def _each(brightness: np.ndarray | float) -> np.ndarray:
    """Return one number for all crops, or one per crop, float32 of a shape that broadcasts over their pixels."""
    values = np.asarray(brightness, np.float32)
    return values[:, None, None] if values.ndim else values


def fit_normalisation(crops: np.ndarray, source: str = "the crops", per: Per = "cell") -> Normalisation:
    """Fit background and scale on raw crops centred on cells.

    Parameters
    ----------
    crops : ndarray, (n, s, s), any real dtype
        Raw crops; a few hundred are enough. Crops without signal (blank frames) are left out.
    source : str
        What to call them in an error.
    per : {"cell", "source"}
        Passed on to the :class:`Normalisation`.

    Raises
    ------
    InputError
        When there is no crop, or pixels are NaN, infinite or complex.
    """
    crops = np.asarray(crops)
    if crops.ndim != 3 or len(crops) == 0:
        raise InputError(f"{source} hold no cells to normalise; expected at least one crop.")
    if np.iscomplexobj(crops):
        raise InputError(f"{source} hold complex pixels; expected real numbers.")
    bad = 0 if crops.dtype.kind in "iub" else int(np.count_nonzero(~np.isfinite(crops)))
    if bad:
        raise InputError(f"{source} hold {bad} pixels that are NaN or infinite; expected finite numbers.")
    floor = _percentile(crops.reshape(len(crops), -1).copy(), 5)
    alive = crops.max(axis=(1, 2)) > floor
    if not alive.any():
        return Normalisation(background=float(np.median(floor)), scale=1.0, per=per)
    crops, background = crops[alive], float(np.median(floor[alive]))
    scale = float(np.median(peak(crops))) - background
    if scale <= 0:
        scale = float(crops.max()) - float(crops.min()) or 1.0
    return Normalisation(background=background, scale=scale, per=per)
