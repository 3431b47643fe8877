"""Expressions as postfix tuples, which a search can cut, join and evaluate quickly.

A float is a constant, an int of at least `VARIABLE` is a column, and a smaller int is an operator. A search creates and
scores tens of thousands of programs per second, for which trees of objects would be too slow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from morpholaw.models.expressions import Call, Constant, Expression, Variable
from morpholaw.models.expressions.operators import OPERATORS, SEARCHED

Program = tuple[Any, ...]
"""Tokens, float or int. ``Any`` because the meaning of a token follows from its class and value."""

NAMES = SEARCHED
CODES = {name: code for code, name in enumerate(NAMES)}
ADD, SUB, MUL, DIV, SQUARE, EXP, LOG, SIN, SQRT, ABS = range(len(NAMES))
ARITY = tuple(OPERATORS[name].arity for name in NAMES)
FUNCTIONS = tuple(OPERATORS[name].ufunc for name in NAMES)
FIRST_UNARY = SQUARE
VARIABLE = 100

_DERIVATIVES: dict[int, Callable[..., tuple[Any, ...]]] = {
    ADD: lambda slope, value, a, b: (slope, slope),
    SUB: lambda slope, value, a, b: (slope, -slope),
    MUL: lambda slope, value, a, b: (slope * b, slope * a),
    DIV: lambda slope, value, a, b: (slope / b, -slope * value / b),
    SQUARE: lambda slope, value, a: (2 * slope * a,),
    EXP: lambda slope, value, a: (slope * value,),
    LOG: lambda slope, value, a: (slope / a,),
    SIN: lambda slope, value, a: (slope * np.cos(a),),
    SQRT: lambda slope, value, a: (slope * 0.5 / value,),
    ABS: lambda slope, value, a: (slope * np.sign(a),),
}
"""Derivatives with respect to each operand, times the ``slope`` of the operator's ``value``."""


def encode(expression: Expression) -> Program:
    """Convert a tree to a postfix program."""

    def token(node: Expression) -> float | int:
        if isinstance(node, Constant):
            return float(node.value)
        if isinstance(node, Variable):
            return VARIABLE + node.column
        assert isinstance(node, Call)
        return CODES[node.operator]

    return tuple(token(node) for node in expression.nodes())


def decode(program: Program, names: Sequence[str]) -> Expression:
    """Convert a postfix program to a tree; ``names`` are the names of the columns."""
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
    """Return the index of the first token of the subtree whose operator is at ``end``."""
    missing = 1
    while True:
        token = program[end]
        missing -= 1
        if token.__class__ is int and token < VARIABLE:
            missing += ARITY[token]
        if missing == 0:
            return end
        end -= 1


def depth(program: Program) -> int:
    """Return the number of nodes on the longest path from the root to a leaf."""
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
    """Return the positions of the constants."""
    return [index for index, token in enumerate(program) if token.__class__ is float]


def with_constants(program: Program, places: Sequence[int], values: Sequence[float] | np.ndarray) -> Program:
    """Return the program with the constants at ``places`` replaced.

    Parameters
    ----------
    program : tuple
        Tokens; see the module.
    places : sequence of int
        Positions of constants, as from `constants`.
    values : sequence of float
        New constants.

    Returns
    -------
    tuple
    """
    changed = list(program)
    for index, value in zip(places, values, strict=True):
        changed[index] = float(value)
    return tuple(changed)


def evaluate(program: Program, x: np.ndarray) -> Any:
    """Evaluate a program for each row of ``x`` (variables, rows), in its dtype; return a scalar without variables."""
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
    """Compute the loss of a program and its gradient with respect to the constants, by one forward and backward pass.

    Parameters
    ----------
    program : Program
        The program to evaluate.
    x : ndarray
        Features (variables, rows).
    loss : callable
        Maps outputs (rows,) to the loss and its derivative with respect to each output, (rows,).

    Returns
    -------
    value : float
    gradient : ndarray
        float64 (constants,).
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
            parts = _DERIVATIVES[program[index]](slopes[index], values[index], *below_values)
            for below_index, part in zip(operands[index], parts, strict=True):
                if varies[below_index]:
                    slopes[below_index] = slopes[below_index] + part
    return value, np.array([float(np.sum(slopes[i])) for i in constants(program)])
