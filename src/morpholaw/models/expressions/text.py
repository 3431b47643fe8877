"""Infix text of an expression, which the parser reads back to the same tree."""

from __future__ import annotations

from morpholaw.models.expressions.operators import OPERATORS
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable


def to_text(expression: Expression) -> str:
    """Infix text; numbers as Python's shortest repr that reads back to the same float."""
    return _text(expression, 0, False)


def _text(node: Expression, outer: int, right: bool) -> str:
    """``outer`` is the precedence of the operator around; ``right`` that this is its right operand."""
    if isinstance(node, Constant):
        text = repr(node.value).removesuffix(".0")
        return f"({text})" if node.value < 0 and right else text
    if isinstance(node, Variable):
        return node.name
    assert isinstance(node, Call)
    precedence = OPERATORS[node.operator].precedence
    if len(node.operands) == 1:
        return f"{node.operator}({_text(node.operands[0], 0, False)})"
    a, b = node.operands
    text = f"{_text(a, precedence, False)} {node.operator} {_text(b, precedence, True)}"
    return f"({text})" if precedence < outer or (right and precedence == outer) else text
