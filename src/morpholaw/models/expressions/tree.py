"""The expression tree: immutable constants, variables and operator calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.models.expressions.operators import COSTS, OPERATORS

if TYPE_CHECKING:
    import torch


class Expression:
    """A node of an expression tree with its operands. Expressions are equal if their trees are."""

    __slots__ = ()

    @property
    def arguments(self) -> tuple[Expression, ...]:
        """Operands of this node."""
        return ()

    def nodes(self) -> Iterator[Expression]:
        """Yield all nodes from left to right, operands before their operator."""
        for argument in self.arguments:
            yield from argument.nodes()
        yield self

    @property
    def size(self) -> int:
        """Number of nodes; a square counts as one (paper, appendix C)."""
        return sum(1 for _ in self.nodes())

    def complexity(self, costs: Mapping[str, int] = COSTS, constant: int = 1, variable: int = 1) -> int:
        """Return the sum of the costs of all nodes: sin 3, exp and log 2, all others 1 (paper, B.4)."""

        def cost(node: Expression) -> int:
            if isinstance(node, Call):
                return costs[node.operator]
            return constant if isinstance(node, Constant) else variable

        return sum(cost(node) for node in self.nodes())

    def variables(self) -> tuple[str, ...]:
        """Return the names of the variables in the expression, in the order of their columns."""
        names = {node.column: node.name for node in self.nodes() if isinstance(node, Variable)}
        return tuple(names[column] for column in sorted(names))

    def constants(self) -> tuple[float, ...]:
        """Return the constants from left to right."""
        return tuple(node.value for node in self.nodes() if isinstance(node, Constant))

    def with_constants(self, values: Sequence[float]) -> Expression:
        """Return the same tree with its constants replaced, from left to right.

        Raises
        ------
        ValueError
            If the number of values differs from the number of constants.
        """
        values = list(values)
        if len(values) != len(self.constants()):
            raise ValueError(f"{len(self.constants())} constants are needed, not {len(values)}")
        return _replace_constants(self, iter(values))

    def evaluate(self, columns: np.ndarray) -> np.ndarray:
        """Evaluate the expression for each row.

        Parameters
        ----------
        columns : ndarray
            (rows, variables), in the order of the variables' columns.

        Returns
        -------
        ndarray
            float64 (rows,); NaN or infinite where the expression is undefined.
        """
        x = np.asarray(columns, dtype=np.float64)
        with np.errstate(all="ignore"):
            value = _value(self, x, np.float64, lambda name: OPERATORS[name].ufunc)
            return np.array(np.broadcast_to(value, x.shape[:1]))

    def evaluate_torch(self, columns: torch.Tensor) -> torch.Tensor:
        """Evaluate the expression for each row of a tensor (rows, variables); differentiable."""
        value: torch.Tensor = _value(
            self, columns, lambda number: columns.new_full((), number), lambda name: OPERATORS[name].tensor
        )
        return value.expand(columns.shape[0])

    def with_plain_signs(self) -> Expression:
        """Return the same expression with "a - 2" instead of "a + (-2)", and "a + 2" instead of "a - (-2)"."""
        return _plain_signs(self)

    def text(self) -> str:
        """Return infix text with constants at full precision, which the parser reads back to this tree."""
        return _text(self, 0, False)

    def __str__(self) -> str:
        """Return infix text."""
        return self.text()


_OPPOSITE = {"+": "-", "-": "+"}


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A finite number."""

    value: float


@dataclass(frozen=True, slots=True)
class Variable(Expression):
    """A feature, displayed as ``name`` and read from the column number ``column``."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """An operator (a key of ``operators.OPERATORS``) applied to its operands."""

    operator: str
    operands: tuple[Expression, ...]

    @property
    def arguments(self) -> tuple[Expression, ...]:
        """The operands."""
        return self.operands


def _value(
    node: Expression, x: Any, number: Callable[[float], Any], function: Callable[[str], Callable[..., Any]]
) -> Any:
    """Evaluate a node on an array or tensor ``x``; ``number`` and ``function`` make constants and operators for it."""
    if isinstance(node, Constant):
        return number(node.value)
    if isinstance(node, Variable):
        return x[:, node.column]
    assert isinstance(node, Call)
    return function(node.operator)(*(_value(operand, x, number, function) for operand in node.operands))


def _replace_constants(node: Expression, values: Iterator[float]) -> Expression:
    if isinstance(node, Constant):
        return Constant(float(next(values)))
    if isinstance(node, Call):
        return replace(node, operands=tuple(_replace_constants(operand, values) for operand in node.operands))
    return node


def _plain_signs(node: Expression) -> Expression:
    if not isinstance(node, Call):
        return node
    operands = tuple(map(_plain_signs, node.operands))
    last = operands[-1]
    if node.operator in _OPPOSITE and isinstance(last, Constant) and last.value < 0:
        return Call(_OPPOSITE[node.operator], (operands[0], Constant(-last.value)))
    return replace(node, operands=operands)


def _text(node: Expression, outer: int, right: bool) -> str:
    """Return the text of a node inside an operator of precedence ``outer``; ``right``: as its right operand."""
    if isinstance(node, Constant):
        text = repr(node.value).removesuffix(".0")
        return f"({text})" if node.value < 0 and right else text
    if isinstance(node, Variable):
        return node.name
    assert isinstance(node, Call)
    if not OPERATORS[node.operator].infix:
        return f"{node.operator}({', '.join(_text(operand, 0, False) for operand in node.operands)})"
    precedence = OPERATORS[node.operator].precedence
    a, b = node.operands
    text = f"{_text(a, precedence, False)} {node.operator} {_text(b, precedence, True)}"
    return f"({text})" if precedence < outer or (right and precedence == outer) else text
