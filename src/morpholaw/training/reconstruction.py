"""The reconstruction term of the beta-TCVAE's loss: a squared error with two optional changes.

The paper sums the squared error over all pixels (B.1). Most pixels of a crop belong to the surroundings of the central
cell, which therefore take up most of the latents; ``edge_weight`` below 1 reduces their influence. A mean image also
cannot show a texture that differs between cells: granular chromatin becomes a smooth blob, and no latent describes the
grain (paper, section 8). With ``texture``, the decoder predicts a second image, the texture: the root mean square error
of the first image in small blocks. Latents then describe how grainy a cell is, but not the position of each grain. The
outline of a smooth nucleus does not count as texture, because the first image shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from morpholaw.training.augment import blur

WINDOW = 4
"""Side length of the blocks of the texture, in pixels; about the size of a condensed chromosome arm."""


class ReconstructionError(nn.Module):
    """Weighted squared error, summed over the pixels of a crop and averaged over the batch.

    Parameters
    ----------
    size : int
        Side length of a crop, in pixels.
    edge_weight : float
        Weight of the corners relative to the centre; weights decrease with the radius.
    texture : float
        Weight of the texture loss.
    smoothing : bool
        Measure the texture after a slight blur. This reduces the noise of single pixels to a seventh and affects
        chromatin, which the microscope has already blurred, very little.
    """

    def __init__(
        self, size: int, edge_weight: float = 1.0, texture: float = 0.0, smoothing: bool = False
    ) -> None:
        super().__init__()
        self.texture, self.smoothing = texture, smoothing
        axis = torch.linspace(-1, 1, size)
        radius = torch.hypot(axis[:, None], axis[None, :])
        weight = edge_weight + (1 - edge_weight) * torch.exp(-((radius / 0.65) ** 4))
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, decoded: Tensor, images: Tensor) -> Tensor:
        """Return the reconstruction error.

        Parameters
        ----------
        decoded : Tensor
            Decoded images and, if enabled, textures, (n, 1 or 2, size, size).
        images : Tensor
            Crops, (n, 1, size, size).

        Returns
        -------
        Tensor
            The error, a scalar.
        """
        weight = self.get_buffer("weight")
        decoded = decoded.contiguous()  # so that each image is contiguous in memory
        error = _weighted_squares(decoded[:, :1] - images, weight) / len(images)
        if self.texture:
            difference = block_mean(decoded[:, 1:]) - grain(images, decoded[:, :1].detach(), self.smoothing)
            blocks = block_mean(weight) * WINDOW**2
            error = error + self.texture * (difference.square() * blocks).sum() / len(images)
        return error


class WeightedSquares(torch.autograd.Function):
    """The weighted sum of squares of all elements, which are read half as often as by a sequence of operations."""

    @staticmethod
    def forward(context: Any, difference: Tensor, weight: Tensor) -> Tensor:
        """Return the sum over all elements of ``difference``, (..., y, x), with weights (y, x)."""
        weighted = difference * weight
        context.save_for_backward(weighted)
        return torch.dot(weighted.flatten(), difference.flatten())

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to the differences."""
        return context.saved_tensors[0] * (2 * gradients[0]), None


_weighted_squares: Callable[[Tensor, Tensor], Tensor] = WeightedSquares.apply


def grain(images: Tensor, decoded: Tensor, smoothing: bool = False) -> Tensor:
    """Return the root mean square residual of decoded images in blocks.

    Parameters
    ----------
    images, decoded : Tensor, float (n, 1, y, x)
        Images and their reconstructions, in [0, 1].
    smoothing : bool
        Measure the residual after a slight blur.

    Returns
    -------
    Tensor
        Float, (n, 1, y / WINDOW, x / WINDOW).
    """
    left_out = images - decoded
    return block_mean((blur(left_out) if smoothing else left_out).square()).sqrt()


def block_mean(images: Tensor) -> Tensor:
    """Return means of blocks of ``WINDOW`` pixels, (..., y, x), by matrix products, ten times faster than pooling."""
    size = images.shape[-1]
    pool = torch.eye(size // WINDOW, device=images.device).repeat_interleave(WINDOW, dim=1) / WINDOW
    return pool @ images @ pool.T
