"""A common grey scale for all cameras, so that 8-bit, 16-bit and offset sensors give comparable crops.

Two numbers are fitted once per source (a movie or a folder of crops) and stored with its crops: the ``background`` of
the camera and a ``scale``, the brightness of the brightest chromatin in a typical cell. Each cell is then divided by
its own ``brightness``, the same quantity in units of the source's scale, which is stored in the table of cells. The
expression of the fluorescent histone varies tenfold between cells of a culture and between movies. A cell's brightness
therefore says little about its phase, and without the division, the texture of a dim metaphase would contribute a
hundredth of the squared error and would not be learnt. The shape and the texture of the chromatin remain. (A single
scale per source, division by chromatin mass and a compressed scale all separated real metaphases from interphases less
well; see docs/results.md.) Within a cell the scale is linear: pixel values are proportional to chromatin density.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from morpholaw.errors import InputError

SAMPLE_CROPS = 512
"""Number of crops to which a normalisation is fitted."""

CEILING = 3.0
"""Brightness that maps to 1, in units of the cell's brightest chromatin; brighter pixels (neighbours) are clipped."""

NUCLEUS = 0.22
"""Radius within which the brightest chromatin is sought, as a share of the crop's side (14 of 64 pixels)."""

PEAK = 97
"""Percentile of the pixels within that radius; a metaphase plate of 20 pixels exceeds it, but a hot pixel does not."""

FAINTEST, BRIGHTEST = 1 / 32, 32.0
"""Range of a cell's brightness; fainter cells are not amplified further, so that blank crops stay blank."""

Per = Literal["cell", "source"]

_LEVELS = np.float32(255)


@dataclass(frozen=True)
class Normalisation:
    """Conversion between raw camera units and the uint8 values of crops.

    Attributes
    ----------
    background : float
        Grey level of the empty background, in raw units.
    scale : float
        Raw units above background that count as 1: the brightest chromatin of a typical cell.
    ceiling : float
        Brightness, in units of ``scale``, that maps to 255.
    per : {"cell", "source"}
        Whether each cell is divided by its own brightness, or all share the scale of the source.
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
        """Measure the brightest chromatin of the central cell of each raw crop.

        The median over a source is 1. All values are 1 with one scale for the whole source.

        Parameters
        ----------
        raw : ndarray of shape (n, s, s)
            Crops in raw units.

        Returns
        -------
        ndarray
            float32 (n,).
        """
        if self.per == "source":
            return np.ones(len(raw), np.float32)
        brightness = (peak(raw) - self.background) / self.scale
        return np.clip(brightness, FAINTEST, BRIGHTEST).astype(np.float32)

    def apply(self, raw: np.ndarray, brightness: np.ndarray | float = 1.0) -> np.ndarray:
        """Normalise raw pixels of any real dtype.

        Parameters
        ----------
        raw : ndarray of shape (..., s, s)
            Raw crops or frames.
        brightness : float or ndarray of shape (n,)
            Result of :meth:`brightness` for crops (n, s, s).

        Returns
        -------
        ndarray
            uint8, of the same shape.
        """
        value = np.subtract(raw, np.float32(self.background), dtype=np.float32)
        value *= np.float32(255 / (self.scale * self.ceiling)) / _each(brightness)
        np.clip(value, 0, _LEVELS, out=value)
        rounded: np.ndarray = np.rint(value, out=value)
        return rounded.astype(np.uint8)

    def invert(self, crops: np.ndarray, brightness: np.ndarray | float = 1.0) -> np.ndarray:
        """Convert normalised crops back to raw units, exact to half a grey level.

        Parameters
        ----------
        crops : ndarray of shape (n, s, s)
            uint8, or float in [0, 1].
        brightness : float or ndarray of shape (n,)
            Brightness by which each crop was divided, from :meth:`brightness`.

        Returns
        -------
        ndarray
            float32, in raw units.
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
        """Return the normalisation that :meth:`to_json` wrote; raise InputError if a value is missing or invalid.

        Parameters
        ----------
        values : dict
            Plain values.

        Returns
        -------
        Normalisation
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
    """Return the grey level of the brightest chromatin of the central cell in raw crops (n, s, s), float (n,)."""
    pixels = raw.reshape(len(raw), raw.shape[-1] ** 2)
    return _percentile(pixels.take(np.flatnonzero(nucleus(raw.shape[-1])), axis=1), PEAK)


def _percentile(rows: np.ndarray, percent: float) -> np.ndarray:
    """Compute np.percentile along rows (n, k), float64 (n,), three times faster; reorders the rows in place."""
    last = rows.shape[1] - 1
    below, share = divmod(percent / 100 * last, 1)
    rows.partition(int(below), axis=1)
    low = rows[:, int(below)].astype(np.float64)
    above: np.ndarray = rows[:, min(int(below) + 1, last) :].min(axis=1)
    percentile: np.ndarray = low + share * (above - low)
    return percentile


@cache
def nucleus(size: int) -> np.ndarray:
    """Return a mask of the region of a crop in which the brightest chromatin is sought, bool (size, size)."""
    from_centre = np.arange(size) - (size - 1) / 2
    mask: np.ndarray = np.hypot(from_centre[:, None], from_centre) < NUCLEUS * size
    return mask


def _each(brightness: np.ndarray | float) -> np.ndarray:
    """Return one number for all crops or one per crop, float32, with a shape that broadcasts over their pixels."""
    values = np.asarray(brightness, np.float32)
    return values[:, None, None] if values.ndim else values


def fit_normalisation(crops: np.ndarray, source: str = "the crops", per: Per = "cell") -> Normalisation:
    """Fit a normalisation to raw crops centred on cells.

    Parameters
    ----------
    crops : ndarray of shape (n, s, s)
        Raw crops of any real dtype; a few hundred are enough. Crops without signal (blank frames) are left out.
    source : str
        Name of the crops in error messages.
    per : {"cell", "source"}
        Whether the :class:`Normalisation` divides each cell by its own brightness.

    Returns
    -------
    Normalisation

    Raises
    ------
    InputError
        If there are no crops, or pixels are NaN, infinite or complex.
    """
    crops = np.asarray(crops)
    if crops.ndim != 3 or len(crops) == 0:
        raise InputError(f"{source} contain no cells to normalise; expected at least one crop.")
    if np.iscomplexobj(crops):
        raise InputError(f"{source} contain complex pixels; expected real numbers.")
    bad = 0 if crops.dtype.kind in "iub" else int(np.count_nonzero(~np.isfinite(crops)))
    if bad:
        raise InputError(f"{source} contain {bad} pixels that are NaN or infinite; expected finite numbers.")
    floor = _percentile(crops.reshape(len(crops), -1).copy(), 5)
    alive = crops.max(axis=(1, 2)) > floor
    if not alive.any():
        return Normalisation(background=float(np.median(floor)), scale=1.0, per=per)
    crops, background = crops[alive], float(np.median(floor[alive]))
    scale = float(np.median(peak(crops))) - background
    if scale <= 0:
        scale = float(crops.max()) - float(crops.min()) or 1.0
    return Normalisation(background=background, scale=scale, per=per)
