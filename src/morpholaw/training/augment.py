"""Augmentation of batches of crops: orientations, swapped surroundings and simulated microscopes (paper, B.1, B.2)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from morpholaw.cells.normalise import CEILING, PEAK, nucleus
from morpholaw.cells.orientations import COUNT, inverse, orient

DARK, SAMPLED = 32, 128
"""The background of a crop is estimated from the ``DARK`` darkest of ``SAMPLED`` pixels."""
ZOOM, SHIFT = 0.15, 0.05
"""Largest zoom (as a logarithm) and largest shift (as a share of the side length) of a deformed crop."""
SURROUNDINGS_GAIN = 0.7
"""Standard deviation of the log gain of swapped surroundings; metaphases are two to three times as bright as others."""


def orient_batch(crops: Tensor, first: int = 0, total: int | None = None) -> Tensor:
    """Apply one of the eight orientations of D4 to each eighth of a batch.

    The batch must be in random order. Eight strided copies are much faster than one copy per crop.

    Parameters
    ----------
    crops : Tensor
        (n, size, size); the batch or a part of it.
    first : int
        Position of the first crop of the part in the batch.
    total : int, optional
        Number of crops in the whole batch; by default ``crops`` is the whole batch.

    Returns
    -------
    Tensor
        (n, size, size) in the same order; block k has the orientation ``inverse(k)``.
    """
    total = len(crops) if total is None else total
    eighths = torch.arange(total).tensor_split(COUNT)
    oriented = []
    for k, eighth in enumerate(eighths):
        inside = eighth[(eighth >= first) & (eighth < first + len(crops))] - first
        block = crops[int(inside[0]) : int(inside[-1]) + 1] if len(inside) else crops[:0]
        oriented.append(orient(block, inverse(k)))
    return torch.cat(oriented)


def deform(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Rotate each crop by a random angle, and zoom, stretch and shift it slightly. Edges are mirrored.

    Parameters
    ----------
    images : Tensor
        float32 (n, 1, size, size).
    strength : float
        With 1, zoom and stretch are up to 15 % and shifts up to 5 % of the side. Angles are always arbitrary.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor
        float32 (n, 1, size, size).
    """

    def uniform(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, generator=generator) - 1

    count = len(images)
    angle = math.pi * uniform(count)
    zoom, stretch = (ZOOM * strength * uniform(count)).exp(), (ZOOM / 2 * strength * uniform(count)).exp()
    shift = 2 * SHIFT * strength * uniform(count, 2)
    cosine, sine = angle.cos(), angle.sin()
    rows = (
        torch.stack([cosine * zoom * stretch, -sine * zoom / stretch, shift[:, 0]], 1),
        torch.stack([sine * zoom * stretch, cosine * zoom / stretch, shift[:, 1]], 1),
    )
    places = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, places.to(images.device), align_corners=False, padding_mode="reflection")


def exchange_surroundings(
    images: Tensor, cells: Tensor, donors: Tensor, donor_cells: Tensor, generator: torch.Generator
) -> Tensor:
    """Place each cell in the surroundings of another crop, whose own cell is replaced by background.

    Parameters
    ----------
    images, donors : Tensor
        float32 (n, 1, size, size); the crops and the crops that provide surroundings.
    cells, donor_cells : Tensor
        bool (n, 1, size, size); masks of the central cells.
    generator : torch.Generator
        Source of randomness for the background.

    Returns
    -------
    Tensor
        float32 (n, 1, size, size).
    """
    flat = donors.flatten(1)
    sampled = flat[:, torch.randint(flat.shape[1], (SAMPLED,), generator=generator).to(flat.device)]
    dark = sampled.topk(DARK, dim=1, largest=False).values
    drawn = torch.randint(DARK, flat.shape, generator=generator).to(flat.device)
    background = dark.gather(1, drawn).view_as(donors)
    return torch.where(cells, images, torch.where(donor_cells, background, donors))


def other_surroundings(
    images: Tensor, cells: Tensor, donors: Tensor, donor_cells: Tensor, generator: torch.Generator
) -> Tensor:
    """Place each cell in the surroundings of another crop, as realistically as possible.

    The brightness of the surroundings varies at random. In half of the crops the donor's own cell is removed; in the
    others it remains visible where it is larger. Each crop is then rescaled to its brightest chromatin, as when crops
    are cut.

    Parameters
    ----------
    images, donors : Tensor
        float32 (n, 1, size, size) in [0, 1]; the crops and the crops that provide surroundings.
    cells, donor_cells : Tensor
        bool (n, 1, size, size); masks of the central cells.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor
        float32 (n, 1, size, size) in [0, 1].
    """
    count, device = len(images), images.device
    gain = torch.randn(count, 1, 1, 1, generator=generator).mul_(SURROUNDINGS_GAIN).exp_().to(device)
    removed = (torch.rand(count, 1, 1, 1, generator=generator) < 0.5).to(device)
    shown = exchange_surroundings(images, cells, donors * gain, donor_cells & removed, generator)
    before, after = _peak(images), _peak(shown)
    return (shown * (before / after.clamp_min(1e-3)).clamp_max(1)).clamp_(0, 1)


