"""RigL with a dense warm-up: which connections a sparse network has (paper, 5.2, B.3, algorithm 1).

Everything works on many members at once, each with its own sparsity, update interval and update fraction.
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
"""Batches before the first update from which the gradient is averaged: three times the memory of the averages."""
TRIM_UNTIL = 0.8
"""Share of the steps after T_end in which connections are trimmed; in the rest the others settle."""


@dataclass(frozen=True)
class RigLSettings:
    """RigL's settings, one value per member: S, delta T (in steps) and alpha."""

    sparsity: tuple[float, ...]
    update_every: tuple[int, ...]
    update_fraction: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check that there is one value of each per member."""
        if not len(self.sparsity) == len(self.update_every) == len(self.update_fraction):
            raise ValueError("sparsity, update_every and update_fraction need one value per member each")

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.sparsity)

    @staticmethod
    def same(config: ClassifierConfig, members: int) -> RigLSettings:
        """Return the settings of ``config`` for all members.

        Parameters
        ----------
        config : ClassifierConfig
            Sparsity, update interval, update fraction and end of the updates.
        members : int
            How many models share them.
        """
        return RigLSettings(
            (config.sparsity,) * members,
            (config.update_every,) * members,
            (config.update_fraction,) * members,
        )

    def take(self, members: Sequence[int]) -> RigLSettings:
        """Return the settings of some of the members.

        Parameters
        ----------
        members : sequence of int
            Numbers of the members.
        """
        return RigLSettings(
            tuple(self.sparsity[k] for k in members),
            tuple(self.update_every[k] for k in members),
            tuple(self.update_fraction[k] for k in members),
        )


@dataclass(frozen=True)
class RigLMethod:
    """Departures from algorithm 1, each made because it measured better; ``RigLMethod.paper()`` has none.

    Attributes
    ----------
    growth : {"evidence", "gradient"}
        Which connections grow first. "gradient": those with the largest gradient of the current batch (algorithm 1).
        With 64 crops that is mostly noise, so that inputs without information are kept to the end. "evidence": those
        with the largest running mean of the gradient in units of its running standard deviation, both over about the
        last hundred batches.
    allocation : {"density", "sparsity"}
        How S is divided among the layers, see `active_counts`. "sparsity" is the paper's wording.
    keep_first : bool
        Choose all weights by magnitude at the first update, after the warm-up. Algorithm 1 would replace the share
        alpha of them at once by weights that begin at zero, and lose most of the paths that the warm-up has found.
    trim : float
        In nats per crop. From T_end on, a weight is removed if the loss would rise by less than this without it, by the
        estimate of optimal brain damage, w^2 F / 2 with F the Fisher information. RigL holds S whatever the data, so
        that weights which carry nothing fill the remaining places. 0: off.
    """

    growth: Literal["evidence", "gradient"] = "evidence"
    allocation: Allocation = "density"
    keep_first: bool = True
    trim: float = 1e-3

    @staticmethod
    def paper() -> RigLMethod:
        """Return algorithm 1 to the letter."""
        return RigLMethod("gradient", "sparsity", keep_first=False, trim=0.0)

    @property
    def averages_gradients(self) -> bool:
        """Whether running moments of the dense gradient are needed."""
        return self.growth == "evidence" or self.trim > 0


MEASURED = RigLMethod()
METHODS = {"measured": MEASURED, "paper": RigLMethod.paper()}


@dataclass(frozen=True)
class RigL:
    """Sparse training (scheme 3).

    Attributes
    ----------
    method : RigLMethod
        How connections are chosen; ``RigLMethod.paper()`` for algorithm 1 to the letter.
    settings : RigLSettings, optional
        S, delta T and alpha of each member; by default those of the training's configuration, for all members.
    """

    method: RigLMethod = MEASURED
    settings: RigLSettings | None = None


def active_counts(
    widths: Sequence[int], sparsity: float, allocation: Allocation = "sparsity"
) -> tuple[int, ...]:
    """Return the active weights of each layer: Erdos-Renyi sparsities that hold ``sparsity`` over the network.

    "sparsity", the paper's wording (B.3): the sparsity of a layer scales with 1 - (n_in + n_out) / (n_in n_out), which
    leaves the 16 -> 1 layer dense, since for it that is negative. "density", as in the reference implementation of RigL
    (Evci et al. 2020): the density scales with (n_in + n_out) / (n_in n_out). Either way a layer whose density would
    pass 1 stays dense and the others absorb the difference. By the paper's wording the first layer keeps 9 weights at
    S = 0.951 and a single one at S = 0.97, inside the range that the paper searched; by the other it keeps 19 and 11.

    Parameters
    ----------
    widths : sequence of int
        Units of each layer from the inputs to the outputs.
    sparsity : float
        S, the share of all weights at zero, in [0, 1).
    allocation : {"density", "sparsity"}
        How S is divided among the layers.

    Returns
    -------
    tuple of int
        (1 - s^l) N^l, rounded so that the sum is (1 - S) N, rounded: of the paper's 1040 weights at S = 0.951
        9, 13, 13 and 16 by "sparsity", 19, 13, 12 and 7 by "density". At least one per layer.
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
    """Return whole numbers of at least one, nearest to ``counts``, that sum to ``total``."""
    whole = np.maximum(np.floor(counts + 1e-9), 1)
    for layer in np.argsort(whole - counts, kind="stable")[: max(0, int(total - whole.sum()))]:
        whole[layer] += 1
    while whole.sum() > total:
        whole[np.argmax(whole)] -= 1
    return tuple(int(n) for n in whole)


