"""The pixels of the central cell of a crop: its nucleus and the blurred rim around it."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.normalise import nucleus
from morpholaw.cells.segmentation import nucleus_masks, with_margin


def cell_pixels(images: np.ndarray) -> np.ndarray:
    """Return a mask of the central cell of each crop.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, s, s)
        Normalised crops. If no nucleus is found, the mask is the disc in which the brightest chromatin is sought.

    Returns
    -------
    ndarray
        bool (n, s, s).
    """
    return with_margin(nuclei(images))


def nuclei(images: np.ndarray) -> np.ndarray:
    """Return masks of the central nuclei, as `cell_pixels` without the rim."""
    masks = nucleus_masks(images)
    masks[~masks.any(axis=(1, 2))] = nucleus(images.shape[-1])
    return masks
