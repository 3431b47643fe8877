"""Symbolic expressions: an immutable tree, a safe parser, simplification, LaTeX and Python."""

from morpholaw.models.expressions.boundary_form import (
    LEAST_DIGITS,
    MOST_DIGITS,
    Inequality,
    boundary_form,
    first_number_of_digits,
)
from morpholaw.models.expressions.latex import to_latex
from morpholaw.models.expressions.normal_form import simplify, skeleton
from morpholaw.models.expressions.parser import parse, parse_rule
from morpholaw.models.expressions.python import to_python
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

__all__ = [
    "LEAST_DIGITS",
    "MOST_DIGITS",
    "Call",
    "Constant",
    "Expression",
    "Inequality",
    "Variable",
    "boundary_form",
    "first_number_of_digits",
    "parse",
    "parse_rule",
    "simplify",
    "skeleton",
    "to_latex",
    "to_python",
]
