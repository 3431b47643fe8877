"""The shape loss: latents also learn to predict shapes measured in each crop.

A decoded mean image shows the size of a nucleus but little of what distinguishes the phases: how ragged its outline is
and how uneven and grainy its chromatin. `cells.shape_features` measures these properties in the cell's own pixels,
without labels. A linear layer predicts them from the sampled latents during the training of the beta-TCVAE, and its
squared error is added to the loss. Shapes are measured before surroundings are swapped or other microscopes simulated,
so that latents that describe them do not depend on those changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from morpholaw.cells.shape_features import measure_features
from morpholaw.config import EncoderConfig
from morpholaw.models.symmetry import cell_latents, kinds
from morpholaw.training.encoding import Images

SHAPES = ("axis_ratio", "solidity", "roundness", "brightness_spread", "contrast", "edge_sharpness")
"""Shapes to predict; sizes are already visible in the image."""
SAMPLED = 2_000
"""Number of crops, evenly spaced, that determine the mean and standard deviation of each shape."""
MOST = 50_000
"""Maximum number of measured crops, evenly spaced; a core measures about 1,500 per second."""
FARTHEST = 4.0
"""Standard deviations at which shapes are clipped, so that debris has no more influence than an unusual cell."""
GAIN = 10.0
"""Factor on the layer's outputs; without it, the layer would need thousands of steps at the encoder's learning rate."""


class ShapeObjective(nn.Module):
    """The linear layer, and the shapes of the training crops, measured when first needed.

    Parameters
    ----------
    images : Images
        Training crops, uint8 (n, size, size).
    read : sequence of int
        Numbers of the latents from which shapes are predicted; see `telling_latents`.
    """

    def __init__(self, images: Images, read: Sequence[int]) -> None:
        super().__init__()
        self.images = images
        sample = _evenly(len(images), SAMPLED)
        measured = _measure(images[sample])
        present = measured[np.isfinite(measured).all(axis=1)]
        self._centre = present.mean(axis=0) if len(present) else np.zeros(len(SHAPES))
        spread = present.std(axis=0) if len(present) else np.zeros(len(SHAPES))
        self._spread = np.where(spread > 0, spread, 1.0)
        self._values = np.full((len(images), len(SHAPES)), np.nan, np.float32)
        self._measured = np.ones(len(images), bool)
        self._measured[_evenly(len(images), MOST)] = False
        self._keep(sample, measured)
        self.register_buffer("read", torch.tensor(list(read)), persistent=False)
        self.layer = nn.Linear(len(read), len(SHAPES))
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def of(self, numbers: np.ndarray) -> Tensor:
        """Return the shapes of crops in standard deviations from their mean.

        Parameters
        ----------
        numbers : ndarray
            Numbers of the crops in the training set, int64 (n,).

        Returns
        -------
        Tensor
            float32 (n, shapes); NaN where no nucleus was found or the crop is not measured.
        """
        new = np.unique(numbers[~self._measured[numbers]])
        if len(new):
            self._keep(new, _measure(self.images[new]))
        return torch.from_numpy(self._values[numbers])

    def _keep(self, numbers: np.ndarray, measured: np.ndarray) -> None:
        """Store the standardised shapes of crops."""
        standard = (measured - self._centre) / self._spread
        self._values[numbers] = np.clip(standard, -FARTHEST, FARTHEST)
        self._measured[numbers] = True

    def forward(self, z: Tensor, shapes: Tensor) -> Tensor:
        """Return the squared error, summed over shapes and averaged over crops that have them.

        Parameters
        ----------
        z : Tensor
            Sampled latents, float32 (n, latents).
        shapes : Tensor
            Shapes from :meth:`of`, float32 (n, shapes).

        Returns
        -------
        Tensor
            The error, a scalar.
        """
        present = shapes.isfinite()
        error = (GAIN * self.layer(z[:, self.get_buffer("read")]) - shapes.nan_to_num()).square() * present
        total: Tensor = error.sum() * (shapes.shape[1] / present.sum().clamp_min(1))
        return total


def telling_latents(config: EncoderConfig) -> list[int]:
    """Return the numbers of the latents that predict shapes.

    Shapes do not depend on the orientation, so these are the invariant latents of the cell. Without symmetry or
    without a split between cell and surroundings, the respective restriction does not apply.
    """
    kind_of, of_cell = kinds(config.latents), cell_latents(config.latents)
    return [
        latent
        for latent in range(config.latents)
        if (kind_of[latent] == "invariant" or not config.symmetry) and (of_cell[latent] or not config.split)
    ]


def _evenly(count: int, most: int) -> np.ndarray:
    """Return at most ``most`` evenly spaced crop numbers."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def _measure(crops: np.ndarray) -> np.ndarray:
    """Measure the shapes of crops, float64 (n, shapes)."""
    measured: np.ndarray = measure_features(np.ascontiguousarray(crops))[list(SHAPES)].to_numpy(float)
    return measured
