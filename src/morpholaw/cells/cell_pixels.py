"""The pixels of a crop that belong to its central cell: its nucleus and the blurred rim around it."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.normalise import nucleus
from morpholaw.cells.segmentation import nucleus_masks, with_margin


def cell_pixels(images: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
    """Return the pixels of the central cell of each crop, bool (n, s, s).

    Parameters
    ----------
    images : ndarray, uint8 (n, s, s)
        Normalised crops.
    masks : ndarray, bool (n, s, s), optional
        The central nuclei, e.g. the tracker's; segmented in the crops where they are left out. Where there is none, the
        disc in which the brightest chromatin is sought stands for it.
    """
    return with_margin(nuclei(images, masks))


def nuclei(images: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
    """Return the central nucleus of each crop as `cell_pixels` does, without its rim."""
    found = nucleus_masks(images) if masks is None else np.array(masks, bool)
    found[~found.any(axis=(1, 2))] = nucleus(images.shape[-1])
    return found
