"""The best scale and offset of an output, found exactly: the search need only find the shape of a law.

For every expression g the loss is that of a g + b at the best a and b. Without this a right shape in wrong
units scores like a wrong shape, and evolution loses it.

For the squared error a and b are a regression. For the hinge, let the margins lie at g = l and g = u, so that
a g + b is -1 and +1 there. Then the mean loss is 2 (P(u) + N(l)) / (u - l) / n, where P(u) sums how far
positive rows lie below u, and N(l) how far negative rows lie above l. At the best offset as many positive rows
are below u as negative ones are above l, k of each. So with the positives p sorted up, the negatives q sorted down and
w = p - q, margins at the k-th of each cost 2 (k - (w_1 + ... + w_k) / w_k) / n, and the least over k is
the answer. Heavy tails on the right side of the margin have no say, as it should be.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np

from morpholaw.training.symbolic.engine import LossKind


class Projection(NamedTuple):
    """``loss`` is that of scale * g + offset; infinite where g is constant or not finite."""

    scale: float
    offset: float
    loss: float


_NONE = Projection(0.0, 0.0, math.inf)


class Projector(Protocol):
    """The loss of an output up to scale and offset."""

    def fit(self, g: np.ndarray) -> Projection: ...


class HingeProjector:
    """Least mean of max(0, 1 - y (a g + b)) over a and b.

    Parameters
    ----------
    y
        Targets -1 and +1 (rows,); all the positive rows must come before the negative ones.
    """

    def __init__(self, y: np.ndarray) -> None:
        self.rows, self.positives = len(y), int(np.count_nonzero(y > 0))
        self.pairs = min(self.positives, self.rows - self.positives)
        self.counts = np.arange(1.0, self.pairs + 1)

    def fit(self, g: np.ndarray) -> Projection:
        if not math.isfinite(float(g.sum(dtype=np.float64))):
            return _NONE
        p, q = np.sort(g[: self.positives]), np.sort(g[self.positives :])
        rising = p[len(p) // 2] >= q[len(q) // 2]
        # A falling g is turned round by exchanging the ends, since -g sorted up is g sorted down.
        u, l = (
            (p[: self.pairs], q[: -self.pairs - 1 : -1])
            if rising
            else (p[: -self.pairs - 1 : -1], q[: self.pairs])
        )
        width = np.subtract(u, l, dtype=np.float64) if rising else np.subtract(l, u, dtype=np.float64)
        first = int(width.searchsorted(0.0, side="right"))
        if first == self.pairs:
            return _NONE
        cost = self.counts[first:] - width.cumsum()[first:] / width[first:]
        best = int(cost.argmin())
        k = first + best
        low, high = float(l[k]), float(u[k])
        return Projection(
            2 / (high - low), -(high + low) / (high - low), max(2 * float(cost[best]) / self.rows, 0.0)
        )


class WeightedHingeProjector:
    """The same where each row has a weight: margins are matched by the weight outside them."""

    def __init__(self, y: np.ndarray, weights: np.ndarray) -> None:
        self.positive = y > 0
        self.share = np.asarray(weights, dtype=np.float64) / np.sum(weights)

    def fit(self, g: np.ndarray) -> Projection:
        g = g.astype(np.float64)
        if not math.isfinite(float(g.sum())):
            return _NONE
        up, down = self._fit(g), self._fit(-g)
        return up if up.loss <= down.loss else Projection(-down.scale, down.offset, down.loss)

    def _fit(self, g: np.ndarray) -> Projection:
        p, v = self._sorted(g, self.positive, 1)
        q, w = self._sorted(g, ~self.positive, -1)
        below, above = np.cumsum(v), np.cumsum(w)
        match = np.minimum(np.searchsorted(above, below - v / 2), len(q) - 1)
        lack = below * p - np.cumsum(v * p) + np.cumsum(w * q)[match] - above[match] * q[match]
        width = p - q[match]
        with np.errstate(all="ignore"):
            cost = np.where(width > 0, 2 * lack / width, np.inf)
        k = int(cost.argmin())
        if not math.isfinite(cost[k]):
            return _NONE
        low, high = float(q[match[k]]), float(p[k])
        return Projection(2 / (high - low), -(high + low) / (high - low), max(float(cost[k]), 0.0))

    def _sorted(self, g: np.ndarray, rows: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(g[rows])[::step]
        return g[rows][order], self.share[rows][order]


class SquaredErrorProjector:
    """Least mean of (a g + b - y)^2 over a and b."""

    def __init__(self, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
        self.share = (w / w.sum()).astype(np.float32)
        self.mean = float(np.average(y, weights=w))
        centred = y.astype(np.float64) - self.mean
        self.weighted = (centred * w / w.sum()).astype(np.float32)
        self.variance = float(np.average(np.square(centred), weights=w))

    def fit(self, g: np.ndarray) -> Projection:
        centre = float(g @ self.share)
        if not math.isfinite(centre):
            return _NONE
        gap = g - np.float32(centre)
        square = float((gap * gap) @ self.share)
        if not 1e-12 * centre * centre + 1e-24 < square < 1e24:
            return _NONE
        covariance = float(gap @ self.weighted)
        scale = covariance / square
        return Projection(scale, self.mean - scale * centre, max(self.variance - covariance * scale, 0.0))


def make_projector(kind: LossKind, y: np.ndarray, weights: np.ndarray | None = None) -> Projector:
    """The projector of the loss ``kind`` for these targets (rows,), for hinge with the positives first."""
    if kind == "mse":
        return SquaredErrorProjector(y, weights)
    return HingeProjector(y) if weights is None else WeightedHingeProjector(y, weights)
