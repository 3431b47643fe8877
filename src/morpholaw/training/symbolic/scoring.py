"""Losses of programs up to scale and offset, on all rows or on changing batches of rows."""

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
from morpholaw.training.symbolic.projection import NO_PROJECTION, Projection, make_projector


class Scorer:
    """Scores programs on a set of rows.

    Parameters
    ----------
    x : ndarray
        Features (rows, variables).
    y : ndarray
        Targets (rows,); -1 and +1 for the hinge loss.
    spec : SearchSpec
        The search, which defines the loss.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, spec: SearchSpec) -> None:
        order = np.arange(len(y)) if spec.loss == "mse" else np.argsort(y < 0, kind="stable")
        self.x = np.ascontiguousarray(x[order].T, dtype=np.float32)
        self.y = y[order].astype(np.float32)
        self.spec = spec
        self.loss = make_loss(spec.loss, self.y)
        self.projector = make_projector(spec.loss, self.y)
        self.evaluations = 0

    def batch(self, size: int, rng: np.random.Generator) -> Scorer:
        """Return a scorer of ``size`` random rows, stratified by sign except for mse."""
        rows = len(self.y)
        if size >= rows:
            return self
        if self.spec.loss == "mse":
            chosen = rng.choice(rows, size, replace=False)
        else:
            positives = int(np.count_nonzero(self.y >= 0))
            part = min(max(round(size * positives / rows), 1), size - 1)
            negatives = min(size - part, rows - positives)
            chosen = np.concatenate(
                [
                    rng.choice(positives, min(part, positives), replace=False),
                    positives + rng.choice(rows - positives, negatives, replace=False),
                ]
            )
        return Scorer(self.x.T[chosen], self.y[chosen], self.spec)

    def fit(self, program: Program) -> Projection:
        """Return the optimal scale and offset of a program, and the remaining loss."""
        self.evaluations += 1
        return self.projection(program)

    def projection(self, program: Program) -> Projection:
        """Return the same as `fit`, without counting an evaluation."""
        f = evaluate(program, self.x)
        return NO_PROJECTION if np.ndim(f) == 0 else self.projector.fit(f)

    def optimise(self, program: Program, steps: int) -> Program:
        """Return the program with constants optimised by BFGS on the projected loss; never worse.

        The gradient is exact with scale and offset held fixed, because they are optimal (envelope theorem).
        """
        from scipy.optimize import minimize  # takes long to import, and panels import the engines

        places = constants(program)
        if not places:
            return program

        def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
            self.evaluations += 2
            value, gradient = value_and_gradient(
                with_constants(program, places, values), self.x, self._projected_loss
            )
            if not math.isfinite(value) or not np.all(np.isfinite(gradient)):
                return 1e30, np.zeros(len(places))
            return value, gradient

        start = np.array([program[index] for index in places], dtype=np.float64)
        before, _ = objective(start)
        optimum = minimize(objective, start, jac=True, method="BFGS", options={"maxiter": steps})
        better = optimum.fun < before and np.all(np.isfinite(optimum.x))
        return with_constants(program, places, optimum.x) if better else program

    def _projected_loss(self, f: np.ndarray) -> tuple[float, np.ndarray]:
        scale, offset, value = self.projector.fit(f)
        if not math.isfinite(value):
            return math.inf, np.zeros_like(f)
        _, derivative = self.loss.value_and_derivative(np.float32(scale) * f + np.float32(offset))
        return value, np.float32(scale) * derivative
