"""Losses of programs up to scale and offset, on a changing batch of rows or on all of them."""

from __future__ import annotations

import math

import numpy as np

from morpholaw.training.symbolic.engine import SearchSpec
from morpholaw.training.symbolic.losses import make_loss
from morpholaw.training.symbolic.program import (
    Program,
    constants,
    evaluate,
    value_and_gradient,
    with_constants,
)
from morpholaw.training.symbolic.projection import Projection, make_projector


class Scorer:
    """Scores programs on some rows.

    Parameters
    ----------
    x
        Latents (rows, variables).
    y
        Targets (rows,), for hinge -1 and +1.
    weights
        One weight a row, or None.
    """

    def __init__(
        self, x: np.ndarray, y: np.ndarray, spec: SearchSpec, weights: np.ndarray | None = None
    ) -> None:
        order = np.arange(len(y)) if spec.loss == "mse" else np.argsort(y < 0, kind="stable")
        self.x = np.ascontiguousarray(x[order].T, dtype=np.float32)
        self.y = y[order].astype(np.float32)
        self.weights = None if weights is None else weights[order]
        self.spec = spec
        self.loss = make_loss(spec.loss, self.y, self.weights)
        self.projector = make_projector(spec.loss, self.y, self.weights)
        self.evaluations = 0

    def batch(self, size: int, rng: np.random.Generator) -> Scorer:
        """A scorer of random rows, but for mse with both signs in their proportion."""
        rows = len(self.y)
        if size >= rows:
            return self
        if self.spec.loss != "mse":
            positives = int(np.count_nonzero(self.y >= 0))
            part = min(max(round(size * positives / rows), 1), size - 1)
            chosen = np.concatenate([
                rng.choice(positives, min(part, positives), replace=False),
                positives + rng.choice(rows - positives, min(size - part, rows - positives), replace=False),
            ])  # fmt: skip
        else:
            chosen = rng.choice(rows, size, replace=False)
        weights = None if self.weights is None else self.weights[chosen]
        if weights is not None and not weights.any():
            return self
        return Scorer(self.x.T[chosen], self.y[chosen], self.spec, weights)

    def fit(self, program: Program) -> Projection:
        """The best scale and offset of the program, and the loss they leave."""
        self.evaluations += 1
        f = evaluate(program, self.x)
        if np.ndim(f) == 0:
            return Projection(0.0, 0.0, math.inf)
        return self.projector.fit(f)

    def optimise(self, program: Program, steps: int) -> Program:
        """The program with better constants, by BFGS on the projected loss; never worse.

        The gradient is exact with scale and offset held, for they are at their best (the envelope theorem).
        """
        from scipy.optimize import minimize

        where = constants(program)
        if not where:
            return program

        def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
            self.evaluations += 2
            value, gradient = value_and_gradient(
                with_constants(program, where, values), self.x, self._projected
            )
            if not math.isfinite(value) or not np.all(np.isfinite(gradient)):
                return 1e30, np.zeros(len(where))
            return value, gradient

        begin = np.array([program[index] for index in where], dtype=np.float64)
        before, _ = objective(begin)
        found = minimize(objective, begin, jac=True, method="BFGS", options={"maxiter": steps})
        better = found.fun < before and np.all(np.isfinite(found.x))
        return with_constants(program, where, found.x) if better else program

    def _projected(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        scale, offset, value = self.projector.fit(f)
        if not math.isfinite(value):
            return math.inf, np.zeros_like(f)
        _, derivative = self.loss.value_and_derivative(np.float32(scale) * f + np.float32(offset))
        return value, np.float32(scale) * derivative
