"""Symbolic expressions: an immutable tree, a safe parser, simplification, LaTeX and Python."""

from morpholaw.models.expressions.latex import to_latex
from morpholaw.models.expressions.normal_form import simplify, skeleton
from morpholaw.models.expressions.parser import parse
from morpholaw.models.expressions.python import to_python
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

__all__ = [
    "Call",
    "Constant",
    "Expression",
    "Variable",
    "parse",
    "simplify",
    "skeleton",
    "to_latex",
    "to_python",
]
