"""Elements of chromatin patterns: outlines, texture, nucleoli and condensed chromosomes.

Images are (n, GRID, GRID) float32; lengths are in units of the radius of an interphase nucleus.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

GRID = 96
"""Side length of a pattern, in pattern pixels."""
UNIT = 30.0
"""Pattern pixels per unit of length; an interphase outline has a radius of about one unit."""


def each(values: np.ndarray) -> np.ndarray:
    """Reshape one value per pattern to broadcast with images (n, GRID, GRID)."""
    return np.asarray(values, np.float32)[:, None, None]


def polar() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the grid coordinates y and x in units of length, and their radius and angle."""
    axis = ((np.arange(GRID) - (GRID - 1) / 2) / UNIT).astype(np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y, x, np.hypot(y, x), np.arctan2(y, x)


def smooth_noise(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    """Draw Gaussian random fields of unit variance, (n, GRID, GRID), correlated over ``scale`` units of length."""
    f = fft.fftfreq(GRID)[:, None] ** 2 + fft.rfftfreq(GRID)[None] ** 2
    low_pass = np.exp(-2 * (np.pi * scale * UNIT) ** 2 * f).astype(np.float32)
    white = fft.rfft2(rng.standard_normal((n, GRID, GRID), dtype=np.float32))
    field = fft.irfft2(white * low_pass, s=(GRID, GRID))
    unit: np.ndarray = field / field.std((1, 2), keepdims=True)
    return unit


def outline(rng: np.random.Generator, n: int, irregularity: np.ndarray) -> np.ndarray:
    """Return the distance to the centre relative to an outline of low Fourier harmonics, (n, GRID, GRID)."""
    _, _, radius, angle = polar()
    border = np.ones((n, GRID, GRID), np.float32)
    for order in (2, 3, 4, 5, 6):
        size = rng.normal(0, 1, n) * irregularity / order
        phase = rng.uniform(0, 2 * np.pi, n)
        border += each(size) * np.cos(order * angle - each(phase))
    return radius / border


def spots(rng: np.random.Generator, n: int, counts: tuple[int, int], depth: np.ndarray) -> np.ndarray:
    """Draw nucleoli, as a factor below one at a few round spots, (n, GRID, GRID)."""
    y, x, _, _ = polar()
    factor = np.ones((n, GRID, GRID), np.float32)
    number = rng.integers(counts[0], counts[1] + 1, n)
    for k in range(counts[1]):
        r, phi = 0.65 * np.sqrt(rng.random(n)), rng.uniform(0, 2 * np.pi, n)
        width = rng.uniform(0.09, 0.2, n)
        dark = np.where(k < number, depth * rng.uniform(0.5, 1, n), 0)
        d2 = (y - each(r * np.sin(phi))) ** 2 + (x - each(r * np.cos(phi))) ** 2
        factor *= 1 - each(dark) * np.exp(d2 * each(-0.5 / width**2))
    return factor


def _deposit(n: int, index: np.ndarray, y: np.ndarray, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Draw point masses at (y, x), in units of length, with bilinear interpolation, exact below a pixel."""
    py = np.clip(y * UNIT + (GRID - 1) / 2, 0, GRID - 1.001)
    px = np.clip(x * UNIT + (GRID - 1) / 2, 0, GRID - 1.001)
    iy, ix = py.astype(np.intp), px.astype(np.intp)
    fy, fx = py - iy, px - ix
    picture = np.zeros(n * GRID * GRID)
    for sy, wy in ((0, 1 - fy), (1, fy)):
        for sx, wx in ((0, 1 - fx), (1, fx)):
            np.add.at(picture, (index * GRID + iy + sy) * GRID + ix + sx, weight * wy * wx)
    return picture.reshape(n, GRID, GRID)


def chromosomes(
    y: np.ndarray,
    x: np.ndarray,
    angle: np.ndarray,
    length: np.ndarray,
    weight: np.ndarray,
    thickness: np.ndarray,
) -> np.ndarray:
    """Draw condensed chromosomes: rods at (y, x), (n, chromosomes), blurred to ``thickness`` (n,)."""
    n = len(y)
    along = np.linspace(-0.5, 0.5, 5)
    py = y[..., None] + (length * np.sin(angle))[..., None] * along
    px = x[..., None] + (length * np.cos(angle))[..., None] * along
    mass = np.broadcast_to(weight[..., None], py.shape)
    index = np.broadcast_to(np.arange(n)[:, None, None], py.shape)
    rods = _deposit(n, index.ravel(), py.ravel(), px.ravel(), mass.ravel())
    return np.stack([ndimage.gaussian_filter(r, t * UNIT) for r, t in zip(rods, thickness, strict=True)])


def mask_of(
    intensity: np.ndarray, level: float = 0.35, smooth: float = 1.5, whole: bool = False
) -> np.ndarray:
    """Return the mask of condensed chromatin: the largest component above ``level`` of its bright part, filled."""
    masks = []
    for picture in intensity:
        wide = ndimage.gaussian_filter(picture, smooth)
        bright = np.percentile(wide[wide > 0.1 * wide.max()], 80)
        inside = ndimage.binary_fill_holes(wide > level * bright)
        if not whole:
            components, count = ndimage.label(inside)
            if count > 1:
                inside = components == 1 + np.argmax(np.bincount(components.ravel())[1:])
        masks.append(inside)
    return np.array(masks, dtype=np.float32)
