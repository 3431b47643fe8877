"""Values of an expression, in NumPy and, differentiably, in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.models.expressions.operators import OPERATORS
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

if TYPE_CHECKING:
    import torch


def evaluate(expression: Expression, z: np.ndarray) -> np.ndarray:
    """Value for each row of ``z`` (rows, variables), float64 (rows,); NaN or infinite where undefined."""
    z = np.asarray(z, dtype=np.float64)

    def value(node: Expression) -> Any:
        if isinstance(node, Constant):
            return np.float64(node.value)
        if isinstance(node, Variable):
            return z[:, node.column]
        assert isinstance(node, Call)
        return OPERATORS[node.operator].ufunc(*(value(operand) for operand in node.operands))

    with np.errstate(all="ignore"):
        return np.array(np.broadcast_to(value(expression), z.shape[:1]))


def evaluate_torch(expression: Expression, z: torch.Tensor) -> torch.Tensor:
    """Value for each row of ``z`` (rows, variables), (rows,) in its dtype; gradients reach ``z``."""
    import operator

    import torch

    functions: dict[str, Any] = {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
        "square": torch.square, "exp": torch.exp, "log": torch.log, "sin": torch.sin,
        "sqrt": torch.sqrt, "abs": torch.abs,
    }  # fmt: skip

    def value(node: Expression) -> torch.Tensor:
        if isinstance(node, Constant):
            return z.new_full((), node.value)
        if isinstance(node, Variable):
            return z[:, node.column]
        assert isinstance(node, Call)
        return functions[node.operator](*(value(operand) for operand in node.operands))

    return value(expression).expand(z.shape[0])
