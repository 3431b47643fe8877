"""The joint objective: the beta-TCVAE also learns to separate labelled classes (paper, section 8).

An unsupervised encoder keeps what matters for the image, and a texture that distinguishes interphase from prometaphase
hardly does. The joint objective adds the cross-entropy of a linear softmax head on the latent means to the loss. A
fixed share of every batch is drawn from the labelled crops, the same number per class, because most crops have no
label. Reconstruction and KL divergence are computed on the whole batch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from morpholaw.errors import InputError

UNLABELLED = -1
"""Target of a crop without a label."""
GAIN = 10.0
"""Factor on the head's outputs; without it, the head would need thousands of steps at the encoder's learning rate."""


@dataclass(frozen=True)
class EncoderLabels:
    """Labelled crops for encoder training, without those of test groups.

    Attributes
    ----------
    crops : ndarray
        Numbers of the labelled crops in the training set, int64 (k,).
    targets : ndarray
        Class number of each labelled crop, int64 (k,).
    classes : tuple of str
        Names of at least two classes, each of which has a crop.
    """

    crops: np.ndarray
    targets: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that every class has a crop."""
        present = np.unique(self.targets).tolist()
        if len(self.classes) < 2 or present != list(range(len(self.classes))):
            raise InputError("A joint objective needs labelled crops of two classes or more.")

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that identify the labels."""
        text = repr((self.classes, self.crops.tolist(), self.targets.tolist()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class JointObjective(nn.Module):
    """The classification head, and the selection of labelled crops for each step by the seed and the step number.

    Parameters
    ----------
    labels : EncoderLabels
        Labelled crops.
    latents : int
        Number of latents of the encoder.
    share : float
        Share of every batch that is drawn from the labelled crops.
    seed : int
        Random seed.
    """

    def __init__(self, labels: EncoderLabels, latents: int, share: float, seed: int) -> None:
        super().__init__()
        self.labels, self.share, self.seed = labels, share, seed
        self.head = nn.Linear(latents, len(labels.classes))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def draw(self, index: np.ndarray, step: int) -> tuple[np.ndarray, Tensor]:
        """Replace a share of a batch by randomly drawn labelled crops.

        Parameters
        ----------
        index : ndarray
            Crop numbers of the batch without labels, int64 (batch,).
        step : int
            Number of the optimiser step.

        Returns
        -------
        index : ndarray
            Crop numbers of the new batch, int64 (batch,).
        targets : Tensor
            Class numbers of the drawn crops, int64 (batch,); ``UNLABELLED`` for the others.
        """
        classes = len(self.labels.classes)
        count = min(len(index), max(classes, round(self.share * len(index))))
        rng = np.random.default_rng((self.seed, step, len(index)))
        each = np.bincount(rng.permutation(classes)[np.arange(count) % classes], minlength=classes)
        drawn = np.concatenate([self._draw_class(number, each[number], rng) for number in range(classes)])
        kept = np.sort(rng.permutation(index)[count:])
        targets = np.full(len(index), UNLABELLED)
        targets[len(kept) :] = self.labels.targets[drawn]
        return np.concatenate([kept, self.labels.crops[drawn]]), torch.from_numpy(targets)

    def _draw_class(self, number: int, count: int, rng: np.random.Generator) -> np.ndarray:
        members = np.flatnonzero(self.labels.targets == number)
        return rng.choice(members, count, replace=count > len(members))

    def forward(self, mean: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy, in nats, of the crops with a target; ``mean`` is (batch, latents)."""
        return functional.cross_entropy(GAIN * self.head(mean), targets, ignore_index=UNLABELLED)
