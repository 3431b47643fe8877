"""Versions of labelled crops that heads and laws learn from: in other surroundings, through other microscopes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from morpholaw.cells.cell_pixels import cell_pixels
from morpholaw.training.augment import another_microscope, other_surroundings

BLOCK = 1024
"""Crops changed at a time."""


def changed_versions(
    images: np.ndarray, count: int, swapped: bool, microscopes: float, seed: int = 0
) -> Iterator[np.ndarray]:
    """Yield changed versions of crops, in which each cell is what it was.

    Parameters
    ----------
    images : ndarray, uint8 (n, s, s)
        The crops.
    count : int
        Versions.
    swapped : bool
        Put each cell into the surroundings of another one.
    microscopes : float
        Strength of random noise, blur and contrast; see `another_microscope`.
    seed : int
        Of all that is drawn.

    Yields
    ------
    ndarray, uint8 (n, s, s)
    """
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.from_numpy(np.ascontiguousarray(images)).unsqueeze(1)
    cells = torch.from_numpy(cell_pixels(images)).unsqueeze(1) if swapped else None
    for _ in range(count):
        order = torch.randperm(len(pixels), generator=generator)
        version = torch.empty_like(pixels)
        for place in range(0, len(pixels), BLOCK):
            # Surroundings come from crops of the same block, whose order is random.
            part = order[place : place + BLOCK]
            crops = pixels[part].float() / 255
            if cells is not None:
                own = cells[part]
                crops = other_surroundings(crops, own, crops.roll(1, 0), own.roll(1, 0), generator)
            if microscopes:
                crops = another_microscope(crops, microscopes, generator)
            version[part] = crops.clamp(0, 1).mul(255).round().byte()
        yield version[:, 0].numpy()
