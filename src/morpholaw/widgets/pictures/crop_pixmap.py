"""A crop as a Qt pixmap, brightened for display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtGui import QImage, QPixmap

from morpholaw.errors import MorpholawError

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops

BRIGHTER = np.round(255 * (np.arange(256) / 255) ** 0.6).astype(np.uint8)
"""Displayed grey levels, with a gamma of 0.6 because interphase nuclei are much darker than mitotic ones."""


def crop_pixmap(crops: Crops | None, crop: int) -> QPixmap:
    """Return the pixmap of a crop, given by its global index; an empty one if it cannot be read."""
    if crops is None:
        return QPixmap()
    try:
        pixels = BRIGHTER[crops[crop]]
    except (MorpholawError, OSError, IndexError):
        return QPixmap()  # the study's folder may be gone; an empty frame is shown
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())
