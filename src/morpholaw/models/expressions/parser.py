"""A parser of expressions that evaluates nothing: the text only ever becomes a syntax tree that is walked.

The text comes from study files, from PySR and from users, so ``eval``, SymPy's ``sympify`` and the like are out of
the question. Allowed are numbers, the given names, ``+ - * /``, ``^ 2`` or ``** 2``, and calls of the unary operators
with one argument.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Sequence

from morpholaw.errors import InputError
from morpholaw.models.expressions.operators import UNARY
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

MAX_CHARACTERS = 2000
MAX_NODES = 200

_ALLOWED = re.compile(r"[A-Za-z0-9_.+\-*/^() ]*")
_BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def parse(text: str, names: Sequence[str]) -> Expression:
    """Read an expression.

    Parameters
    ----------
    text : str
        Infix text, e.g. ``"z29*(square(z17) + z21^2) - exp(exp(z3))"``.
    names : sequence of str
        Names of the variables; the order is that of the columns that `Expression.evaluate` reads.

    Raises
    ------
    InputError
        If the text is not such an expression, or is longer than 2000 characters or 200 nodes.
    """
    if not isinstance(text, str):
        raise InputError(f"An expression must be text, not {type(text).__name__}.")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"The expression has {len(text)} characters; at most {MAX_CHARACTERS} are read.")
    shown = text if len(text) <= 60 else text[:57] + "..."
    if not _ALLOWED.fullmatch(text):
        raise InputError(f"The expression {shown!r} has characters that no expression needs.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # In Python ^ is xor and binds looser than +, so it must go before the text is parsed.
            tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
        if sum(1 for _ in ast.walk(tree)) > 4 * MAX_NODES:
            raise InputError(f"The expression {shown!r} has more than {MAX_NODES} nodes.")
        expression = _Reader(shown, names).read(tree.body)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The expression {shown!r} cannot be read as a formula.") from None
    if expression.size > MAX_NODES:
        raise InputError(f"The expression {shown!r} has more than {MAX_NODES} nodes.")
    return expression


class _Reader:
    """Turns Python's syntax tree into an expression."""

    def __init__(self, shown: str, names: Sequence[str]) -> None:
        self.shown = shown
        self.columns = {name: column for column, name in enumerate(names)}

    def error(self, reason: str) -> InputError:
        """Return the error for an expression that cannot be used."""
        return InputError(f"The expression {self.shown!r} cannot be used: {reason}.")

    def read(self, node: ast.expr) -> Expression:
        """Return the expression of a syntax node."""
        match node:
            case ast.Constant(value=value):
                return self.number(value)
            case ast.Name(id=name):
                if name not in self.columns:
                    known = ", ".join(self.columns)
                    raise self.error(f"{name!r} is not one of its variables ({known})")
                return Variable(name, self.columns[name])
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.read(operand)
                if isinstance(inner, Constant):
                    return Constant(-inner.value)
                return Call("*", (Constant(-1.0), inner))
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=power)):
                if type(power) not in (int, float) or power != 2:
                    raise self.error("the only power allowed is 2")
                return Call("square", (self.read(left),))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return Call(_BINARY[type(op)], (self.read(left), self.read(right)))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in UNARY:
                return Call(name, (self.read(argument),))
        raise self.error(f"only + - * /, the power 2 and {', '.join(UNARY)} of one value are allowed")

    def number(self, value: object) -> Constant:
        """Return a constant, or raise where the literal is not a finite number."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.error(f"{value!r} is not a number")
        number = float(value)
        if not math.isfinite(number):
            raise self.error("a number in it is out of range")
        return Constant(number)
