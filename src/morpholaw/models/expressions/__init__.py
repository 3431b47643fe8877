"""Symbolic expressions: an immutable tree, a safe reader, evaluation, size, simplification and LaTeX."""

from morpholaw.models.expressions.parser import parse
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

__all__ = ["Call", "Constant", "Expression", "Variable", "parse"]
