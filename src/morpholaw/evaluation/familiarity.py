"""Recognition of unusual crops, by comparison of their grey levels, noise and sharpness with the training cells.

A classifier assigns a class to every image, including blank and defocused ones and cells from another microscope. These
differ from the training cells in image quality rather than shape. Each crop is therefore described by its power in
bands of spatial frequency and its grey levels, and compared with the training cells by Mahalanobis distance. Latents
are of no use here, as the encoder ignores what is absent from its training set and encodes blank, blurred and empty
crops like cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from morpholaw.cells.normalise import nucleus

QUANTILE = 0.99
"""Share of the training cells within the limit."""
FEWEST = 40
"""Minimum number of training cells."""
_EDGES = (0.016, 0.035, 0.06, 0.09, 0.125, 0.17, 0.22, 0.28, 0.35, 0.45, 0.71)  # cycles per pixel
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_FLOOR = 1e-6  # power of less than a grey level's rounding
_BLOCK = 256
_FOLDS = 5


def advice_on_unusual(count: int, cells: int) -> str:
    """Return what to do about unusual cells, in one sentence.

    A wrong scale or channel and a blurred or saturated movie make most cells unusual.

    Parameters
    ----------
    count : int
        Number of unusual cells.
    cells : int
        Number of all cells.
    """
    if count > cells / 2:
        return (
            "As these are most of the cells, check the pixel size, channel, focus and exposure of the images."
        )
    return "About 1 % of ordinary cells are also marked."


def picture_statistics(images: np.ndarray) -> np.ndarray:
    """Measure the image quality of crops.

    Parameters
    ----------
    images : ndarray, uint8 (n, s, s)
        Normalised crops.

    Returns
    -------
    ndarray, float64 (n, 18)
        Logarithms of the power in ten bands of spatial frequency, share of saturated pixels, square roots of five
        quantiles of the grey levels, and mean and standard deviation around the centre.
    """
    parts = [_statistics(np.asarray(images[i : i + _BLOCK])) for i in range(0, len(images), _BLOCK)]
    return np.concatenate([np.zeros((0, len(_EDGES) + 7)), *parts])


def _statistics(images: np.ndarray) -> np.ndarray:
    from scipy import fft

    size = images.shape[-1]
    pixels = images.astype(np.float32) / np.float32(255)
    window, bands = _spectral_bands(size)
    power = np.abs(fft.rfft2((pixels - pixels.mean((1, 2), keepdims=True)) * window)) ** 2
    energy = power.reshape(len(images), -1) @ bands
    flat = np.sort(pixels.reshape(len(images), -1), axis=1)
    levels = flat[:, [round(level * (size**2 - 1)) for level in _LEVELS]]
    centre = pixels[:, nucleus(size)]
    columns = [
        np.log(energy + _FLOOR),
        (images == 255).mean((1, 2))[:, None],
        np.sqrt(levels),
        centre.mean(1)[:, None],
        centre.std(1)[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float64)


@cache
def _spectral_bands(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a window (s, s), and the matrix from a spectrum of s * (s / 2 + 1) powers to the means of the bands."""
    across = np.fft.rfftfreq(size)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], across).ravel()
    # The half of the spectrum that is left out is the mirror image of the other, but for its first and last column.
    weight = np.tile(np.where((across > 0) & (across < 0.5), 2.0, 1.0), size)
    band = np.digitize(frequency, _EDGES)
    bands = np.stack(
        [weight * (band == k) / max(1, np.sum(weight[band == k])) for k in range(1, len(_EDGES))], axis=1
    )
    window = np.outer(np.hanning(size), np.hanning(size))
    return window.astype(np.float32), bands.astype(np.float32)


@dataclass(frozen=True)
class Familiarity:
    """Distribution of the image statistics of training cells.

    Attributes
    ----------
    centre : ndarray, float64 (k,)
        Mean of the statistics.
    precision : ndarray, float64 (k, k)
        Inverse of their covariance.
    limit : float
        `QUANTILE` of the Mahalanobis distances of training cells from the cells of other groups.
    cells : int
        Number of training cells.
    """

    centre: np.ndarray
    precision: np.ndarray
    limit: float
    cells: int

    @classmethod
    def fit(cls, images: np.ndarray, groups: np.ndarray) -> Familiarity | None:
        """Fit the distribution to training cells.

        Parameters
        ----------
        images : ndarray, uint8 (n, s, s)
            Crops of the training cells.
        groups : ndarray, (n,)
            Group of each cell. The limit is determined from distances between groups.

        Returns
        -------
        Familiarity or None
            The distribution; None if there are fewer than `FEWEST` cells.
        """
        if len(images) < FEWEST:
            return None
        values = picture_statistics(images)
        names, group = np.unique(groups, return_inverse=True)
        folds = min(_FOLDS, len(names))
        fold = np.random.default_rng(0).permutation(len(names))[group] % folds
        centre, precision = _cloud(values)
        if folds < 2:
            distances = _distances(values, centre, precision)
        else:
            distances = np.concatenate(
                [_distances(values[fold == k], *_cloud(values[fold != k])) for k in range(folds)]
            )
        return cls(centre, precision, float(np.quantile(distances, QUANTILE)), len(images))

    def distances(self, images: np.ndarray) -> np.ndarray:
        """Return the Mahalanobis distance of crops from the training cells, float64 (n,).

        Parameters
        ----------
        images : ndarray, uint8 (n, s, s)
            Crops.
        """
        return _distances(picture_statistics(images), self.centre, self.precision)

    def unusual(self, images: np.ndarray) -> np.ndarray:
        """Return whether the distance of crops from the training cells exceeds the limit, bool (n,).

        Parameters
        ----------
        images : ndarray, uint8 (n, s, s)
            Crops.
        """
        far: np.ndarray = self.distances(images) > self.limit
        return far


def _cloud(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and precision. The covariance is shrunk, to be robust if there are few cells."""
    from sklearn.covariance import LedoitWolf

    spread = np.maximum(
        values.std(axis=0), 1e-3
    )  # shrinkage is towards one variance, so all need the same scale
    fitted = LedoitWolf().fit(values / spread)
    return fitted.location_ * spread, fitted.precision_ / np.outer(spread, spread)


def _distances(values: np.ndarray, centre: np.ndarray, precision: np.ndarray) -> np.ndarray:
    apart = values - centre
    squared = np.einsum("ni,ij,nj->n", apart, precision, apart, optimize=True)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))
