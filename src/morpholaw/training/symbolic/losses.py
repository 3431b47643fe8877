"""The losses with their derivatives: the paper's hinge and MSE (6.4), and MSE to clipped outputs."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from morpholaw.training.symbolic.engine import LossKind


class Loss(Protocol):
    """Mean loss of outputs ``f`` (rows,), its derivative by each output, and the loss of each row, (rows,)."""

    def each(self, f: np.ndarray) -> np.ndarray: ...

    def value(self, f: np.ndarray) -> float: ...

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]: ...


class Hinge:
    """max(0, 1 - y f) for targets y of -1 and +1."""

    def __init__(self, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        self.y, self.share = y, _shares(y, weights)

    def each(self, f: np.ndarray) -> np.ndarray:
        return np.maximum(1 - self.y * f, 0)

    def value(self, f: np.ndarray) -> float:
        return float(self.each(f) @ self.share)

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        gap = 1 - self.y * f
        value = float(np.maximum(gap, 0) @ self.share)
        return value, np.where(gap > 0, -self.y * self.share, 0)


class SquaredError:
    """(f - y)^2."""

    def __init__(self, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        self.y, self.share = y, _shares(y, weights)

    def each(self, f: np.ndarray) -> np.ndarray:
        return np.square(f - self.y)

    def value(self, f: np.ndarray) -> float:
        return float(self.each(f) @ self.share)

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        gap = f - self.y
        return float(np.square(gap) @ self.share), 2 * gap * self.share


class CensoredError:
    """Squared error to clipped targets in [-1, 1] that forgives what is beyond, and is linear from a gap of 1 on.

    Where a target is an end, f may lie beyond it at no cost. Were large gaps squared, a few rows in the far tails
    of a law such as e^(e^z) would outweigh all others.
    """

    def __init__(self, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        self.low, self.high = bounds(y)
        self.share = _shares(y, weights)

    def each(self, f: np.ndarray) -> np.ndarray:
        gap, pull = self._gap(f)
        return pull * (2 * gap - pull)

    def value(self, f: np.ndarray) -> float:
        return self.value_and_derivative(f)[0]

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        gap, pull = self._gap(f)
        weighted = pull * self.share
        return float(weighted @ (2 * gap - pull)), 2 * weighted

    def _gap(self, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far f is from what costs nothing, and no further than 1."""
        gap = f - np.minimum(np.maximum(f, self.low), self.high)
        return gap, np.minimum(np.maximum(gap, -1), 1)


def bounds(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between which outputs a censored target costs nothing, in the dtype of ``y``."""
    return np.where(y <= -1, -np.inf, y).astype(y.dtype), np.where(y >= 1, np.inf, y).astype(y.dtype)


def make_loss(kind: LossKind, y: np.ndarray, weights: np.ndarray | None = None) -> Loss:
    """The loss ``kind`` for these targets (rows,), in their dtype."""
    classes: dict[LossKind, type[Hinge] | type[SquaredError] | type[CensoredError]] = {
        "hinge": Hinge,
        "mse": SquaredError,
        "censored": CensoredError,
    }
    return classes[kind](y, weights)


def _shares(y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Each row's share of the mean, summing to 1."""
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    return (w / w.sum()).astype(y.dtype)
