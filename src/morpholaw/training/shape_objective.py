"""Latents that say what a ruler measures: shapes of a crop, read from its latents, as a second thing to decode.

A mean image shows how large a nucleus is and little of what tells phases apart: how ragged its outline, how uneven and
how grainy its chromatin. `cells.shape_features` measures these without a label, in the cell's own pixels. A linear
layer reads them from the sampled latents while the beta-TCVAE trains, and its squared error is added to the loss. They
are measured before a crop is shown in other surroundings or by another microscope, so that latents which say them have
to stay when those change.
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
"""What latents have to say; sizes are in the image."""
SAMPLED = 2_000
"""Crops, evenly spaced, of which the mean and the spread of each shape are taken."""
MOST = 50_000
"""Crops that are measured at most, evenly spaced: a core measures about 1,500 in a second."""
FARTHEST = 4.0
"""Standard deviations to which a shape is clipped: a scrap of debris counts no more than an odd cell."""
GAIN = 10.0
"""Factor on the layer's outputs: at the encoder's learning rate the layer alone would take thousands of steps."""


class ShapeObjective(nn.Module):
    """The linear layer, and the shapes of the training's crops, measured when a crop is first asked for.

    Parameters
    ----------
    images : Images
        The training's crops, uint8 (n, size, size).
    read : sequence of int
        Latents that shapes are read from, see `telling_latents`.
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
            int64 (n,), numbers of the crops in the training.

        Returns
        -------
        Tensor
            float32 (n, shapes); NaN where a crop shows no nucleus, or is not measured.
        """
        new = np.unique(numbers[~self._measured[numbers]])
        if len(new):
            self._keep(new, _measure(self.images[new]))
        return torch.from_numpy(self._values[numbers])

    def _keep(self, numbers: np.ndarray, measured: np.ndarray) -> None:
        """Keep the shapes of crops in standard deviations."""
        standard = (measured - self._centre) / self._spread
        self._values[numbers] = np.clip(standard, -FARTHEST, FARTHEST)
        self._measured[numbers] = True

    def forward(self, z: Tensor, shapes: Tensor) -> Tensor:
        """Return the squared error, summed over shapes and averaged over the crops that have them.

        Parameters
        ----------
        z : Tensor
            float32 (n, latents), sampled latents.
        shapes : Tensor
            float32 (n, shapes), as :meth:`of` returns them.
        """
        present = shapes.isfinite()
        error = (GAIN * self.layer(z[:, self.get_buffer("read")]) - shapes.nan_to_num()).square() * present
        total: Tensor = error.sum() * (shapes.shape[1] / present.sum().clamp_min(1))
        return total


def telling_latents(config: EncoderConfig) -> list[int]:
    """Return the latents that have to tell shapes.

    Those of the cell that no rotation or flip changes, as no shape does; all of them without symmetries and without a
    split between cell and surroundings.
    """
    kind_of, of_cell = kinds(config.latents), cell_latents(config.latents)
    return [
        latent
        for latent in range(config.latents)
        if (kind_of[latent] == "invariant" or not config.symmetry) and (of_cell[latent] or not config.split)
    ]


def _evenly(count: int, most: int) -> np.ndarray:
    """Return numbers of at most so many crops, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def _measure(crops: np.ndarray) -> np.ndarray:
    """Return the shapes of crops, float64 (n, shapes)."""
    measured: np.ndarray = measure_features(np.ascontiguousarray(crops))[list(SHAPES)].to_numpy(float)
    return measured
