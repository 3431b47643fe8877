"""One recorded grey scale for every camera: 8-bit, 16-bit and offset sensors come out alike.

A source (a movie, a folder of crops) gets two numbers, fitted once and stored with its crops: the camera's
``background`` and a ``scale``, how bright the brightest chromatin of a typical cell is. Each cell is then divided
by its own ``brightness``, the same in units of the source's, which is stored beside it. The cells of one culture
express the fluorescent histone ten times more or less, and movies differ as much: how bright a cell is says little of
its phase, and a dim metaphase whose grain is a hundredth of the squared error is one that no latent learns. What
remains is what the method is about, the shape and the texture of the chromatin. (One scale for a whole source, each
cell over its chromatin mass, and a compressed scale all told real metaphases from interphases less well,
docs/results.md.) Within a cell the scale is linear: a pixel is a density of chromatin.
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
"""Radius within which a cell's brightest chromatin is looked for, as a share of the crop's side (14 of 64 pixels)."""

PEAK = 97
"""Percentile of the pixels in that radius: a plate of 20 pixels is above it, and a hot pixel is not."""

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
        values = (self.background, self.scale, self.ceiling)
        if not np.all(np.isfinite(values)) or self.scale <= 0 or self.ceiling <= 0:
            raise InputError(f"A normalisation needs a finite background and positive scales, not {values}.")
        if self.per not in ("cell", "source"):
            raise InputError(f"A normalisation is per cell or per source, not {self.per!r}.")

    def brightness(self, raw: np.ndarray) -> np.ndarray:
        """How bright the brightest chromatin of the central cells of raw crops (n, s, s) is, float32 (n,).

        The source's median is 1. All ones where the scale is one for the whole source.
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
            What :meth:`brightness` found for crops (n, s, s).
        """
        value = np.subtract(raw, np.float32(self.background), dtype=np.float32)
        value *= np.float32(255 / (self.scale * self.ceiling)) / _each(brightness)
        np.clip(value, 0, _LEVELS, out=value)
        return np.rint(value, out=value).astype(np.uint8)

    def invert(self, crops: np.ndarray, brightness: np.ndarray | float = 1.0) -> np.ndarray:
        """Raw units, float32, from uint8 crops, or from floats in [0, 1]; exact to half a grey level."""
        level = np.asarray(crops, np.float32)
        if np.asarray(crops).dtype == np.uint8:
            level = level / _LEVELS
        return level * (np.float32(self.ceiling * self.scale) * _each(brightness)) + np.float32(
            self.background
        )

    def to_json(self) -> dict[str, float | str]:
        """Plain numbers for the study's files."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Normalisation:
        """Read what :meth:`to_json` wrote; raises InputError where a number is missing or not one."""
        try:
            numbers = {key: float(values[key]) for key in ("background", "scale", "ceiling")}
            return cls(**numbers, per=values.get("per", "source"))  # sets written before version 0.2 have one scale per source
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The normalisation {values!r} is not valid: {error}; expected background, scale, ceiling."
            ) from None


def peak(raw: np.ndarray) -> np.ndarray:
    """Grey value of the brightest chromatin of the cell in the middle of raw crops (n, s, s), float (n,)."""
    pixels = raw.reshape(len(raw), raw.shape[-1] ** 2)
    return _percentile(pixels.take(np.flatnonzero(nucleus(raw.shape[-1])), axis=1), PEAK)


def _percentile(rows: np.ndarray, percent: float) -> np.ndarray:
    """np.percentile along rows (n, k), float64 (n,), in a third of its time; changes the rows' order of pixels."""
    last = rows.shape[1] - 1
    below, share = divmod(percent / 100 * last, 1)
    rows.partition(int(below), axis=1)
    low = rows[:, int(below)].astype(np.float64)
    return low + share * (rows[:, min(int(below) + 1, last) :].min(axis=1) - low)


@cache
def nucleus(size: int) -> np.ndarray:
    """Where in a crop of side ``size`` a cell's brightest chromatin is looked for, bool (size, size)."""
    from_centre = np.arange(size) - (size - 1) / 2
    return np.hypot(from_centre[:, None], from_centre) < NUCLEUS * size


def _each(brightness: np.ndarray | float) -> np.ndarray:
    """One number for all, or one a crop, float32 of a shape that broadcasts over the crops' pixels."""
    own = np.asarray(brightness, np.float32)
    return own[:, None, None] if own.ndim else own


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
