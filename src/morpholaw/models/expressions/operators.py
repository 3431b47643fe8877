"""The ten operators an expression may use and what each costs (paper, B.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Operator:
    """One operator: ``cost`` is its weight in the complexity; infix operators have a ``precedence``."""

    name: str
    ufunc: np.ufunc
    arity: int
    cost: int = 1
    precedence: int = 9


OPERATORS = {
    operator.name: operator
    for operator in (
        Operator("+", np.add, 2, precedence=1),
        Operator("-", np.subtract, 2, precedence=1),
        Operator("*", np.multiply, 2, precedence=2),
        Operator("/", np.divide, 2, precedence=2),
        Operator("square", np.square, 1),
        Operator("exp", np.exp, 1, cost=2),
        Operator("log", np.log, 1, cost=2),
        Operator("sin", np.sin, 1, cost=3),
        Operator("sqrt", np.sqrt, 1),
        Operator("abs", np.absolute, 1),
    )
}
BINARY = tuple(name for name, operator in OPERATORS.items() if operator.arity == 2)
UNARY = tuple(name for name, operator in OPERATORS.items() if operator.arity == 1)
COSTS = {name: operator.cost for name, operator in OPERATORS.items()}
