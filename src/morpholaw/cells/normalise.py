"""One recorded, invertible grey scale for every camera: 8-bit, 16-bit and offset sensors come out alike.

A source (a movie, a folder of crops) gets two numbers, fitted once and stored with its crops: the camera's
``background`` and a ``scale``. The scale is the median chromatin *mass* of a cell (its integrated intensity
above the background) spread over a reference nuclear area. Mass is used, not peak brightness, because
condensing chromatin gets brighter while its mass stays: the scale then hardly depends on how many of the
cells are in mitosis, and brightness remains a feature that a model can use. The scale is linear: a pixel is a
density of chromatin, and a plate twice as dense is twice as bright. (A compressed scale was tried and
told real metaphases from interphases less well, docs/results.md.)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from morpholaw.errors import InputError

REFERENCE_AREA = 500 / 64**2
"""Share of a crop that a nucleus of reference size covers (500 of 64 x 64 pixels, 56 um^2 at 0.333 um)."""

CEILING = 5.0
"""Brightness, in units of the scale, that maps to 1; what is brighter is clipped. Plates reach 2 to 5."""

_LEVELS = np.float32(255)


@dataclass(frozen=True)
class Normalisation:
    """Raw camera units to a crop's uint8 and back.

    Attributes
    ----------
    background : float
        Grey value of empty background, raw units.
    scale : float
        Raw units above the background that count as 1; about the brightness of an interphase nucleus.
    ceiling : float
        Brightness in units of ``scale`` that maps to 255.
    """

    background: float
    scale: float
    ceiling: float = CEILING

    def __post_init__(self) -> None:
        values = (self.background, self.scale, self.ceiling)
        if not np.all(np.isfinite(values)) or self.scale <= 0 or self.ceiling <= 0:
            raise InputError(f"A normalisation needs a finite background and positive scales, not {values}.")

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Normalise raw pixels of any real dtype and any shape; returns uint8 of the same shape."""
        value = np.subtract(raw, np.float32(self.background), dtype=np.float32)
        value *= np.float32(255 / (self.scale * self.ceiling))
        np.clip(value, 0, _LEVELS, out=value)
        return np.rint(value, out=value).astype(np.uint8)

    def invert(self, crops: np.ndarray) -> np.ndarray:
        """Raw units, float32, from uint8 crops, or from floats in [0, 1]; exact to half a grey level."""
        level = np.asarray(crops, np.float32)
        if np.asarray(crops).dtype == np.uint8:
            level = level / _LEVELS
        return level * np.float32(self.ceiling * self.scale) + np.float32(self.background)

    def to_json(self) -> dict[str, float]:
        """Plain numbers for the study's files."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Normalisation:
        """Read what :meth:`to_json` wrote; raises InputError where a number is missing or not one."""
        try:
            return cls(**{key: float(values[key]) for key in ("background", "scale", "ceiling")})
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The normalisation {values!r} is not valid: {error}; expected background, scale, ceiling."
            ) from None


def fit_normalisation(crops: np.ndarray, source: str = "the crops") -> Normalisation:
    """Fit background and scale on raw crops centred on cells.

    Parameters
    ----------
    crops : ndarray, (n, s, s), any real dtype
        Raw crops; a few hundred are enough. Crops without signal (blank frames) are left out.
    source : str
        What to call them in an error.

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
    raw = crops.astype(np.float64)
    bad = int(np.count_nonzero(~np.isfinite(raw)))
    if bad:
        raise InputError(f"{source} hold {bad} pixels that are NaN or infinite; expected finite numbers.")
    floor = np.percentile(raw, 5, axis=(1, 2))
    alive = raw.max(axis=(1, 2)) > floor
    if not alive.any():
        return Normalisation(background=float(np.median(floor)), scale=1.0)
    raw, background = raw[alive], float(np.median(floor[alive]))
    quarter = raw.shape[1] // 4
    centre = raw[:, quarter : raw.shape[1] - quarter, quarter : raw.shape[2] - quarter]
    mass = np.median((centre - background).sum(axis=(1, 2)))
    scale = mass / (REFERENCE_AREA * raw.shape[1] * raw.shape[2])
    if scale <= 0:
        scale = float(np.ptp(raw)) or 1.0
    return Normalisation(background=background, scale=float(scale))