def _peak(images: Tensor) -> Tensor:
    """Return the grey level of the brightest chromatin of each crop, (n, 1, 1, 1); see `cells.normalise.peak`."""
    places = torch.from_numpy(np.flatnonzero(nucleus(images.shape[-1]))).to(images.device)
    inside = images.flatten(1)[:, places]
    rank = 1 + round(PEAK / 100 * (inside.shape[1] - 1))
    return inside.kthvalue(rank, dim=1).values.view(-1, 1, 1, 1)


def gradient_signs(images: Tensor, values: Callable[[Tensor], Tensor], towards: Tensor) -> Tensor:
    """Return the sign of the gradient of a crop's values along a direction, for each pixel (eq. 1).

    Parameters
    ----------
    images : Tensor
        float32 (n, 1, size, size).
    values : callable
        Maps crops to values, such as latents. The values of a crop must depend on that crop only.
    towards : Tensor
        Direction, of the same shape as the values.

    Returns
    -------
    Tensor
        -1, 0 or 1, of the shape of ``images``.
    """
    start = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(values(start), start, towards)
    return gradient.sign()


def another_microscope(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Simulate other microscopes by random noise, blur or sharpening, contrast and background.

    Each crop is changed independently, with a random strength between 0 and ``strength``.

    Parameters
    ----------
    images : Tensor
        float32 (n, 1, size, size) in [0, 1].
    strength : float
        1 corresponds to the differences between real sources.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor
        float32 (n, 1, size, size) in [0, 1].
    """
    count, device = len(images), images.device
    each = strength * torch.rand(count, 1, 1, 1, generator=generator).to(device)

    def normal(deviation: float) -> Tensor:
        return deviation * each * torch.randn(count, 1, 1, 1, generator=generator).to(device)

    smooth = blur(blur(images))
    sharpness = normal(1.0).clamp(-1, 1.5)  # -1: blurred; above 0: sharpened
    changed = (images + sharpness * (images - smooth)).clamp_min(0)
    changed = (changed * CEILING).pow(normal(0.25).exp()) / CEILING  # keeps the cell's brightest chromatin
    changed = changed * normal(0.15).exp() + normal(0.02)
    noise = torch.randn(images.shape, generator=generator).to(device)
    return (changed + normal(0.05) * noise).clamp_(0, 1)


def blur(images: Tensor) -> Tensor:
    """Blur images (..., size, size) with a 3 x 3 binomial filter."""
    kernel = _binomial(images.shape[-1]).to(images.device)
    return kernel @ images @ kernel.T


def _binomial(size: int) -> Tensor:
    """Return the matrix, (size, size), that blurs along one axis; the edge pixels are repeated."""
    kernel = torch.diag(torch.full((size,), 0.5))
    kernel += torch.diag(torch.full((size - 1,), 0.25), 1) + torch.diag(torch.full((size - 1,), 0.25), -1)
    kernel[0, 0] = kernel[-1, -1] = 0.75
    return kernel


class CellMasks:
    """Masks of the central cell of each training crop, computed when first needed.

    Parameters
    ----------
    count : int
        Number of training crops.
    size : int
        Side length of a crop, in pixels.
    """

    def __init__(self, count: int, size: int) -> None:
        self.size = size
        self._packed = np.zeros((count, math.ceil(size * size / 8)), np.uint8)
        self._known = np.zeros(count, bool)

    def of(self, index: np.ndarray, crops: np.ndarray) -> Tensor:
        """Return the masks, bool (n, size, size), of ``crops``, whose numbers in the training set are ``index``."""
        from morpholaw.cells.cell_pixels import cell_pixels

        new = np.flatnonzero(~self._known[index])
        if len(new):
            masks = cell_pixels(crops[new])
            self._packed[index[new]] = np.packbits(masks.reshape(len(new), -1), axis=1)
            self._known[index[new]] = True
        pixels = np.unpackbits(self._packed[index], axis=1, count=self.size * self.size)
        return torch.from_numpy(pixels.reshape(-1, self.size, self.size).astype(bool))
