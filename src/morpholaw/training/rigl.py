"""RigL with a dense warm-up: where the connections of a sparse network lie (paper, 5.2, B.3, algorithm 1).

Everything works on many members at once, each with its own sparsity, update interval and update fraction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from morpholaw.config import ClassifierConfig


@dataclass(frozen=True)
class RigLSettings:
    """RigL's settings, one value a member: S, delta T (in steps) and alpha."""

    sparsity: tuple[float, ...]
    update_every: tuple[int, ...]
    update_fraction: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.sparsity) == len(self.update_every) == len(self.update_fraction):
            raise ValueError("sparsity, update_every and update_fraction need one value a member each")

    def __len__(self) -> int:
        return len(self.sparsity)

    @staticmethod
    def same(config: ClassifierConfig, members: int) -> RigLSettings:
        """The settings of ``config`` for all members."""
        return RigLSettings(
            (config.sparsity,) * members,
            (config.update_every,) * members,
            (config.update_fraction,) * members,
        )

    def take(self, members: Sequence[int]) -> RigLSettings:
        """The settings of some of the members."""
        return RigLSettings(
            tuple(self.sparsity[k] for k in members),
            tuple(self.update_every[k] for k in members),
            tuple(self.update_fraction[k] for k in members),
        )


def active_counts(widths: Sequence[int], sparsity: float) -> tuple[int, ...]:
    """Active weights of each layer: Erdos-Renyi sparsities that hold ``sparsity`` over the network.

    The sparsity of a layer scales with 1 - (n_in + n_out) / (n_in n_out), as the paper's B.3 words it. Where
    that is not above zero (16 -> 1), or where it would ask for a density above 1, the layer stays dense and
    the others absorb the difference. Counts are rounded so that their sum is (1 - sparsity) N, rounded.

    Parameters
    ----------
    widths : sequence of int
        Units of each layer from the inputs to the outputs.
    sparsity : float
        S, the share of all weights at zero, in [0, 1).

    Returns
    -------
    tuple of int
        (1 - s^l) N^l: 51 in all for the paper's head at S = 0.951. Never less than one a layer.
    """
    sizes = np.array([n_in * n_out for n_in, n_out in pairwise(widths)], dtype=float)
    sums = np.array([n_in + n_out for n_in, n_out in pairwise(widths)], dtype=float)
    scaling = np.maximum(1 - sums / sizes, 0)
    active = round((1 - sparsity) * sizes.sum())
    zeros = sizes.sum() - active
    share = np.zeros_like(sizes)  # of each layer's weights at zero
    free = scaling > 0
    full = np.zeros_like(free)
    while free.any() and zeros > 0:
        factor = (zeros - sizes[full].sum()) / (scaling * sizes)[free].sum()
        share[free] = factor * scaling[free]
        over = free & (share > 1)
        if not over.any():
            break
        share[over] = 1
        full, free = full | over, free & ~over
    if not free.any() and zeros > 0:  # only the layers that stay dense are left to thin out
        dense = scaling <= 0
        share[dense] = min(1.0, (zeros - sizes[~dense].sum()) / sizes[dense].sum())
    return _rounded((1 - share) * sizes, active)


def _rounded(counts: np.ndarray, total: int) -> tuple[int, ...]:
    """Whole numbers of at least one, nearest to ``counts``, that sum to ``total`` where that is possible."""
    whole = np.maximum(np.floor(counts + 1e-9), 1)
    for layer in np.argsort(whole - counts, kind="stable")[: max(0, int(total - whole.sum()))]:
        whole[layer] += 1
    while whole.sum() > total and whole.max() > 1:
        whole[np.argmax(whole)] -= 1
    return tuple(int(n) for n in whole)


def decay(t: float, alpha: float, t_end: float) -> float:
    """Share of the active weights to move at ``t`` steps after the warm-up (eq. 8)."""
    return alpha / 2 * (1 + math.cos(t * math.pi / t_end))


def moved_topology(
    weight: Tensor, gradient: Tensor, mask: Tensor, active: Tensor, moved: Tensor
) -> tuple[Tensor, Tensor]:
    """Drop the smallest active weights and grow the inactive ones of largest gradient (algorithm 1).

    Parameters
    ----------
    weight, gradient : Tensor
        float32 (members, weights of a layer); the gradient of inactive weights too.
    mask : Tensor
        bool, the same shape: what is active now. All of it at the end of a dense warm-up.
    active, moved : Tensor
        int64 (members,): how many are to be active afterwards, and how many of those are to be chosen by
        gradient. A weight that was just dropped may be grown again.

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
    """True at the ``count[k]`` largest of row k; of equals, the first."""
    order = values.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(values.shape[1]).expand_as(values)
    rank = torch.empty_like(order).scatter_(1, order, places)
    return rank < count.unsqueeze(1)


class Schedule:
    """When each member's connections move, and how many of each layer.

    Steps count from the end of the warm-up. ``t_end`` is ``until`` times the steps that follow the warm-up,
    so that the cosine always runs its course and the topology rests in the last part of the training.
    """

    def __init__(self, settings: RigLSettings, widths: Sequence[int], warmup: int, steps: int, until: float):
        self.warmup = warmup
        self.t_end = until * (steps - warmup)
        self._every = np.array(settings.update_every)
        self._fraction = settings.update_fraction
        self.active = torch.tensor([active_counts(widths, s) for s in settings.sparsity])

    def due(self, step: int) -> list[int]:
        """Members whose connections move at ``step``."""
        t = step - self.warmup
        if t < 0 or t >= self.t_end:
            return []
        return np.flatnonzero(t % self._every == 0).tolist()

    def moved(self, step: int, members: Sequence[int]) -> Tensor:
        """Connections to move, int64 (members, layers)."""
        share = torch.tensor(
            [decay(step - self.warmup, self._fraction[k], self.t_end) for k in members], dtype=torch.float64
        )
        return (share.unsqueeze(1) * self.active[members]).round().long()
