"""The two losses of the paper (6.4), with their derivatives: hinge on the labels, MSE to the outputs."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from morpholaw.training.symbolic.engine import LossKind


class Loss(Protocol):
    """Mean loss of outputs ``f`` (rows,), and its derivative by each output."""

    def value(self, f: np.ndarray) -> float: ...

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]: ...


class Hinge:
    """max(0, 1 - y f) for targets y of -1 and +1."""

    def __init__(self, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        self.y, self.share = y, _shares(y, weights)

    def value(self, f: np.ndarray) -> float:
        return float(np.maximum(1 - self.y * f, 0) @ self.share)

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        gap = 1 - self.y * f
        value = float(np.maximum(gap, 0) @ self.share)
        return value, np.where(gap > 0, -self.y * self.share, 0)


class SquaredError:
    """(f - y)^2."""

    def __init__(self, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        self.y, self.share = y, _shares(y, weights)

    def value(self, f: np.ndarray) -> float:
        return float(np.square(f - self.y) @ self.share)

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        gap = f - self.y
        return float(np.square(gap) @ self.share), 2 * gap * self.share


def make_loss(kind: LossKind, y: np.ndarray, weights: np.ndarray | None = None) -> Hinge | SquaredError:
    """The loss ``kind`` for these targets (rows,), in their dtype."""
    return Hinge(y, weights) if kind == "hinge" else SquaredError(y, weights)


def _shares(y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Each row's share of the mean, summing to 1."""
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    return (w / w.sum()).astype(y.dtype)
