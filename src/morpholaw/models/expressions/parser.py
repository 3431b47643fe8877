"""A parser of expressions and rules that never evaluates text.

Text comes from study files, PySR and users, so ``eval`` and SymPy's ``sympify`` would be unsafe. The parser walks a
syntax tree and accepts numbers, known names, ``+ - * /``, ``^ 2`` or ``** 2``, unary operators, ``min`` and ``max``.
A rule may also contain comparisons joined by ``and``, ``or`` and ``not``.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Sequence
from functools import reduce

from morpholaw.errors import InputError
from morpholaw.models.expressions.operators import UNARY
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

MAX_CHARACTERS = 2000
MAX_NODES = 200

_ALLOWED = re.compile(r"[A-Za-z0-9_.+\-*/^(), ]*")
_ALLOWED_IN_RULES = re.compile(r"[A-Za-z0-9_.+\-*/^(),<>= ]*")
_JOINED = ("min", "max")
_BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def parse_rule(text: str, names: Sequence[str]) -> Expression:
    """Parse a rule or an expression into an expression that is >= 0 where the rule holds.

    ``a < b`` becomes ``b - a``; ``and`` becomes the minimum and ``or`` the maximum of two values; ``not`` changes the
    sign. A rule holds at equality, whether it is written with ``<`` or ``<=``.

    Parameters
    ----------
    text : str
        A rule such as ``"width < 9 and axis_ratio > 1.9"`` or an expression such as ``"z1 - 0.8*z3"``.
    names : sequence of str
        Names of the variables, in the order of the columns; see `parse`.

    Returns
    -------
    Expression

    Raises
    ------
    InputError
        If the text is not a valid rule or expression.

    Examples
    --------
    >>> parse_rule("width < 9 and axis_ratio > 1.9", ["width", "axis_ratio"]).text()
    'min(9 - width, axis_ratio - 1.9)'
    """
    return _parse(text, names, _ALLOWED_IN_RULES, _RuleReader)


def parse(text: str, names: Sequence[str]) -> Expression:
    """Parse an expression.

    Parameters
    ----------
    text : str
        Infix text, such as ``"z29*(square(z17) + z21^2) - exp(exp(z3))"``.
    names : sequence of str
        Names of the variables, in the order of the columns that `Expression.evaluate` takes.

    Returns
    -------
    Expression

    Raises
    ------
    InputError
        If the text is not a valid expression, or has more than 2000 characters or 200 nodes.
    """
    return _parse(text, names, _ALLOWED, _Reader)


def _parse(text: str, names: Sequence[str], allowed: re.Pattern[str], reader: type[_Reader]) -> Expression:
    if not isinstance(text, str):
        raise InputError(f"An expression must be text, not {type(text).__name__}.")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"The expression has {len(text)} characters; at most {MAX_CHARACTERS} are allowed.")
    shown = text if len(text) <= 60 else text[:57] + "..."
    if not allowed.fullmatch(text):
        raise InputError(
            f"The expression {shown!r} contains characters that are not allowed in an expression."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # In Python ^ means xor and binds less tightly than +, so it is replaced before parsing.
            tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
        if sum(1 for _ in ast.walk(tree)) > 4 * MAX_NODES:
            raise InputError(f"The expression {shown!r} has more than {MAX_NODES} nodes.")
        expression = reader(shown, names).read(tree.body)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The expression {shown!r} is not a valid formula.") from None
    if expression.size > MAX_NODES:
        raise InputError(f"The expression {shown!r} has more than {MAX_NODES} nodes.")
    return expression


class _Reader:
    """Converts Python's syntax tree to an expression."""

    def __init__(self, shown: str, names: Sequence[str]) -> None:
        self.shown = shown
        self.columns = {name: column for column, name in enumerate(names)}

    def error(self, reason: str) -> InputError:
        """Return an InputError for this expression with the given reason."""
        return InputError(f"The expression {self.shown!r} cannot be used: {reason}.")

    def read(self, node: ast.expr) -> Expression:
        """Return the expression for a syntax node."""
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
            case ast.Call(func=ast.Name(id=name), args=[a, b], keywords=[]) if name in _JOINED:
                return Call(name, (self.read(a), self.read(b)))
        raise self.error(f"only + - * /, the power 2 and {', '.join(UNARY)} of one value are allowed")

    def number(self, value: object) -> Constant:
        """Return a constant; raise an error if the literal is not a finite number."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.error(f"{value!r} is not a number")
        number = float(value)
        if not math.isfinite(number):
            raise self.error("a number in it is out of range")
        return Constant(number)


class _RuleReader(_Reader):
    """Converts comparisons to differences, and "and" and "or" to the minimum and maximum of two values."""

    def read(self, node: ast.expr) -> Expression:
        """Return the expression for a syntax node that may be a rule."""
        match node:
            case ast.BoolOp(op=op, values=values):
                name = "min" if isinstance(op, ast.And) else "max"
                return reduce(lambda a, b: Call(name, (a, b)), [self.rule(value) for value in values])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.opposite(self.rule(operand))
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                sides = [self.value(side) for side in (left, *comparators)]
                parts = [self.difference(op, a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)]
                return reduce(lambda a, b: Call("min", (a, b)), parts)
        return _Reader(self.shown, tuple(self.columns)).read(node)

    def rule(self, node: ast.expr) -> Expression:
        """Return the expression for an operand of "and", "or" or "not", which must be a rule itself."""
        if not isinstance(node, ast.BoolOp | ast.Compare | ast.UnaryOp):
            raise self.error('"and", "or" and "not" join comparisons such as width < 9')
        return self.read(node)

    def value(self, node: ast.expr) -> Expression:
        """Return the expression for one side of a comparison, which must not be a rule."""
        return _Reader(self.shown, tuple(self.columns)).read(node)

    def difference(self, op: ast.cmpop, a: Expression, b: Expression) -> Expression:
        """Return the difference that is >= 0 where a comparison holds."""
        if isinstance(op, ast.Lt | ast.LtE):
            a, b = b, a
        elif not isinstance(op, ast.Gt | ast.GtE):
            raise self.error("values are compared with <, <=, > or >=")
        return a if isinstance(b, Constant) and b.value == 0 else Call("-", (a, b))

    def opposite(self, rule: Expression) -> Expression:
        """Return the rule that holds where `rule` does not."""
        if isinstance(rule, Call) and rule.operator in _JOINED:
            other = "max" if rule.operator == "min" else "min"
            return Call(other, tuple(map(self.opposite, rule.operands)))
        if isinstance(rule, Call) and rule.operator == "-":
            return Call("-", (rule.operands[1], rule.operands[0]))
        return Call("*", (Constant(-1.0), rule))
