"""Rendering of nuclei of known area, axis ratio, orientation and brightness at sub-pixel positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from scipy import fft

from morpholaw.cells.simulator.chromatin import KINDS
from morpholaw.cells.simulator.drawing import GRID
from morpholaw.cells.simulator.patterns import PatternBank, pattern_bank

_Patch = tuple[np.ndarray, np.ndarray, np.ndarray]
_PATCHES = (16, 24, 32, 40, 52, 64, 80, 96, 128)
_CHUNK_PIXELS = 1 << 17  # keeps the temporary arrays of a step in the CPU's cache
HAZE_SIGMA = 6.0
"""Standard deviation of the skirt of the point spread function, in pixels."""


@dataclass
class Nuclei:
    """A batch of nuclei to draw; every field is an array with one value per nucleus.

    Attributes
    ----------
    image : int
        Index of the image into which the nucleus is drawn.
    kind : int
        Index into `KIND_NAMES`.
    pattern : int
        Number of the pattern in the kind's bank, modulo the bank's size.
    y, x : float
        Centroid of the mask, in pixels.
    area : float
        Area of the mask, in square pixels.
    axis_ratio : float
        Ratio of the mask's standard deviations along its major and minor axis.
    orientation : float
        Angle of the major axis in radians, from the x axis towards y (down the image).
    brightness : float
        Mean intensity over the mask above background.
    mirrored : bool
        Whether the pattern is mirrored along its major axis.
    """

    image: np.ndarray
    kind: np.ndarray
    pattern: np.ndarray
    y: np.ndarray
    x: np.ndarray
    area: np.ndarray
    axis_ratio: np.ndarray
    orientation: np.ndarray
    brightness: np.ndarray
    mirrored: np.ndarray

    def __len__(self) -> int:
        """Return the number of nuclei."""
        return len(self.y)

    def __getitem__(self, index: np.ndarray | slice) -> Nuclei:
        """Return some of the nuclei."""
        return Nuclei(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @staticmethod
    def concatenate(parts: list[Nuclei]) -> Nuclei:
        """Concatenate batches of nuclei."""
        return Nuclei(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Nuclei)})

    @property
    def radius(self) -> np.ndarray:
        """Half of the major axis of the ellipse with the same area and axis ratio, in pixels."""
        radius: np.ndarray = np.sqrt(self.area * self.axis_ratio / np.pi)
        return radius


KIND_NAMES = tuple(KINDS)
"""Names of the kinds in the order of `Nuclei.kind`."""


def draw(nuclei: Nuclei, shape: tuple[int, int, int]) -> np.ndarray:
    """Draw images with the sum of the nuclei's intensities.

    Parameters
    ----------
    nuclei : Nuclei
        Nuclei to draw; parts outside the image are cut off.
    shape : tuple of int
        Shape (n, y, x) of the images.

    Returns
    -------
    ndarray of float32, shape (n, y, x)
    """
    canvas = np.zeros(shape, np.float32)
    brightness = nuclei.brightness.astype(np.float32)  # a single dtype, because np.add.at is slow otherwise
    for index, patch, values in _patches(nuclei, shape, masks=False):
        np.add.at(canvas.reshape(-1), patch.reshape(-1), (values * brightness[index, None, None]).reshape(-1))
    return canvas


def draw_masks(nuclei: Nuclei, labels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Draw label images with ``labels[i]`` (above 0) at the mask of nucleus i; the brighter nucleus wins.

    Returns
    -------
    ndarray of int32, shape (n, y, x)
    """
    order = np.argsort(nuclei.brightness, kind="stable")
    canvas = np.zeros(shape, np.int32)
    flat = canvas.reshape(-1)
    parts: list[tuple[int, np.ndarray]] = []
    for index, patch, values in _patches(nuclei, shape, masks=True):
        parts += [(int(i), p[v > 0.5]) for i, p, v in zip(index, patch, values, strict=True)]
    rank = np.argsort(order)
    for i, pixels in sorted(parts, key=lambda part: rank[part[0]]):
        flat[pixels] = labels[i]
    return canvas


