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
from morpholaw.training.symbolic.losses import bounds

REGRESSIONS = 5


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
        self.constant = 2 * self.pairs / self.rows

    def fit(self, g: np.ndarray) -> Projection:
        if not math.isfinite(float(g.sum(dtype=np.float64))):
            return _NONE
        p, q = np.sort(g[: self.positives]), np.sort(g[self.positives :])
        rising = float(p.mean(dtype=np.float64)) >= float(q.mean(dtype=np.float64))
        fit = self._fit(p, q, rising)
        if not fit.loss < self.constant:
            # The least loss is convex in a, so at most one direction beats a = 0.
            other = self._fit(p, q, not rising)
            fit = other if other.loss < fit.loss else fit
        return fit

    def _fit(self, p: np.ndarray, q: np.ndarray, rising: bool) -> Projection:
        if rising:
            upper, lower = p[: self.pairs], q[: -self.pairs - 1 : -1]
            width = np.subtract(upper, lower, dtype=np.float64)
        else:  # for -g, which is sorted the other way round, the ends change places
            upper, lower = p[: -self.pairs - 1 : -1], q[: self.pairs]
            width = np.subtract(lower, upper, dtype=np.float64)
        first = int(width.searchsorted(0.0, side="right"))
        if first == self.pairs:
            return _NONE
        cost = self.counts[first:] - width.cumsum()[first:] / width[first:]
        best = int(cost.argmin())
        u, v = float(upper[first + best]), float(lower[first + best])
        return Projection(2 / (u - v), -(u + v) / (u - v), max(2 * float(cost[best]) / self.rows, 0.0))


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


class CensoredErrorProjector:
    """Nearly the least censored error: from the hinge's margins by a few reweighted regressions.

    Parameters
    ----------
    y
        Targets in [-1, 1] (rows,); those of 0 and above must come first.
    """

    def __init__(self, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
        sign = np.where(y >= 0, 1.0, -1.0)
        self.margins: Projector = HingeProjector(sign) if weights is None else WeightedHingeProjector(sign, w)
        self.low, self.high = bounds(y.astype(np.float32))
        self.share = (w / w.sum()).astype(np.float32)

    def fit(self, g: np.ndarray) -> Projection:
        scale, offset, loss = self.margins.fit(g)
        if not math.isfinite(loss) or not math.isfinite(scale) or not math.isfinite(offset):
            return _NONE
        h = np.float32(scale) * g + np.float32(offset)
        a, b, best = 1.0, 0.0, _NONE
        for _ in range(REGRESSIONS):
            f = np.float32(a) * h + np.float32(b)
            gap = f - np.minimum(np.maximum(f, self.low), self.high)
            pull = np.minimum(np.maximum(gap, -1), 1)
            weighted = pull * self.share
            value = float(weighted @ (2 * gap - pull))
            if not value < best.loss:
                break
            best = Projection(a * scale, a * offset + b, value)
            curved = np.where(gap != 0, self.share, np.float32(0)) / np.maximum(np.abs(gap), 1)
            steep = curved * h
            down_a, down_b = float(weighted @ h), float(weighted.sum())
            h_bb, h_ab, h_aa = float(curved.sum()), float(steep.sum()), float(steep @ h)
            h_aa, h_bb = 1.001 * h_aa + 1e-9, 1.001 * h_bb + 1e-9
            determinant = h_aa * h_bb - h_ab * h_ab
            a -= (h_bb * down_a - h_ab * down_b) / determinant
            b -= (h_aa * down_b - h_ab * down_a) / determinant
        return best


def make_projector(kind: LossKind, y: np.ndarray, weights: np.ndarray | None = None) -> Projector:
    """The projector of the loss ``kind`` for these targets (rows,), except for mse with the positives first."""
    if kind == "mse":
        return SquaredErrorProjector(y, weights)
    if kind == "censored":
        return CensoredErrorProjector(y, weights)
    return HingeProjector(y) if weights is None else WeightedHingeProjector(y, weights)
