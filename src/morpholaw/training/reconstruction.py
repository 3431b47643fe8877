"""The reconstruction term of the beta-TCVAE's loss: squared error, and two levers beside it.

The paper sums the squared error over all pixels alike (B.1). Two thirds of a crop belong to the central
cell's neighbours, which then take most of the latents, and a mean picture cannot show a texture that is
different in every cell, so a granular chromatin is painted as a smooth blob. ``edge_weight`` below 1 makes the
neighbourhood count less. ``texture`` adds the squared error of the local contrast (the standard deviation in
a small window), which asks for the right amount of texture in the right place, not for each grain of it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW = 5
"""Side of the window of the local contrast, in pixels: about the size of a condensed chromosome arm."""


class ReconstructionError(nn.Module):
    """Weighted squared error, summed over a picture's pixels and averaged over the batch.

    Parameters
    ----------
    size : int
        Side of a crop, in pixels.
    edge_weight : float
        Weight of the corners, the centre being 1; falls off as a Gaussian with the radius.
    texture : float
        Weight of the local contrast's error.
    """

    def __init__(self, size: int, edge_weight: float = 1.0, texture: float = 0.0) -> None:
        super().__init__()
        self.texture = texture
        axis = torch.linspace(-1, 1, size)
        radius = torch.hypot(axis[:, None], axis[None, :])
        weight = edge_weight + (1 - edge_weight) * torch.exp(-((radius / 0.65) ** 4))
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, pictures: Tensor, images: Tensor) -> Tensor:
        """Error () of ``pictures`` against ``images``, both (n, 1, size, size)."""
        weight = self.get_buffer("weight")
        error = ((pictures - images).square() * weight).sum() / len(images)
        if self.texture:
            difference = local_contrast(pictures) - local_contrast(images)
            error = error + self.texture * (difference.square() * weight).sum() / len(images)
        return error


def local_contrast(images: Tensor) -> Tensor:
    """Standard deviation in a window around every pixel, same shape as ``images`` (n, 1, y, x)."""
    mean = F.avg_pool2d(images, WINDOW, 1, WINDOW // 2, count_include_pad=False)
    square = F.avg_pool2d(images.square(), WINDOW, 1, WINDOW // 2, count_include_pad=False)
    return (square - mean.square()).clamp_min(1e-6).sqrt()
