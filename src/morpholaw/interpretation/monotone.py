"""Proof of monotonicity of a law in its inputs, by interval arithmetic on its derivatives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from morpholaw.interpretation.interval_arithmetic import Interval, bound_expression, boxes
from morpholaw.models.expressions import Call, Constant, Expression, Variable

BOXES = 4096
"""Maximum number of boxes into which the ranges of inputs are divided. With more boxes, more can be proved."""


def directions(expression: Expression, ranges: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    """Determine in which inputs an expression is monotonic.

    Parameters
    ----------
    expression : Expression
        The formula.
    ranges : mapping
        Range of each of its inputs.

    Returns
    -------
    dict
        For each input, +1 if the expression never decreases with it, -1 if it never increases, and 0 if neither could
        be proved within the ranges.
    """
    names = {node.name: node.column for node in expression.nodes() if isinstance(node, Variable)}
    low, high = _boxes(names, ranges)
    signs = {}
    for name, column in names.items():
        slope = _slope(expression, low, high, column)[1]
        signs[name] = int(np.all(slope.low >= 0)) - int(np.all(slope.high <= 0))
    return signs


def _boxes(
    names: Mapping[str, int], ranges: Mapping[str, tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of a grid of boxes, (boxes, columns) each."""
    cuts = max(1, int(BOXES ** (1 / max(1, len(names)))))
    lows, highs, _ = boxes([ranges[name] for name in names], cuts)
    low = np.zeros((len(lows), max(names.values(), default=0) + 1))
    high, columns = np.zeros_like(low), list(names.values())
    low[:, columns], high[:, columns] = lows, highs
    return low, high


def _slope(node: Expression, low: np.ndarray, high: np.ndarray, column: int) -> tuple[Interval, Interval]:
    """Return bounds of a node and of its partial derivative with respect to one input."""
    zero = Interval(np.zeros(len(low)), np.zeros(len(low)))
    value = bound_expression(node, low, high)
    if isinstance(node, Constant):
        return value, zero
    if isinstance(node, Variable):
        return value, Interval(zero.low + 1, zero.high + 1) if node.column == column else zero
    assert isinstance(node, Call)
    parts = [_slope(operand, low, high, column) for operand in node.operands]
    if all(not slope.low.any() and not slope.high.any() for _, slope in parts):
        return value, zero
    slope = _apply(node.operator, value, parts)
    nowhere = ~np.isfinite(value.low) | ~np.isfinite(value.high)  # nothing is proved where f may be undefined
    unbounded = nowhere | np.isnan(slope.low) | np.isnan(slope.high)
    return value, Interval(np.where(unbounded, -np.inf, slope.low), np.where(unbounded, np.inf, slope.high))


def _apply(operator: str, value: Interval, parts: list[tuple[Interval, Interval]]) -> Interval:
    """Return bounds of the derivative of an operator, from bounds of its operands and of their derivatives."""
    (a, da), (b, db) = parts[0], parts[-1]
    one = Interval(np.ones(len(a.low)), np.ones(len(a.low)))
    match operator:
        case "+":
            return _join("+", da, db)
        case "-":
            return _join("-", da, db)
        case "*":
            return _join("+", _join("*", da, b), _join("*", a, db))
        case "/":
            return _join("/", _join("-", da, _join("*", value, db)), b)
        case "square":
            return _join("*", da, _join("+", a, a))
        case "exp":
            return _join("*", da, value)
        case "log":
            return _join("/", da, a)
        case "sqrt":
            return _join("/", da, _join("+", value, value))
        case "abs":
            sign = Interval(np.where(a.low >= 0, 1.0, -1.0), np.where(a.high <= 0, -1.0, 1.0))
            return _join("*", da, sign)
        case "min" | "max":
            return Interval(np.minimum(da.low, db.low), np.maximum(da.high, db.high))
        case _:  # the slope of sin is between -1 and 1
            return _join("*", da, Interval(-one.low, one.high))


def _join(operator: str, a: Interval, b: Interval) -> Interval:
    """Return the bounds of an operator on two intervals."""
    ends = [np.stack([a.low, b.low], axis=1), np.stack([a.high, b.high], axis=1)]
    return bound_expression(Call(operator, (Variable("a", 0), Variable("b", 1))), ends[0], ends[1])
