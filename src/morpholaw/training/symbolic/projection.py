"""The optimal scale and offset of an output, computed exactly, so that a search only has to find the form of a law.

The loss of every expression g is that of a g + b with the optimal a and b. Without this, the right form in the wrong
units would score like a wrong form and be lost in the evolution.

For the squared error, a and b follow from a linear regression. For the hinge loss, let a g + b be -1 at g = l and +1 at
g = u. The mean loss is then 2 (P(u) + N(l)) / (u - l) / n, where P(u) is the sum of the distances of positive rows
below u, and N(l) the sum of the distances of negative rows above l. At the optimal offset, as many positive rows are
below u as negative rows are above l; call this number k. With the positives p in ascending order, the negatives q in
descending order and w = p - q, margins at the k-th values cost 2 (k - (w_1 + ... + w_k) / w_k) / n, which is minimised
over k. Rows far on the right side of the margin have no influence, as intended.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np

from morpholaw.training.symbolic.engine import LossKind
from morpholaw.training.symbolic.losses import bounds

REGRESSIONS = 5


class Projection(NamedTuple):
    """Optimal scale and offset of an output g, and the loss of scale * g + offset (infinite if there is none)."""

    scale: float
    offset: float
    loss: float


NO_PROJECTION = Projection(0.0, 0.0, math.inf)
"""Result for an output that is constant or not finite."""


class Projector(Protocol):
    """Computes the optimal scale and offset for given targets."""

    def fit(self, g: np.ndarray) -> Projection:
        """Return the optimal scale and offset of outputs ``g`` (rows,)."""
        ...


class HingeProjector:
    """Minimises the mean of max(0, 1 - y (a g + b)) over a and b.

    Parameters
    ----------
    y : ndarray
        Targets -1 and +1, (rows,); all positive rows must come first.
    """

    def __init__(self, y: np.ndarray) -> None:
        self.rows, self.positives = len(y), int(np.count_nonzero(y > 0))
        self.pairs = min(self.positives, self.rows - self.positives)
        self.counts = np.arange(1.0, self.pairs + 1)
        self.constant = 2 * self.pairs / self.rows

    def fit(self, g: np.ndarray) -> Projection:
        """Return the optimal scale and offset of outputs ``g`` (rows,)."""
        if not math.isfinite(float(g.sum(dtype=np.float64))):
            return NO_PROJECTION
        p, q = np.sort(g[: self.positives]), np.sort(g[self.positives :])
        rising = float(p.mean(dtype=np.float64)) >= float(q.mean(dtype=np.float64))
        fit = self._fit(p, q, rising)
        if not fit.loss < self.constant:
            # The minimum loss is convex in a, so at most one sign of a improves on a = 0.
            other = self._fit(p, q, not rising)
            fit = other if other.loss < fit.loss else fit
        return fit

    def _fit(self, p: np.ndarray, q: np.ndarray, rising: bool) -> Projection:
        if rising:
            upper, lower = p[: self.pairs], q[: -self.pairs - 1 : -1]
            width = np.subtract(upper, lower, dtype=np.float64)
        else:  # for -g, which is sorted the other way round, the ends are exchanged
            upper, lower = p[: -self.pairs - 1 : -1], q[: self.pairs]
            width = np.subtract(lower, upper, dtype=np.float64)
        first = int(width.searchsorted(0.0, side="right"))
        if first == self.pairs:
            return NO_PROJECTION
        cost = self.counts[first:] - width.cumsum()[first:] / width[first:]
        best = int(cost.argmin())
        u, v = float(upper[first + best]), float(lower[first + best])
        return Projection(2 / (u - v), -(u + v) / (u - v), max(2 * float(cost[best]) / self.rows, 0.0))


class SquaredErrorProjector:
    """Minimises the mean of (a g + b - y)^2 over a and b.

    Parameters
    ----------
    y : ndarray
        Targets (rows,).
    """

    def __init__(self, y: np.ndarray) -> None:
        self.share = np.full(len(y), 1 / len(y)).astype(np.float32)
        self.mean = float(y.mean(dtype=np.float64))
        centred = y.astype(np.float64) - self.mean
        self.weighted = (centred / len(y)).astype(np.float32)
        self.variance = float(np.square(centred).mean())

    def fit(self, g: np.ndarray) -> Projection:
        """Return the optimal scale and offset of outputs ``g`` (rows,)."""
        centre = float(g @ self.share)
        if not math.isfinite(centre):
            return NO_PROJECTION
        gap = g - np.float32(centre)
        square = float((gap * gap) @ self.share)
        if not 1e-12 * centre * centre + 1e-24 < square < 1e24:
            return NO_PROJECTION
        covariance = float(gap @ self.weighted)
        scale = covariance / square
        return Projection(scale, self.mean - scale * centre, max(self.variance - covariance * scale, 0.0))


class CensoredErrorProjector:
    """Approximately minimises the censored error: starts from the hinge's margins, then a few reweighted regressions.

    Parameters
    ----------
    y : ndarray
        Targets in [-1, 1], (rows,); those >= 0 must come first.
    """

    def __init__(self, y: np.ndarray) -> None:
        self.margins = HingeProjector(np.where(y >= 0, 1.0, -1.0))
        self.low, self.high = bounds(y.astype(np.float32))
        self.share = np.full(len(y), 1 / len(y)).astype(np.float32)

    def fit(self, g: np.ndarray) -> Projection:
        """Return a nearly optimal scale and offset of outputs ``g`` (rows,)."""
        scale, offset, loss = self.margins.fit(g)
        if not math.isfinite(loss) or not math.isfinite(scale) or not math.isfinite(offset):
            return NO_PROJECTION
        h = np.float32(scale) * g + np.float32(offset)
        a, b, best = 1.0, 0.0, NO_PROJECTION
        for _ in range(REGRESSIONS):
            f = np.float32(a) * h + np.float32(b)
            gap = f - np.minimum(np.maximum(f, self.low), self.high)
            clipped = np.minimum(np.maximum(gap, -1), 1)
            weighted = clipped * self.share
            value = float(weighted @ (2 * gap - clipped))
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


def make_projector(kind: LossKind, y: np.ndarray) -> Projector:
    """Return the projector of a loss for targets (rows,); positive targets must come first except for mse."""
    if kind == "mse":
        return SquaredErrorProjector(y)
    return CensoredErrorProjector(y) if kind == "censored" else HingeProjector(y)
