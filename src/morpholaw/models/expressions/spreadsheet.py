"""Conversion of laws to spreadsheet formulas over the columns of an exported table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from morpholaw.errors import InputError
from morpholaw.models.classes import UNDEFINED
from morpholaw.models.expressions.operators import OPERATORS
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

_FUNCTIONS = {
    "exp": "EXP",
    "log": "LN",
    "sin": "SIN",
    "sqrt": "SQRT",
    "abs": "ABS",
    "min": "MIN",
    "max": "MAX",
}
_LONGEST_TEXT = 255
"""Maximum length of a text constant in an Excel formula, in characters."""


def to_spreadsheet(
    expression: Expression,
    classes: tuple[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    row: int = 2,
) -> str:
    """Return a formula for Excel and LibreOffice Calc that computes a law in one row of a table.

    Parameters
    ----------
    expression : Expression
        The law, over inputs in units.
    classes : tuple of str, optional
        Names of the classes of f < 0 and f >= 0. If given, the formula returns the class instead of the score, or
        "undefined" where the score is not a number.
    columns : mapping, optional
        Column letters of each input, such as ``{"width": "C"}``; by default the inputs are in columns A, B, ... in the
        order of the law.
    row : int
        Row number of the cells; by default the first below the header.

    Returns
    -------
    str
        Formula for row `row`; it can be filled down.

    Raises
    ------
    InputError
        If an input has no column, or a column is not given by letters.

    Examples
    --------
    >>> from morpholaw.models.expressions import parse
    >>> to_spreadsheet(parse("9 - width + 2*square(contrast)", ["width", "contrast"]))
    '=9-A2+2*POWER(B2,2)'
    """
    used = expression.variables()
    letters = (
        dict(columns) if columns is not None else {name: column_letters(k) for k, name in enumerate(used)}
    )
    for name in used:
        column = letters.get(name, "")
        if not (column.isascii() and column.isalpha() and column.isupper() and len(column) <= 3):
            raise InputError(f"The input {name!r} needs column letters, such as C; got {column!r}.")
    score = _write(expression, {name: f"{column}{row}" for name, column in letters.items()}, 0, False)
    if classes is None:
        return f"={score}"
    negative, positive = map(_text, classes)
    return f'=IFERROR(IF({score}>=0,{positive},{negative}),"{UNDEFINED}")'


def column_letters(number: int) -> str:
    """Return the letters of a column, counted from 0: A, B, ..., Z, AA, ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def largest_of(classes: Sequence[str], columns: Sequence[str], row: int) -> str:
    """Return a formula for the class with the largest score in a row.

    Scores that are not numbers are ignored; the formula returns "undefined" if no score is a number.
    """
    first, last = f"{columns[0]}{row}", f"{columns[-1]}{row}"
    names = ",".join(_text(name) for name in classes)
    place = f"MATCH(AGGREGATE(14,6,{first}:{last},1),{first}:{last},0)"
    return f'=IFERROR(CHOOSE({place},{names}),"{UNDEFINED}")'


def _text(text: str) -> str:
    """Return a text constant on one line, with quotes doubled."""
    shown = " ".join(text.split())[:_LONGEST_TEXT]
    return '"' + shown.replace('"', '""') + '"'


def _write(node: Expression, cells: Mapping[str, str], outer: int, right: bool) -> str:
    if isinstance(node, Constant):
        text = repr(float(node.value)).removesuffix(".0").replace("e", "E")
        return f"({text})" if node.value < 0 else text
    if isinstance(node, Variable):
        return cells[node.name]
    assert isinstance(node, Call)
    if node.operator == "square":
        return f"POWER({_write(node.operands[0], cells, 0, False)},2)"
    if node.operator in _FUNCTIONS:
        inside = ",".join(_write(operand, cells, 0, False) for operand in node.operands)
        return f"{_FUNCTIONS[node.operator]}({inside})"
    precedence = OPERATORS[node.operator].precedence
    a, b = node.operands
    text = f"{_write(a, cells, precedence, False)}{node.operator}{_write(b, cells, precedence, True)}"
    return f"({text})" if precedence < outer or (right and precedence == outer) else text
