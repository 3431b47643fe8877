"""Colour tables of images whose pixels are numbers of colours."""

from __future__ import annotations

import numpy as np

_BRIGHTNESS = (0.299, 0.587, 0.114)
"""Contributions of red, green and blue to brightness."""


def grows_brighter(colours: np.ndarray) -> bool:
    """Return whether larger numbers are never darker, so that the numbers are grey values in false colours.

    Parameters
    ----------
    colours : ndarray, shape (n, 3)
        Red, green and blue of each number.

    Returns
    -------
    bool
    """
    brightness = np.asarray(colours, np.float64) @ np.array(_BRIGHTNESS)
    return bool((np.diff(brightness) >= 0).all())
