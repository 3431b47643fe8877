"""Augmented versions of labelled crops for heads and laws: swapped surroundings and simulated microscopes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from morpholaw.cells.cell_pixels import cell_pixels
from morpholaw.training.augment import another_microscope, other_surroundings

BLOCK = 1024
"""Number of crops changed at a time."""


def changed_versions(
    images: np.ndarray, count: int, swapped: bool, microscopes: float, seed: int = 0
) -> Iterator[np.ndarray]:
    """Yield versions of crops with changed surroundings or imaging but the same cells.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, s, s)
        Crops.
    count : int
        Number of versions.
    swapped : bool
        Whether to place each cell in the surroundings of another one.
    microscopes : float
        Strength of random noise, blur and contrast; see `another_microscope`.
    seed : int
        Random seed.

    Yields
    ------
    ndarray of uint8, shape (n, s, s)
    """
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.from_numpy(np.ascontiguousarray(images)).unsqueeze(1)
    cells = torch.from_numpy(cell_pixels(images)).unsqueeze(1) if swapped else None
    for _ in range(count):
        order = torch.randperm(len(pixels), generator=generator)
        version = torch.empty_like(pixels)
        for place in range(0, len(pixels), BLOCK):
            # Surroundings come from crops of the same block, which is in random order.
            part = order[place : place + BLOCK]
            crops = pixels[part].float() / 255
            if cells is not None:
                masks = cells[part]
                crops = other_surroundings(crops, masks, crops.roll(1, 0), masks.roll(1, 0), generator)
            if microscopes:
                crops = another_microscope(crops, microscopes, generator)
            version[part] = crops.clamp(0, 1).mul(255).round().byte()
        yield version[:, 0].numpy()
