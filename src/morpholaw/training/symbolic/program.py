"""Expressions as the search handles them: postfix tuples, fast to cut, join and evaluate.

A float is a constant, an int from `VARIABLE` up a column, a smaller int an operator. The search makes and scores tens
of thousands of these a second, which trees of objects could not follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from morpholaw.models.expressions import Call, Constant, Expression, Variable
from morpholaw.models.expressions.operators import OPERATORS

Program = tuple[Any, ...]
"""Tokens: float or int. ``Any``, for what a token is follows from its class and value alone."""

NAMES = tuple(OPERATORS)
CODES = {name: code for code, name in enumerate(NAMES)}
ADD, SUB, MUL, DIV, SQUARE, EXP, LOG, SIN, SQRT, ABS = range(len(NAMES))
ARITY = tuple(operator.arity for operator in OPERATORS.values())
FUNCTIONS = tuple(operator.ufunc for operator in OPERATORS.values())
FIRST_UNARY = SQUARE
VARIABLE = 100


def encode(expression: Expression) -> Program:
    """The postfix program of a tree."""

    def token(node: Expression) -> float | int:
        if isinstance(node, Constant):
            return float(node.value)
        return VARIABLE + node.column if isinstance(node, Variable) else CODES[node.operator]  # type: ignore[attr-defined]

    return tuple(token(node) for node in expression.nodes())


def decode(program: Program, names: Sequence[str]) -> Expression:
    """The tree of a postfix program."""
    stack: list[Expression] = []
    for token in program:
        if isinstance(token, float):
            stack.append(Constant(token))
        elif token >= VARIABLE:
            stack.append(Variable(names[token - VARIABLE], token - VARIABLE))
        else:
            operands = tuple(stack[-ARITY[token] :])
            del stack[-ARITY[token] :]
            stack.append(Call(NAMES[token], operands))
    return stack[0]


def start(program: Program, end: int) -> int:
    """First index of the subtree whose operator stands at ``end``."""
    need = 1
    while True:
        token = program[end]
        need -= 1
        if token.__class__ is int and token < VARIABLE:
            need += ARITY[token]
        if need == 0:
            return end
        end -= 1


def depth(program: Program) -> int:
    """Longest path from the top to a leaf, in nodes."""
    stack: list[int] = []
    for token in program:
        if token.__class__ is float or token >= VARIABLE:
            stack.append(1)
        elif token < FIRST_UNARY:
            top = stack.pop()
            stack[-1] = max(stack[-1], top) + 1
        else:
            stack[-1] += 1
    return stack[0]


def constants(program: Program) -> list[int]:
    """Where the constants stand."""
    return [index for index, token in enumerate(program) if token.__class__ is float]


def with_constants(program: Program, where: Sequence[int], values: Sequence[float] | np.ndarray) -> Program:
    """The program with other constants."""
    changed = list(program)
    for index, value in zip(where, values, strict=True):
        changed[index] = float(value)
    return tuple(changed)


def evaluate(program: Program, x: np.ndarray) -> Any:
    """Value for each row of ``x`` (variables, rows), in its dtype; a NumPy scalar where no variable occurs."""
    stack: list[Any] = []
    for token in program:
        if token.__class__ is float:
            stack.append(x.dtype.type(token))
        elif token >= VARIABLE:
            stack.append(x[token - VARIABLE])
        elif token < FIRST_UNARY:
            top = stack.pop()
            stack[-1] = FUNCTIONS[token](stack[-1], top)
        else:
            stack[-1] = FUNCTIONS[token](stack[-1])
    return stack[0]


def value_and_gradient(
    program: Program, x: np.ndarray, loss: Callable[[np.ndarray], tuple[float, np.ndarray]]
) -> tuple[float, np.ndarray]:
    """Loss of a program and its gradient by the constants, by one pass forward and one back.

    Parameters
    ----------
    x
        (variables, rows).
    loss
        Outputs (rows,) -> loss and its derivative by each output (rows,).
    """
    values: list[Any] = []
    operands: list[tuple[int, ...]] = []
    varies: list[bool] = []
    stack: list[int] = []
    for index, token in enumerate(program):
        if token.__class__ is float:
            values.append(x.dtype.type(token))
            operands.append(())
        elif token >= VARIABLE:
            values.append(x[token - VARIABLE])
            operands.append(())
        else:
            arity = ARITY[token]
            below = tuple(stack[-arity:])
            del stack[-arity:]
            values.append(FUNCTIONS[token](*(values[i] for i in below)))
            operands.append(below)
        varies.append(token.__class__ is float or any(varies[i] for i in operands[-1]))
        stack.append(index)
    f = values[-1] if np.ndim(values[-1]) else np.full(x.shape[1], values[-1])
    value, derivative = loss(f)
    slopes: list[Any] = [0.0] * len(program)
    slopes[-1] = derivative
    for index in range(len(program) - 1, -1, -1):
        if operands[index] and varies[index]:
            below_values = [values[i] for i in operands[index]]
            parts = _backward(program[index], slopes[index], values[index], *below_values)
            for below_index, part in zip(operands[index], parts, strict=True):
                if varies[below_index]:
                    slopes[below_index] = slopes[below_index] + part
    return value, np.array([float(np.sum(slopes[i])) for i in constants(program)])


def _backward(token: int, slope: Any, value: Any, a: Any, b: Any = None) -> tuple[Any, ...]:
    """Derivatives by the operands, times the ``slope`` of what is above."""
    match token:
        case 0:
            return slope, slope
        case 1:
            return slope, -slope
        case 2:
            return slope * b, slope * a
        case 3:
            return slope / b, -slope * value / b
        case 4:
            return (2 * slope * a,)
        case 5:
            return (slope * value,)
        case 6:
            return (slope / a,)
        case 7:
            return (slope * np.cos(a),)
        case 8:
            return (slope * 0.5 / value,)
        case _:
            return (slope * np.sign(a),)
