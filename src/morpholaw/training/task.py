"""The joint objective: classes told apart by the latents while the beta-TCVAE trains (paper, section 8).

An unsupervised encoder keeps what matters to the picture; a texture that tells interphase from prometaphase matters
little to it. The cross-entropy of a linear softmax head on the latents' means, added to the loss, makes it matter. Few
crops are labelled beside many that are not, so that a fixed share of every batch is drawn from them, as many of each
class. Reconstruction and KL divergence are those of the whole batch.
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
"""Target of a crop whose class is not asked for."""
GAIN = 10.0
"""Factor on the head's outputs: at the network's learning rate the head alone would take thousands of steps."""


@dataclass(frozen=True)
class TaskLabels:
    """Crops whose classes a training may use; the caller leaves out those of test groups.

    Attributes
    ----------
    crops : ndarray, int64 (k,)
        Indices into the training's crops.
    targets : ndarray, int64 (k,)
        The class of each, a number into ``classes``.
    classes : tuple of str
        Names of the classes, two or more, each with a crop.
    """

    crops: np.ndarray
    targets: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        present = np.unique(self.targets).tolist()
        if len(self.classes) < 2 or present != list(range(len(self.classes))):
            raise InputError("A joint objective needs labelled crops of two classes or more.")

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that name the labels."""
        text = repr((self.classes, self.crops.tolist(), self.targets.tolist()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class ClassTask(nn.Module):
    """The head, and which labelled crops each step sees; resumable, since step k depends on the seed and k alone.

    Parameters
    ----------
    labels : TaskLabels
    latents : int
        Latents of the encoder.
    share : float
        Share of every batch that is drawn from the labelled crops.
    seed : int
        Seed of the draw.
    """

    def __init__(self, labels: TaskLabels, latents: int, share: float, seed: int) -> None:
        super().__init__()
        self.labels, self.share, self.seed = labels, share, seed
        self.head = nn.Linear(latents, len(labels.classes))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def join(self, index: np.ndarray, step: int) -> tuple[np.ndarray, Tensor]:
        """Put labelled crops in the place of a share of the batch, drawn at random.

        Parameters
        ----------
        index : ndarray, int64 (batch,)
            The batch as it would be without labels.
        step : int
            Number of the optimiser's step.

        Returns
        -------
        index : ndarray, int64 (batch,)
        targets : Tensor, int64 (batch,)
            Class of the crops that were drawn, ``UNLABELLED`` of the others.
        """
        classes = len(self.labels.classes)
        count = min(len(index), max(classes, round(self.share * len(index))))
        rng = np.random.default_rng((self.seed, step, len(index)))
        each = np.bincount(rng.permutation(classes)[np.arange(count) % classes], minlength=classes)
        drawn = np.concatenate([self._draw(number, each[number], rng) for number in range(classes)])
        kept = np.sort(rng.permutation(index)[count:])
        targets = np.full(len(index), UNLABELLED)
        targets[len(kept) :] = self.labels.targets[drawn]
        return np.concatenate([kept, self.labels.crops[drawn]]), torch.from_numpy(targets)

    def _draw(self, number: int, count: int, rng: np.random.Generator) -> np.ndarray:
        own = np.flatnonzero(self.labels.targets == number)
        return rng.choice(own, count, replace=count > len(own))

    def forward(self, mean: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats of the crops that have a target; ``mean`` is (batch, latents)."""
        return functional.cross_entropy(GAIN * self.head(mean), targets, ignore_index=UNLABELLED)
