"""The losses of a search with their derivatives: hinge, MSE (paper, 6.4) and censored error."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from morpholaw.training.symbolic.engine import LossKind


class Loss(Protocol):
    """The loss of outputs ``f`` (rows,) with respect to given targets."""

    def each(self, f: np.ndarray) -> np.ndarray:
        """Return the loss of each row, (rows,)."""
        ...

    def value(self, f: np.ndarray) -> float:
        """Return the mean loss."""
        ...

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean loss and its derivative with respect to each output, (rows,)."""
        ...


class Hinge:
    """The hinge loss max(0, 1 - y f) for targets y of -1 and +1."""

    def __init__(self, y: np.ndarray) -> None:
        self.y, self.share = y, _shares(y)

    def each(self, f: np.ndarray) -> np.ndarray:
        """Return the loss of each row, (rows,)."""
        loss: np.ndarray = np.maximum(1 - self.y * f, 0)
        return loss

    def value(self, f: np.ndarray) -> float:
        """Return the mean loss."""
        return float(self.each(f) @ self.share)

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean loss and its derivative with respect to each output, (rows,)."""
        gap = 1 - self.y * f
        value = float(np.maximum(gap, 0) @ self.share)
        return value, np.where(gap > 0, -self.y * self.share, 0)


class SquaredError:
    """The squared error (f - y)^2."""

    def __init__(self, y: np.ndarray) -> None:
        self.y, self.share = y, _shares(y)

    def each(self, f: np.ndarray) -> np.ndarray:
        """Return the loss of each row, (rows,)."""
        loss: np.ndarray = np.square(f - self.y)
        return loss

    def value(self, f: np.ndarray) -> float:
        """Return the mean loss."""
        return float(self.each(f) @ self.share)

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean loss and its derivative with respect to each output, (rows,)."""
        gap = f - self.y
        return float(np.square(gap) @ self.share), 2 * gap * self.share


class CensoredError:
    """Squared error to targets clipped to [-1, 1]; exceeding a target at an end has no cost.

    Errors above 1 are counted linearly. If they were squared, a few rows in the far tails of a law such as e^(e^z)
    would outweigh all others.
    """

    def __init__(self, y: np.ndarray) -> None:
        self.low, self.high = bounds(y)
        self.share = _shares(y)

    def each(self, f: np.ndarray) -> np.ndarray:
        """Return the loss of each row, (rows,)."""
        gap, clipped = self._gap(f)
        loss: np.ndarray = clipped * (2 * gap - clipped)
        return loss

    def value(self, f: np.ndarray) -> float:
        """Return the mean loss."""
        return self.value_and_derivative(f)[0]

    def value_and_derivative(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean loss and its derivative with respect to each output, (rows,)."""
        gap, clipped = self._gap(f)
        weighted = clipped * self.share
        return float(weighted @ (2 * gap - clipped)), 2 * weighted

    def _gap(self, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the difference between f and the nearest output without cost, unclipped and clipped to [-1, 1]."""
        gap = f - np.minimum(np.maximum(f, self.low), self.high)
        return gap, np.minimum(np.maximum(gap, -1), 1)


def bounds(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest output without cost for censored targets, of the dtype of ``y``."""
    return np.where(y <= -1, -np.inf, y).astype(y.dtype), np.where(y >= 1, np.inf, y).astype(y.dtype)


def make_loss(kind: LossKind, y: np.ndarray) -> Loss:
    """Return the loss of kind ``kind`` for targets (rows,), of their dtype."""
    if kind == "hinge":
        return Hinge(y)
    return SquaredError(y) if kind == "mse" else CensoredError(y)


def _shares(y: np.ndarray) -> np.ndarray:
    """Return each row's weight in the mean."""
    return np.full(len(y), 1 / len(y)).astype(y.dtype)
