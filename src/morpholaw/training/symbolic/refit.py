"""Refit of an expression's constants: the shape stays, only the numbers move, and never for the worse."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from morpholaw.models.expressions import Expression
from morpholaw.training.symbolic.engine import LossKind
from morpholaw.training.symbolic.losses import make_loss
from morpholaw.training.symbolic.program import constants, encode, value_and_gradient, with_constants

MAX_ROWS = 20_000


def refit(
    expression: Expression,
    x: np.ndarray,
    y: np.ndarray,
    loss: LossKind = "hinge",
    weights: np.ndarray | None = None,
    scales: Sequence[float] = (1.0, 0.5, 2.0),
    simplex: bool = True,
    steps: int = 200,
) -> Expression:
    """The expression with the constants that lower its loss on these rows, in float64.

    L-BFGS gets near; the simplex then crosses the kinks of hinge and abs, at which subgradients stall. Hinge depends
    on the scale of f, hence several starts, at multiples of the constants.

    Parameters
    ----------
    x, y
        Latents (rows, variables) and targets (rows,); of very many rows, every so-manieth is used.
    scales
        Multiples of the constants to start from.
    simplex
        Whether to follow with Nelder-Mead; without it the refit takes a tenth of the time.
    """
    from scipy.optimize import minimize

    program = encode(expression)
    where = constants(program)
    if not where:
        return expression
    stride = -(-len(y) // MAX_ROWS)
    columns = np.ascontiguousarray(np.asarray(x, dtype=np.float64)[::stride].T)
    part = None if weights is None else weights[::stride]
    measure = make_loss(loss, np.asarray(y, dtype=np.float64)[::stride], part)

    def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(
            with_constants(program, where, values), columns, measure.value_and_derivative
        )
        if not math.isfinite(value) or not np.all(np.isfinite(gradient)):
            return 1e30, np.zeros(len(where))
        return value, gradient

    begin = np.array([program[index] for index in where], dtype=np.float64)
    with np.errstate(all="ignore"):
        best, least = begin, objective(begin)[0]
        for scale in scales:
            values = begin * scale
            found = minimize(objective, values, jac=True, method="L-BFGS-B", options={"maxiter": steps})
            if found.fun < least:
                best, least = found.x, float(found.fun)
            if simplex:
                found = minimize(
                    lambda v: objective(v)[0], found.x, method="Nelder-Mead", options={"maxiter": steps}
                )
                if found.fun < least:
                    best, least = found.x, float(found.fun)
    return expression.with_constants([float(value) for value in best])


def measured(
    expression: Expression, x: np.ndarray, y: np.ndarray, loss: LossKind, weights: np.ndarray | None = None
) -> float:
    """The loss of the expression on all rows, in float64; infinite where any row is undefined."""
    f = expression.evaluate(x)
    if not np.all(np.isfinite(f)):
        return math.inf
    with np.errstate(over="ignore"):
        value = make_loss(loss, np.asarray(y, dtype=np.float64), weights).value(f)
    return value if math.isfinite(value) else math.inf
