"""The operators of expressions, with their functions and their costs (paper, B.4).

A search uses the ten operators of the paper; ``min`` and ``max`` express "and" and "or" in rules that a person writes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Operator:
    """An operator of expressions.

    Attributes
    ----------
    name : str
        Name in infix text.
    ufunc : ufunc
        Function on NumPy arrays.
    tensor : callable
        Function on torch tensors, by the name of a tensor method where possible, which needs no import of torch.
    arity : int
        Number of operands, 1 or 2.
    cost : int
        Weight in the complexity of an expression.
    precedence : int
        Precedence of an infix operator; higher binds more tightly.
    searched : bool
        Whether a search may use it.
    """

    name: str
    ufunc: np.ufunc
    tensor: Callable[..., Any]
    arity: int
    cost: int = 1
    precedence: int = 9
    searched: bool = True

    @property
    def infix(self) -> bool:
        """Whether the operator is written between its operands."""
        return self.precedence < 9


OPERATORS = {
    entry.name: entry
    for entry in (
        Operator("+", np.add, operator.add, 2, precedence=1),
        Operator("-", np.subtract, operator.sub, 2, precedence=1),
        Operator("*", np.multiply, operator.mul, 2, precedence=2),
        Operator("/", np.divide, operator.truediv, 2, precedence=2),
        Operator("square", np.square, methodcaller("square"), 1),
        Operator("exp", np.exp, methodcaller("exp"), 1, cost=2),
        Operator("log", np.log, methodcaller("log"), 1, cost=2),
        Operator("sin", np.sin, methodcaller("sin"), 1, cost=3),
        Operator("sqrt", np.sqrt, methodcaller("sqrt"), 1),
        Operator("abs", np.absolute, methodcaller("abs"), 1),
        Operator("min", np.minimum, lambda a, b: a.minimum(b), 2, searched=False),
        Operator("max", np.maximum, lambda a, b: a.maximum(b), 2, searched=False),
    )
}
"""Operators by name. The searched ones are in the order of the codes in `training.symbolic.program`."""
SEARCHED = tuple(name for name, entry in OPERATORS.items() if entry.searched)
BINARY = tuple(name for name in SEARCHED if OPERATORS[name].arity == 2)
UNARY = tuple(name for name, entry in OPERATORS.items() if entry.arity == 1)
COSTS = {name: entry.cost for name, entry in OPERATORS.items()}
