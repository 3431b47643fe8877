"""The expression tree: constants, variables and calls of operators, none of which can change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.models.expressions.operators import COSTS

if TYPE_CHECKING:
    import torch


class Expression:
    """A node and all that is below it. Two expressions are equal when their trees are."""

    __slots__ = ()

    @property
    def arguments(self) -> tuple[Expression, ...]:
        """The nodes just below this one."""
        return ()

    def nodes(self) -> Iterator[Expression]:
        """All nodes, operands before their operator, from left to right."""
        for argument in self.arguments:
            yield from argument.nodes()
        yield self

    @property
    def size(self) -> int:
        """Number of nodes; a square counts one (paper, appendix C)."""
        return sum(1 for _ in self.nodes())

    def complexity(self, costs: Mapping[str, int] = COSTS, constant: int = 1, variable: int = 1) -> int:
        """Sum of the nodes' costs: sin 3, exp and log 2, all others 1 (paper, B.4)."""
        return sum(
            costs[node.operator]
            if isinstance(node, Call)
            else constant
            if isinstance(node, Constant)
            else variable
            for node in self.nodes()
        )

    def variables(self) -> tuple[str, ...]:
        """The names that occur, in the order of their columns."""
        found = {node.column: node.name for node in self.nodes() if isinstance(node, Variable)}
        return tuple(found[column] for column in sorted(found))

    def constants(self) -> tuple[float, ...]:
        """The constants, from left to right."""
        return tuple(node.value for node in self.nodes() if isinstance(node, Constant))

    def with_constants(self, values: Sequence[float]) -> Expression:
        """The same tree with other constants, given from left to right."""
        values = list(values)
        if len(values) != len(self.constants()):
            raise ValueError(f"{len(self.constants())} constants are needed, {len(values)} were given")
        return _fill(self, iter(values))

    def evaluate(self, z: np.ndarray) -> np.ndarray:
        """Value for each row of ``z`` (rows, variables), float64 (rows,); NaN or infinite where undefined."""
        from morpholaw.models.expressions.evaluation import evaluate

        return evaluate(self, z)

    def torch(self, z: torch.Tensor) -> torch.Tensor:
        """Value for each row of the tensor ``z`` (rows, variables), differentiable, in its dtype."""
        from morpholaw.models.expressions.evaluation import evaluate_torch

        return evaluate_torch(self, z)

    def text(self) -> str:
        """Infix text with constants at full precision: parsing it gives this tree again."""
        from morpholaw.models.expressions.text import to_text

        return to_text(self)

    def latex(self, names: Mapping[str, str] | None = None, digits: int = 3) -> str:
        """LaTeX; ``names`` maps variables to words for show, ``digits`` are significant digits."""
        from morpholaw.models.expressions.latex import to_latex

        return to_latex(self, names or {}, digits)

    def simplify(self) -> Expression:
        """An expression of the same value, never more complex, with like terms gathered."""
        from morpholaw.models.expressions.normal_form import simplify

        return simplify(self)

    def skeleton(self) -> str:
        """Canonical text without constants: equal for two ways of writing a law of the same shape."""
        from morpholaw.models.expressions.normal_form import skeleton

        return skeleton(self)

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A finite number."""

    value: float


@dataclass(frozen=True, slots=True)
class Variable(Expression):
    """A latent: ``name`` is shown, ``column`` is read."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """An operator (a key of ``operators.OPERATORS``) and its operands."""

    operator: str
    operands: tuple[Expression, ...]

    @property
    def arguments(self) -> tuple[Expression, ...]:
        return self.operands


def _fill(node: Expression, values: Iterator[float]) -> Expression:
    if isinstance(node, Constant):
        return Constant(float(next(values)))
    if isinstance(node, Call):
        return replace(node, operands=tuple(_fill(operand, values) for operand in node.operands))
    return node
