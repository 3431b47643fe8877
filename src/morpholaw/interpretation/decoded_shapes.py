"""Whether a latent changes a shape by itself: the shape of decoded cells after this latent alone is changed.

A correlation over cells does not show it. Where classes differ in several latents and several shapes, each of these
latents correlates with each of these shapes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from morpholaw.cells.oriented_shapes import measure_shapes

Decode = Callable[[np.ndarray], np.ndarray]
"""Function that decodes latents, (n, latents), to images in [0, 1], float (n, s, s)."""

CELLS = 64
"""Number of cells whose latent is changed."""
RISE, SPREAD = (0.25, 0.75), (0.5, 0.05, 0.95)
"""Quantiles of a latent over the cells: where it begins and ends, and its middle and both ends."""


def agreement(decode: Decode, means: np.ndarray, latent: int, shape: str, sign: int, even: bool) -> float:
    """Return the share of cells in which a change of one latent alone changes a shape in the stated direction.

    Cells in which the shape stays the same are not counted: without neighbours, their area remains 0.

    Parameters
    ----------
    decode : callable
        The decoder.
    means : ndarray, (n, latents)
        Encodings of the cells, from which changes start.
    latent : int
        The latent.
    shape : str
        A column of :func:`morpholaw.cells.oriented_shapes.measure_shapes`.
    sign : int
        +1 if the shape should increase with the latent, or with its distance from the median if ``even``; -1 if it
        should decrease.
    even : bool
        Whether the shape should change towards both ends of the latent.
    """
    cells = means[np.unique(np.linspace(0, len(means) - 1, min(CELLS, len(means))).astype(int))]
    first, *others = np.quantile(means[:, latent], SPREAD if even else RISE)
    before, *after = (_shape(decode, cells, latent, value, shape) for value in (first, *others))
    change = np.mean(after, axis=0) - before
    return float(np.mean(sign * change[change != 0] > 0)) if change.any() else 0.0


def _shape(decode: Decode, cells: np.ndarray, latent: int, value: float, shape: str) -> np.ndarray:
    points = np.array(cells, dtype=np.float32)
    points[:, latent] = value
    images = np.rint(255 * np.clip(decode(points), 0, 1)).astype(np.uint8)
    return np.asarray(measure_shapes(images)[shape], dtype=np.float64)
