"""The operators an expression may use, what they compute and what each costs (paper, B.4).

A search uses the paper's ten; ``min`` and ``max`` are the "and" and "or" of formulas that a person writes.
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
    """One operator.

    Attributes
    ----------
    name : str
        How it is written in infix text.
    ufunc : ufunc
        Its value on NumPy arrays.
    tensor : callable
        Its value on torch tensors; naming a method instead of a function of torch needs no import of torch.
    arity : int
        Operands, 1 or 2.
    cost : int
        Weight in the complexity.
    precedence : int
        How tightly an infix operator binds.
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
        """Whether it is written between its operands."""
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
"""Operators by name; the order of the searched ones is that of the codes in `training.symbolic.program`."""
SEARCHED = tuple(name for name, entry in OPERATORS.items() if entry.searched)
BINARY = tuple(name for name in SEARCHED if OPERATORS[name].arity == 2)
UNARY = tuple(name for name, entry in OPERATORS.items() if entry.arity == 1)
COSTS = {name: entry.cost for name, entry in OPERATORS.items()}
