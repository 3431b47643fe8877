"""Refit of an expression's constants, which never increases the loss and keeps the form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from morpholaw.models.expressions import Expression
from morpholaw.training.symbolic.engine import LossKind
from morpholaw.training.symbolic.losses import make_loss
from morpholaw.training.symbolic.program import constants, encode, value_and_gradient, with_constants

MAX_ROWS = 20_000


@dataclass(frozen=True)
class Effort:
    """Thoroughness of a refit.

    Attributes
    ----------
    scales : tuple of float
        Multiples of the constants to start from, because the hinge loss depends on the scale of f.
    simplex : bool
        Whether to continue with Nelder-Mead; without it, a refit takes a tenth of the time.
    steps : int
        Maximum number of iterations per optimiser.
    """

    scales: tuple[float, ...] = (1.0, 0.5, 2.0)
    simplex: bool = True
    steps: int = 200


THOROUGH = Effort()


def refit(
    expression: Expression,
    x: np.ndarray,
    y: np.ndarray,
    loss: LossKind = "hinge",
    effort: Effort = THOROUGH,
) -> Expression:
    """Return the expression with constants that lower its loss on the given rows, in float64.

    L-BFGS approaches the optimum. Nelder-Mead then crosses the kinks of hinge and abs, where subgradients stall.

    Parameters
    ----------
    expression : Expression
        The expression to refit.
    x : ndarray
        Features (rows, variables); above `MAX_ROWS`, rows are subsampled with a fixed stride.
    y : ndarray
        Targets (rows,); -1 and +1 for the hinge loss.
    loss : {"hinge", "mse", "censored"}
        The loss to minimise.
    effort : Effort
        Thoroughness of the refit.

    Returns
    -------
    Expression
        The expression itself if no better constants were found.
    """
    from scipy.optimize import minimize  # takes long to import, and panels import the engines

    program = encode(expression)
    places = constants(program)
    if not places:
        return expression
    stride = -(-len(y) // MAX_ROWS)
    columns = np.ascontiguousarray(np.asarray(x, dtype=np.float64)[::stride].T)
    measure = make_loss(loss, np.asarray(y, dtype=np.float64)[::stride])

    def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(
            with_constants(program, places, values), columns, measure.value_and_derivative
        )
        if not math.isfinite(value) or not np.all(np.isfinite(gradient)):
            return 1e30, np.zeros(len(places))
        return value, gradient

    options = {"maxiter": effort.steps}
    start = np.array([program[index] for index in places], dtype=np.float64)
    with np.errstate(all="ignore"):
        best, least = start, objective(start)[0]
        for scale in effort.scales:
            optimum = minimize(objective, start * scale, jac=True, method="L-BFGS-B", options=options)
            if optimum.fun < least:
                best, least = optimum.x, float(optimum.fun)
            if effort.simplex:
                optimum = minimize(
                    lambda v: objective(v)[0], optimum.x, method="Nelder-Mead", options=options
                )
                if optimum.fun < least:
                    best, least = optimum.x, float(optimum.fun)
    return expression.with_constants([float(value) for value in best])


def measured(expression: Expression, x: np.ndarray, y: np.ndarray, loss: LossKind) -> float:
    """Return the loss of an expression on all rows, in float64; infinite if any row is undefined.

    Parameters
    ----------
    expression : Expression
        The expression.
    x : ndarray, float64 (rows, variables)
        Features.
    y : ndarray (rows,)
        Targets.
    loss : str
        Kind of loss.

    Returns
    -------
    float
    """
    f = expression.evaluate(x)
    if not np.all(np.isfinite(f)):
        return math.inf
    with np.errstate(over="ignore"):
        value = make_loss(loss, np.asarray(y, dtype=np.float64)).value(f)
    return value if math.isfinite(value) else math.inf
