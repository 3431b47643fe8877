"""RigL with a dense warm-up, which selects the connections of sparse networks (paper, 5.2, B.3, algorithm 1).

Everything operates on many members at once, each with its own sparsity, update interval and update fraction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from morpholaw.config import ClassifierConfig

Allocation = Literal["density", "sparsity"]

AVERAGE_BEFORE = 300
"""Number of batches before the first update from which the gradient is averaged: three times the averaging window."""
TRIM_UNTIL = 0.8
"""Share of the steps after T_end in which weights are trimmed; in the remaining steps the others adapt."""


@dataclass(frozen=True)
class RigLSettings:
    """RigL's settings: one sparsity S, update interval delta T (in steps) and update fraction alpha per member."""

    sparsity: tuple[float, ...]
    update_every: tuple[int, ...]
    update_fraction: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check that all settings have one value per member."""
        if not len(self.sparsity) == len(self.update_every) == len(self.update_fraction):
            raise ValueError("sparsity, update_every and update_fraction need one value per member each")

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.sparsity)

    @staticmethod
    def same(config: ClassifierConfig, members: int) -> RigLSettings:
        """Return the settings of ``config`` for every member.

        Parameters
        ----------
        config : ClassifierConfig
            Source of the sparsity, update interval and update fraction.
        members : int
            Number of members.

        Returns
        -------
        RigLSettings
        """
        return RigLSettings(
            (config.sparsity,) * members,
            (config.update_every,) * members,
            (config.update_fraction,) * members,
        )

    def take(self, members: Sequence[int]) -> RigLSettings:
        """Return the settings of some members.

        Parameters
        ----------
        members : sequence of int
            Numbers of the members.

        Returns
        -------
        RigLSettings
        """
        return RigLSettings(
            tuple(self.sparsity[k] for k in members),
            tuple(self.update_every[k] for k in members),
            tuple(self.update_fraction[k] for k in members),
        )


@dataclass(frozen=True)
class RigLMethod:
    """Variants of algorithm 1. The defaults improved benchmarks; ``RigLMethod.paper()`` is the original algorithm.

    Attributes
    ----------
    growth : {"evidence", "gradient"}
        Criterion for new connections. "gradient": largest gradient of the current batch (algorithm 1), which with 64
        crops is mostly noise, so that inputs without information are kept. "evidence": largest running mean of the
        gradient relative to its running standard deviation, both over about the last hundred batches.
    allocation : {"density", "sparsity"}
        How S is distributed over the layers; see `active_counts`. "sparsity" follows the paper's wording.
    keep_first : bool
        Select all weights by magnitude at the first update after the warm-up. Algorithm 1 would immediately replace the
        share alpha of them by new weights that start at zero, and lose most of the paths found during the warm-up.
    trim : float
        Threshold for trimming, in nats per crop. After T_end, weights are removed if the loss would increase by less
        than this, estimated as w^2 F / 2 with the Fisher information F (optimal brain damage). RigL itself keeps S
        fixed, so that superfluous weights fill the remaining places. 0 disables trimming.
    """

    growth: Literal["evidence", "gradient"] = "evidence"
    allocation: Allocation = "density"
    keep_first: bool = True
    trim: float = 1e-3

    @staticmethod
    def paper() -> RigLMethod:
        """Return the original algorithm 1."""
        return RigLMethod("gradient", "sparsity", keep_first=False, trim=0.0)

    @property
    def averages_gradients(self) -> bool:
        """Whether running moments of the dense gradient are needed."""
        return self.growth == "evidence" or self.trim > 0


MEASURED = RigLMethod()
METHODS = {"measured": MEASURED, "paper": RigLMethod.paper()}


@dataclass(frozen=True)
class RigL:
    """Options of sparse training (scheme 3).

    Attributes
    ----------
    method : RigLMethod
        Variant of the algorithm; ``RigLMethod.paper()`` is the original.
    settings : RigLSettings, optional
        S, delta T and alpha of each member; by default those of the classifier's configuration for all members.
    """

    method: RigLMethod = MEASURED
    settings: RigLSettings | None = None


def active_counts(
    widths: Sequence[int], sparsity: float, allocation: Allocation = "sparsity"
) -> tuple[int, ...]:
    """Return the number of active weights per layer that gives a total sparsity S, by Erdos-Renyi scaling.

    With "sparsity", the paper's wording (B.3), the sparsity of a layer is proportional to
    1 - (n_in + n_out) / (n_in n_out). This is negative for the 16 -> 1 layer, which therefore stays dense. With
    "density", as in the reference implementation of RigL (Evci et al. 2020), the density of a layer is proportional to
    (n_in + n_out) / (n_in n_out). In both cases, layers whose density would exceed 1 stay dense and the others absorb
    the difference. With "sparsity" the first layer keeps 9 weights at S = 0.951 and a single one at S = 0.97, which is
    inside the range that the paper searched; with "density" it keeps 19 and 11.

    Parameters
    ----------
    widths : sequence of int
        Units of each layer, from inputs to outputs.
    sparsity : float
        Sparsity S, the share of all weights that are zero, in [0, 1).
    allocation : {"density", "sparsity"}
        How S is distributed over the layers.

    Returns
    -------
    tuple of int
        Active weights per layer, at least one each, with a total of (1 - S) N, rounded. Of the paper's 1040 weights at
        S = 0.951, "sparsity" keeps 9, 13, 13 and 16, and "density" 19, 13, 12 and 7.
    """
    sizes = np.array([n_in * n_out for n_in, n_out in pairwise(widths)], dtype=float)
    scaling = np.array([n_in + n_out for n_in, n_out in pairwise(widths)], dtype=float)  # density x size
    active = max(round((1 - sparsity) * sizes.sum()), len(sizes))
    dense = np.zeros(len(sizes), dtype=bool)
    if allocation == "sparsity":
        inactive = np.maximum(sizes - scaling, 0)  # s^l N^l, up to a common factor
        return _rounded(sizes - inactive * (sparsity * sizes.sum() / inactive.sum()), active)
    while True:
        factor = (active - sizes[dense].sum()) / max(scaling[~dense].sum(), 1.0)
        over = ~dense & (factor * scaling > sizes)
        if not over.any():
            return _rounded(np.where(dense, sizes, factor * scaling), active)
        dense |= over


def _rounded(counts: np.ndarray, total: int) -> tuple[int, ...]:
    """Round ``counts`` to integers of at least 1 with the sum ``total``."""
    whole = np.maximum(np.floor(counts + 1e-9), 1)
    for layer in np.argsort(whole - counts, kind="stable")[: max(0, int(total - whole.sum()))]:
        whole[layer] += 1
    while whole.sum() > total:
        whole[np.argmax(whole)] -= 1
    return tuple(int(n) for n in whole)


def decay(t: float, alpha: float, t_end: float) -> float:
    """Return the share of active weights to move at ``t`` steps after the warm-up (eq. 8).

    Parameters
    ----------
    t : float
        Steps since the warm-up.
    alpha : float
        Share at the first update.
    t_end : float
        Steps after which no weights are moved.

    Returns
    -------
    float
        ``alpha / 2 * (1 + cos(pi * t / t_end))``.
    """
    return alpha / 2 * (1 + math.cos(t * math.pi / t_end))


def moved_topology(
    weight: Tensor, gradient: Tensor, mask: Tensor, active: Tensor, moved: Tensor
) -> tuple[Tensor, Tensor]:
    """Drop the smallest active weights and grow the inactive weights with the largest gradient (algorithm 1).

    Parameters
    ----------
    weight : Tensor
        Weights, float32 (members, weights of a layer).
    gradient : Tensor
        Gradient of all weights, including inactive ones, or its evidence; float32 of the same shape.
    mask : Tensor
        Active weights, bool of the same shape; all True at the end of a dense warm-up.
    active : Tensor
        Number of active weights after the update, int64 (members,).
    moved : Tensor
        Number of those that are chosen by gradient, int64 (members,). A weight that was just dropped may grow again.

    Returns
    -------
    tuple of Tensor
        ``keep`` and ``grow``, bool (members, weights), disjoint.
    """
    magnitude = torch.where(mask, weight.abs(), -1.0)
    keep = _largest(magnitude, active - moved)
    grow = _largest(torch.where(keep, -1.0, gradient.abs()), moved)
    return keep, grow


def _largest(values: Tensor, count: Tensor) -> Tensor:
    """Return a mask of the ``count[k]`` largest values of each row k; ties go to the first."""
    order = values.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(values.shape[1]).expand_as(values)
    rank = torch.empty_like(order).scatter_(1, order, places)
    return rank < count.unsqueeze(1)


class Schedule:
    """The schedule of RigL: when each member's connections move, how many per layer, and when weights are trimmed.

    Steps count from the end of the warm-up. ``t_end`` is ``until`` times the number of steps after the warm-up, so that
    the cosine decay always completes and the topology is fixed in the last part of the training.

    Parameters
    ----------
    settings : RigLSettings
        Settings, one value per member.
    widths : sequence of int
        Units of each layer, from inputs to outputs.
    warmup : int
        Number of dense steps.
    steps : int
        Number of steps of the whole training.
    until : float
        Share of the sparse steps after which the topology is fixed.
    method : RigLMethod
        Variant of the algorithm.
    """

    def __init__(
        self,
        settings: RigLSettings,
        widths: Sequence[int],
        warmup: int,
        steps: int,
        until: float,
        method: RigLMethod,
    ) -> None:
        self.method = method
        self.warmup = warmup
        self.t_end = until * (steps - warmup)
        self._fixed_from = math.ceil(self.t_end)
        self._last_trim = self._fixed_from + TRIM_UNTIL * (steps - warmup - self._fixed_from)
        self._every = np.array(settings.update_every)
        self._fraction = settings.update_fraction
        self.active = torch.tensor([active_counts(widths, s, method.allocation) for s in settings.sparsity])

    def due(self, step: int) -> list[int]:
        """Return the members whose connections move at ``step``."""
        t = step - self.warmup
        if t < 0 or t >= self.t_end:
            return []
        return [int(member) for member in np.flatnonzero(t % self._every == 0)]

    def moved(self, step: int, members: Sequence[int]) -> Tensor:
        """Return the number of connections to move, int64 (members, layers)."""
        if self.method.keep_first and step == self.warmup:
            return torch.zeros_like(self.active[members])
        share = torch.tensor(
            [decay(step - self.warmup, self._fraction[k], self.t_end) for k in members], dtype=torch.float64
        )
        return (share.unsqueeze(1) * self.active[members]).round().long()

    def trimmed(self, step: int) -> list[int]:
        """Return the members to trim at ``step``, early enough for the other weights to adapt."""
        t = step - self.warmup
        if self.method.trim == 0 or t < self._fixed_from or t > self._last_trim:
            return []
        return [int(member) for member in np.flatnonzero((t - self._fixed_from) % self._every == 0)]

    def averages_gradients(self, step: int) -> bool:
        """Return whether to update running moments of the gradient at ``step``; they start before the first update."""
        last = math.inf if self.method.trim > 0 else self.warmup + self.t_end
        return self.method.averages_gradients and self.warmup - AVERAGE_BEFORE <= step < last
