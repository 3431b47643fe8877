"""Cells whose brightest parts are cut off, as in saturated images or after a conversion with too much contrast."""

from __future__ import annotations

import numpy as np

_PLATEAU = 0.1
"""Share of a nucleus with exactly its brightest value, above which its texture is lost; below 0.03 as a rule."""
_STEEPER = 2.0
"""Factor by which more pixels have the brightest value than the next one, unlike where there are few grey levels."""
_MANY = 0.25
"""Share of such cells from which on it is reported; 0.11 of all MitoCheck images are saturated."""


def saturated(crops: np.ndarray) -> np.ndarray:
    """Return in which crops much of the nucleus in the centre has the same, brightest value.

    Parameters
    ----------
    crops : ndarray of shape (n, s, s)
        Crops in the grey values of their file, not normalised.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    quarter = crops.shape[1] // 4
    middle = crops[:, quarter : 3 * quarter, quarter : 3 * quarter].reshape(len(crops), -1)
    top = middle.max(axis=1, keepdims=True)
    lowest = middle.min(axis=1, keepdims=True)
    below = np.where(middle < top, middle, lowest).max(axis=1, keepdims=True)
    nucleus = (middle > lowest + (top.astype(np.float64) - lowest) / 2).sum(axis=1)
    brightest, next_to_it = (middle == top).sum(axis=1), (middle == below).sum(axis=1)
    # Of a black and white image, the value next to the brightest is the background's.
    steep = (brightest > _STEEPER * next_to_it) | (below == lowest)[:, 0]
    plateau: np.ndarray = (brightest > _PLATEAU * np.maximum(nucleus, 1)) & steep & (top > lowest)[:, 0]
    return plateau


def saturation_sentence(plateau: np.ndarray, name: str) -> str:
    """Return a sentence about saturated cells (n,) of ``name``, or nothing if they are few."""
    share = float(plateau.mean()) if len(plateau) else 0.0
    if share < _MANY:
        return ""
    return (
        f"In {100 * share:.0f} % of the cells of {name} that were checked, a large part of the nucleus has the same, "
        "brightest value: the camera was saturated, or the contrast was changed before the images were saved. Their "
        "texture is lost; use the original images, or a shorter exposure."
    )
