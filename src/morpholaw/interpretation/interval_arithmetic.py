"""Interval arithmetic on expressions, which gives guaranteed bounds of a law over boxes of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from morpholaw.models.expressions import Expression


@dataclass(frozen=True)
class Interval:
    """Lower and upper bounds, float64 (boxes,) each."""

    low: np.ndarray
    high: np.ndarray


def boxes(limits: Sequence[tuple[float, ...]], cuts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lower and upper corners, (boxes, len(limits)), of a grid of boxes, and the edges of its last axis.

    Parameters
    ----------
    limits : sequence of (float, float)
        Range of each axis.
    cuts : int
        Number of boxes along each axis.
    """
    if not limits:
        return np.zeros((1, 0)), np.zeros((1, 0)), np.zeros(0)
    edges = [np.linspace(low, high, cuts + 1) for low, high in limits]
    low = np.stack(np.meshgrid(*(e[:-1] for e in edges), indexing="ij"), axis=-1)
    high = np.stack(np.meshgrid(*(e[1:] for e in edges), indexing="ij"), axis=-1)
    return low.reshape(-1, len(limits)), high.reshape(-1, len(limits)), edges[-1]


def bound_expression(expression: Expression, low: np.ndarray, high: np.ndarray) -> Interval:
    """Compute bounds of an expression over boxes of its variables.

    Bounds are rounded outwards. If the expression may be undefined in a box (logarithm or root of a negative number,
    division by zero), its bounds are -inf and inf. Repeated occurrences of a variable are treated as independent, so
    bounds can be too wide, and small boxes give tighter ones.

    Parameters
    ----------
    expression : Expression
        The expression.
    low, high : ndarray
        Lower and upper corners of the boxes, (boxes, variables).

    Returns
    -------
    Interval
        Bounds of the expression.
    """
    from morpholaw.models.expressions import Call, Constant, Variable

    if isinstance(expression, Constant):
        value = np.full(len(low), expression.value)
        return Interval(value, value)
    if isinstance(expression, Variable):
        return Interval(low[:, expression.column], high[:, expression.column])
    assert isinstance(expression, Call)
    parts = [bound_expression(operand, low, high) for operand in expression.operands]
    with np.errstate(all="ignore"):
        return _round_outwards(expression.operator, _OPERATIONS[expression.operator](*parts))


def _round_outwards(operator: str, x: Interval) -> Interval:
    """Round outwards; NaN (inf - inf) becomes the whole line."""
    low = np.where(np.isnan(x.low), -np.inf, np.nextafter(x.low, -np.inf))
    high = np.where(np.isnan(x.high), np.inf, np.nextafter(x.high, np.inf))
    if operator in ("square", "abs", "sqrt", "exp"):
        # What cannot be negative is not rounded below 0; the whole line, where undefined, stays so.
        low = np.where(np.isneginf(low), low, np.maximum(low, 0.0))
    return Interval(low, high)


def _add(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high)


def _subtract(a: Interval, b: Interval) -> Interval:
    return Interval(a.low - b.high, a.high - b.low)


def _multiply(a: Interval, b: Interval) -> Interval:
    products = np.stack([x * y for x in (a.low, a.high) for y in (b.low, b.high)])
    products = np.where(np.isnan(products), 0.0, products)  # 0 times an unbounded end is 0
    return Interval(products.min(axis=0), products.max(axis=0))


def _divide(a: Interval, b: Interval) -> Interval:
    crosses = (b.low <= 0) & (b.high >= 0)
    inverse = Interval(np.where(crosses, -np.inf, 1 / b.high), np.where(crosses, np.inf, 1 / b.low))
    quotient = _multiply(a, _round_outwards("/", inverse))
    return Interval(np.where(crosses, -np.inf, quotient.low), np.where(crosses, np.inf, quotient.high))


def _absolute(a: Interval) -> Interval:
    crosses = (a.low <= 0) & (a.high >= 0)
    ends = np.abs(np.stack([a.low, a.high]))
    return Interval(np.where(crosses, 0.0, ends.min(axis=0)), ends.max(axis=0))


def _square(a: Interval) -> Interval:
    magnitude = _absolute(a)
    return Interval(magnitude.low**2, magnitude.high**2)


def _exp(a: Interval) -> Interval:
    return Interval(np.exp(a.low), np.exp(a.high))


def _log(a: Interval) -> Interval:
    undefined = a.low < 0
    return Interval(
        np.where(undefined, -np.inf, np.log(np.maximum(a.low, 0.0))),
        np.where(undefined, np.inf, np.log(np.maximum(a.high, 0.0))),
    )


def _sqrt(a: Interval) -> Interval:
    undefined = a.low < 0
    return Interval(
        np.where(undefined, -np.inf, np.sqrt(np.maximum(a.low, 0.0))),
        np.where(undefined, np.inf, np.sqrt(np.maximum(a.high, 0.0))),
    )


def _sin(a: Interval) -> Interval:
    """Return the sines of the ends, and 1 or -1 where a crest or a trough lies between them."""
    ends = np.sin(np.stack([a.low, a.high]))
    period = 2 * np.pi
    crest = np.floor((a.high - np.pi / 2) / period) >= np.ceil((a.low - np.pi / 2) / period)
    trough = np.floor((a.high + np.pi / 2) / period) >= np.ceil((a.low + np.pi / 2) / period)
    unknown = ~np.isfinite(a.low) | ~np.isfinite(a.high)
    return Interval(
        np.where(trough | unknown, -1.0, ends.min(axis=0)), np.where(crest | unknown, 1.0, ends.max(axis=0))
    )


_OPERATIONS: dict[str, Callable[..., Interval]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "square": _square,
    "exp": _exp,
    "log": _log,
    "sin": _sin,
    "sqrt": _sqrt,
    "abs": _absolute,
    "min": lambda a, b: Interval(np.minimum(a.low, b.low), np.minimum(a.high, b.high)),
    "max": lambda a, b: Interval(np.maximum(a.low, b.low), np.maximum(a.high, b.high)),
}
