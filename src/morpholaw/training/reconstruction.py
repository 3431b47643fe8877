"""The reconstruction term of the beta-TCVAE's loss: squared error, with two optional changes.

The paper sums the squared error over all pixels (B.1). Most of a crop belongs to the central cell's neighbours, which
then take most of the latents; ``edge_weight`` below 1 makes them count less. And a mean image cannot show a texture
that is different in every cell, so granular chromatin is drawn as a smooth blob and no latent keeps the grain (paper,
section 8). ``texture`` lets the decoder draw a second image, the grain: how much the first one leaves out at each place
(its root mean square error in small blocks). The latents then hold how grainy a cell is, not each grain of it. The
outline of a smooth nucleus is no grain, since the first image shows it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from morpholaw.training.augment import blur

WINDOW = 4
"""Side of the blocks of the grain, in pixels: about the size of a condensed chromosome arm."""


class ReconstructionError(nn.Module):
    """Weighted squared error, summed over the pixels of a crop and averaged over the batch.

    Parameters
    ----------
    size : int
        Side of a crop, in pixels.
    edge_weight : float
        Weight of the corners, with the centre at 1; falls off with the radius.
    texture : float
        Weight of the error of the grain.
    smoothing : bool
        Measure the grain after a slight blur: the noise of single pixels then counts a seventh, and chromatin, which
        the microscope has blurred already, nearly all.
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
        """Return the error.

        Parameters
        ----------
        decoded : Tensor
            (n, 1 or 2, size, size), decoded images and their grain.
        images : Tensor
            (n, 1, size, size), the crops.

        Returns
        -------
        Tensor
            A scalar.
        """
        weight = self.get_buffer("weight")
        decoded = decoded.contiguous()  # one plane after the other, so that each is read contiguously
        error = ((decoded[:, :1] - images).square() * weight).sum() / len(images)
        if self.texture:
            difference = block_mean(decoded[:, 1:]) - grain(images, decoded[:, :1].detach(), self.smoothing)
            blocks = block_mean(weight) * WINDOW**2
            error = error + self.texture * (difference.square() * blocks).sum() / len(images)
        return error


def grain(images: Tensor, decoded: Tensor, smoothing: bool = False) -> Tensor:
    """Return the root mean square of what decoded images leave out, in blocks, (n, 1, y / WINDOW, x / WINDOW).

    With ``smoothing`` it is measured after a slight blur.
    """
    left_out = images - decoded
    return block_mean((blur(left_out) if smoothing else left_out).square()).sqrt()


def block_mean(images: Tensor) -> Tensor:
    """Return means of blocks of ``WINDOW`` pixels, (..., y, x): matrix products are ten times faster than pooling."""
    size = images.shape[-1]
    pool = torch.eye(size // WINDOW, device=images.device).repeat_interleave(WINDOW, dim=1) / WINDOW
    return pool @ images @ pool.T