def _patches(nuclei: Nuclei, shape: tuple[int, int, int], masks: bool) -> Iterator[_Patch]:
    """Yield indices of nuclei, flat pixel indices (k, p, p) and values (k, p, p), in groups of similar size."""
    _, height, width = shape
    for kind in np.unique(nuclei.kind):
        of_kind = np.flatnonzero(nuclei.kind == kind)
        bank = pattern_bank(KIND_NAMES[kind])
        some = nuclei[of_kind]
        stretch = _stretch(some, bank)
        reach = stretch * bank.extent[some.pattern % len(bank)]
        half = np.hypot(reach.max(1), 0.4 * reach.min(1)) + 1.5
        seen = (
            (some.y > -half) & (some.y < height - 1 + half) & (some.x > -half) & (some.x < width - 1 + half)
        )
        bucket = np.searchsorted(_PATCHES, 2 * half).clip(max=len(_PATCHES) - 1)
        for b in np.unique(bucket[seen]):
            side = min(_PATCHES[b], height, width)
            members = np.flatnonzero(seen & (bucket == b))
            step = max(1, _CHUNK_PIXELS // side**2)
            for start in range(0, len(members), step):
                part = members[start : start + step]
                yield (of_kind[part], *_sample(some[part], stretch[part], bank, side, (height, width), masks))


def _stretch(nuclei: Nuclei, bank: PatternBank) -> np.ndarray:
    """Return the pixels per pattern pixel along the major and minor axis, (n, 2), for the requested area and ratio."""
    pattern = nuclei.pattern % len(bank)
    zoom = nuclei.area / bank.area[pattern]
    change = nuclei.axis_ratio / bank.axis_ratio[pattern]
    return np.stack([np.sqrt(zoom * change), np.sqrt(zoom / change)], 1).astype(np.float32)


def _sample(
    nuclei: Nuclei, stretch: np.ndarray, bank: PatternBank, side: int, size: tuple[int, int], masks: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Sample each nucleus' pattern bilinearly in a window of the image around it."""
    height, width = size
    top = np.clip(np.rint(nuclei.y - (side - 1) / 2), 0, height - side).astype(np.intp)
    left = np.clip(np.rint(nuclei.x - (side - 1) / 2), 0, width - side).astype(np.intp)
    steps = np.arange(side)
    dy = (top - nuclei.y)[:, None] + steps
    dx = (left - nuclei.x)[:, None] + steps
    pattern = nuclei.pattern % len(bank)
    sin, cos = np.sin(nuclei.orientation), np.cos(nuclei.orientation)
    flip = np.where(nuclei.mirrored, -1.0, 1.0)
    # (row, column) of the pattern = centre + inverse @ (dy, dx), the sum of a row term and a column term
    major = np.stack([sin, cos], 1)[:, None] * bank.axes[pattern, 0][:, :, None] / stretch[:, 0, None, None]
    minor = np.stack([cos, -sin], 1)[:, None] * bank.axes[pattern, 1][:, :, None] / stretch[:, 1, None, None]
    inverse = (major + flip[:, None, None] * minor).astype(np.float32)
    centre = bank.centre[pattern]
    dy, dx = dy.astype(np.float32), dx.astype(np.float32)
    row = (centre[:, :1] + inverse[:, 0, :1] * dy)[:, :, None] + (inverse[:, 0, 1:] * dx)[:, None, :]
    column = (centre[:, 1:] + inverse[:, 1, :1] * dy)[:, :, None] + (inverse[:, 1, 1:] * dx)[:, None, :]
    np.clip(row, 0, GRID - 1.001, out=row)  # a pattern's border is dark, so clamping repeats darkness
    np.clip(column, 0, GRID - 1.001, out=column)
    i, j = row.astype(np.int32), column.astype(np.int32)
    row -= i
    column -= j
    corner = ((pattern * GRID).astype(np.int32)[:, None, None] + i) * GRID + j
    table = (bank.mask if masks else bank.intensity).reshape(-1)
    upper = table.take(corner)
    upper += column * (table.take(corner + 1) - upper)
    corner += GRID
    lower = table.take(corner)
    lower += column * (table.take(corner + 1) - lower)
    upper += row * (lower - upper)
    pixels = ((nuclei.image.astype(np.intp) * height + top)[:, None] + steps)[:, :, None] * width + (
        left[:, None] + steps
    )[:, None, :]
    return pixels, upper


def blur(images: np.ndarray, sigma: np.ndarray, haze: np.ndarray) -> np.ndarray:
    """Blur every image by its own point spread function: a Gaussian core with a weak, wide skirt.

    Parameters
    ----------
    images : ndarray of float32, shape (n, y, x)
        Images to blur.
    sigma : ndarray of shape (n,)
        Standard deviation of the core, in pixels.
    haze : ndarray of shape (n,)
        Share of the light in the skirt, whose standard deviation is `HAZE_SIGMA` pixels.

    Returns
    -------
    ndarray of float32, shape (n, y, x)
    """
    _, height, width = images.shape
    fy, fx = fft.fftfreq(height) ** 2, fft.rfftfreq(width) ** 2

    def transfer(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        k = (-2 * np.pi**2 * s**2)[:, None]
        return np.exp(k * fy).astype(np.float32)[:, :, None], np.exp(k * fx).astype(np.float32)[:, None, :]

    spectrum = fft.rfft2(images)
    row, column = transfer(np.asarray(sigma))
    wide_row, wide_column = transfer(np.array([HAZE_SIGMA]))
    share = np.asarray(haze, np.float32)[:, None, None]
    spectrum *= (row * (1 - share)) * column + share * (wide_row * wide_column)
    blurred: np.ndarray = fft.irfft2(spectrum, s=(height, width))
    return blurred


def expose(
    rng: np.random.Generator, signal: np.ndarray, read_noise: np.ndarray, photons: np.ndarray
) -> np.ndarray:
    """Add camera noise: read noise, and shot noise in the Gaussian approximation.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    signal : ndarray of float32, shape (n, y, x)
        Signal in units of the brightness of a typical interphase nucleus above background.
    read_noise : ndarray of shape (n,)
        Standard deviation at zero signal in the same units, including the shot noise of the background.
    photons : ndarray of shape (n,)
        Photoelectrons per unit of signal.

    Returns
    -------
    ndarray of float32, shape (n, y, x)
    """
    variance: np.ndarray = np.maximum(signal, 0)
    variance *= (1 / photons).astype(np.float32)[:, None, None]
    variance += (read_noise**2).astype(np.float32)[:, None, None]
    np.sqrt(variance, out=variance)
    variance *= rng.standard_normal(signal.shape, dtype=np.float32)
    variance += signal
    return variance
