"""The joint objective: the latents learn to separate labelled classes while the beta-TCVAE trains (paper, section 8).

An unsupervised encoder keeps what matters to the image; a texture that distinguishes interphase from prometaphase
matters little to it. The cross-entropy of a linear softmax head on the means of the latents, added to the loss, makes
it matter. Few crops are labelled and many are not, so a fixed share of every batch is drawn from the labelled ones, the
same number from each class. Reconstruction and KL divergence are those of the whole batch.
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
"""Target of a crop whose class is not used."""
GAIN = 10.0
"""Factor on the head's outputs: at the encoder's learning rate the head alone would take thousands of steps."""


@dataclass(frozen=True)
class EncoderLabels:
    """Crops whose classes the training of an encoder may use; the caller leaves out those of test groups.

    Attributes
    ----------
    crops : ndarray
        int64 (k,), indices into the training's crops.
    targets : ndarray
        int64 (k,), the class of each, a number into ``classes``.
    classes : tuple of str
        Names of the classes, two or more, each with a crop.
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
    """The head, and the labelled crops that each step uses, which depend on the seed and the step alone.

    Parameters
    ----------
    labels : EncoderLabels
        The labelled crops.
    latents : int
        Latents of the encoder.
    share : float
        Share of every batch that is drawn from the labelled crops.
    seed : int
        Seed of the draw.
    """

    def __init__(self, labels: EncoderLabels, latents: int, share: float, seed: int) -> None:
        super().__init__()
        self.labels, self.share, self.seed = labels, share, seed
        self.head = nn.Linear(latents, len(labels.classes))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def draw(self, index: np.ndarray, step: int) -> tuple[np.ndarray, Tensor]:
        """Replace a share of the batch by labelled crops, drawn at random.

        Parameters
        ----------
        index : ndarray
            int64 (batch,), the batch as it would be without labels.
        step : int
            Number of the optimiser's step.

        Returns
        -------
        index : ndarray
            int64 (batch,).
        targets : Tensor
            int64 (batch,), class of the crops that were drawn, ``UNLABELLED`` for the others.
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
        """Return the mean cross-entropy in nats of the crops that have a target; ``mean`` is (batch, latents)."""
        return functional.cross_entropy(GAIN * self.head(mean), targets, ignore_index=UNLABELLED)
