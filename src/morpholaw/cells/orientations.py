"""The eight rotations and flips of a square (the group D4), for NumPy arrays and torch tensors.

Orientation ``k`` in 0-7 consists of three bits, applied in this order: bit 0 flips left to right, bit 1 flips top to
bottom, bit 2 transposes rows and columns. 0 is the identity. The paper augments with these eight (appendix B.1, B.2),
and its constraint "no dependence on orientation" (4.1) is measured over them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

COUNT = 8


def orient(images: Any, k: Any) -> Any:
    """Rotate or flip square images.

    Parameters
    ----------
    images : ndarray or Tensor of shape (..., s, s)
        Images to transform.
    k : int, or integer array or tensor of shape (n,)
        Orientation of all images, or of each image along the first axis.

    Returns
    -------
    ndarray or Tensor
        Of the same shape and dtype; for an integer ``k`` possibly a view.
    """
    if np.ndim(k) == 0:
        k = int(k)
        if not 0 <= k < COUNT:
            raise ValueError(f"an orientation is 0 to {COUNT - 1}, not {k}")
        if k & 1:
            images = _flip(images, -1)
        if k & 2:
            images = _flip(images, -2)
        return images.swapaxes(-1, -2) if k & 4 else images
    out = images.clone() if hasattr(images, "clone") else images.copy()
    for each in range(1, COUNT):
        chosen = k == each
        if chosen.any():
            out[chosen] = orient(images[chosen], each)
    return out


def all_orientations(images: np.ndarray) -> np.ndarray:
    """Return the eight orientations of every image, (8, n, ..., s, s), for images (n, ..., s, s)."""
    return np.stack([orient(images, k) for k in range(COUNT)])


def inverse(k: int) -> int:
    """Return the orientation that undoes ``k``; only the two quarter turns are not their own inverse."""
    return {5: 6, 6: 5}.get(k, k)


def _flip(images: Any, axis: int) -> Any:
    return images.flip(axis) if hasattr(images, "clone") else np.flip(images, axis)
