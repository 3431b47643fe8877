"""The pixels of a crop that belong to its central cell: its nucleus and the blurred rim around it."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.normalise import nucleus
from morpholaw.cells.segmentation import nucleus_masks, with_margin


def cell_pixels(images: np.ndarray) -> np.ndarray:
    """Return the pixels of the central cell of each crop, bool (n, s, s).

    Parameters
    ----------
    images : ndarray, uint8 (n, s, s)
        Normalised crops. Where no nucleus is seen, the disc in which the brightest chromatin is sought stands for it.
    """
    return with_margin(nuclei(images))


def nuclei(images: np.ndarray) -> np.ndarray:
    """Return the central nucleus of each crop as `cell_pixels` does, without its rim."""
    found = nucleus_masks(images)
    found[~found.any(axis=(1, 2))] = nucleus(images.shape[-1])
    return found