def decay(t: float, alpha: float, t_end: float) -> float:
    """Return the share of the active weights to move at ``t`` steps after the warm-up (eq. 8)."""
    return alpha / 2 * (1 + math.cos(t * math.pi / t_end))


def moved_topology(
    weight: Tensor, gradient: Tensor, mask: Tensor, active: Tensor, moved: Tensor
) -> tuple[Tensor, Tensor]:
    """Drop the smallest active weights and grow the inactive ones of largest gradient (algorithm 1).

    Parameters
    ----------
    weight : Tensor
        float32 (members, weights of a layer).
    gradient : Tensor
        float32 of the same shape: the gradient of all weights, inactive ones too, or the evidence for it.
    mask : Tensor
        bool of the same shape: what is active now; everything at the end of a dense warm-up.
    active : Tensor
        int64 (members,): how many weights are to be active afterwards.
    moved : Tensor
        int64 (members,): how many of those are to be chosen by gradient. A weight that was just dropped may be grown
        again.

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
    """Return True at the ``count[k]`` largest of row k; of equals, at the first."""
    order = values.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(values.shape[1]).expand_as(values)
    rank = torch.empty_like(order).scatter_(1, order, places)
    return rank < count.unsqueeze(1)


class Schedule:
    """When each member's connections move, how many of each layer, and when superfluous ones are trimmed.

    Steps count from the end of the warm-up. ``t_end`` is ``until`` times the steps that follow the warm-up, so that the
    cosine always runs its course and the topology is fixed in the last part of the training.

    Parameters
    ----------
    settings : RigLSettings
        One value per member.
    widths : sequence of int
        Units of each layer from the inputs to the outputs.
    warmup : int
        Dense steps.
    steps : int
        Steps of the whole training.
    until : float
        Share of the sparse steps after which the topology is fixed.
    method : RigLMethod
        How connections are chosen.
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
        """Return the members that are trimmed at ``step``, early enough for the other weights to settle."""
        t = step - self.warmup
        if self.method.trim == 0 or t < self._fixed_from or t > self._last_trim:
            return []
        return [int(member) for member in np.flatnonzero((t - self._fixed_from) % self._every == 0)]

    def averages_gradients(self, step: int) -> bool:
        """Return whether running moments of the gradient are kept at ``step``: from shortly before the first update."""
        last = math.inf if self.method.trim > 0 else self.warmup + self.t_end
        return self.method.averages_gradients and self.warmup - AVERAGE_BEFORE <= step < last
