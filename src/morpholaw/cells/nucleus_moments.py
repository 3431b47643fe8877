"""Area, centre, second moments and brightness of the central nuclei of crops, as sums over pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NucleusMoments:
    """Moments of nuclei, float64 (n,) each. All but the area are NaN for an empty mask.

    Attributes
    ----------
    area : ndarray
        Number of pixels.
    y, x : ndarray
        Centroid, as row and column.
    yy, xx, yx : ndarray
        Second central moments in pixels squared, including that of a pixel itself, so that a line one pixel wide has a
        width.
    brightness, deviation : ndarray
        Mean and standard deviation of the brightness, in [0, 1].
    """

    area: np.ndarray
    y: np.ndarray
    x: np.ndarray
    yy: np.ndarray
    xx: np.ndarray
    yx: np.ndarray
    brightness: np.ndarray
    deviation: np.ndarray

    @property
    def spread(self) -> np.ndarray:
        """Difference of the second moments along the major and the minor axis."""
        spread: np.ndarray = np.hypot(self.xx - self.yy, 2 * self.yx)
        return spread

    @property
    def length(self) -> np.ndarray:
        """Major axis, in pixels, of the ellipse with the same second moments."""
        length: np.ndarray = 4 * np.sqrt((self.xx + self.yy + self.spread) / 2)
        return length

    @property
    def width(self) -> np.ndarray:
        """Minor axis, in pixels, of the ellipse with the same second moments."""
        width: np.ndarray = 4 * np.sqrt(np.maximum(self.xx + self.yy - self.spread, 0) / 2)
        return width


def nucleus_moments(images: np.ndarray, masks: np.ndarray) -> NucleusMoments:
    """Measure the moments of one nucleus per crop.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, s, s)
        Normalised crops.
    masks : ndarray of bool, shape (n, s, s)
        Pixels of the nucleus of each crop.

    Returns
    -------
    NucleusMoments
    """
    n = len(images)
    crop, row, column = np.nonzero(masks)
    area = np.bincount(crop, minlength=n).astype(np.float64)
    pixels = np.where(area > 0, area, np.nan)

    def mean(of: np.ndarray) -> np.ndarray:
        average: np.ndarray = np.bincount(crop, of, minlength=n) / pixels
        return average

    y, x = mean(row), mean(column)
    dy, dx = row - y[crop], column - x[crop]
    of_pixel = 1 / 12
    value = images[crop, row, column] / 255.0
    brightness = mean(value)
    return NucleusMoments(
        area,
        y,
        x,
        mean(dy * dy) + of_pixel,
        mean(dx * dx) + of_pixel,
        mean(dy * dx),
        brightness,
        np.sqrt(mean((value - brightness[crop]) ** 2)),
    )
