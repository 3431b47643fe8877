"""Numbers as people and spreadsheets write them: with a decimal comma, or with a mark between thousands."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.IGNORECASE)
"""A number with a decimal point."""
_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
_BLANKS = "'\u2019\u00a0\u202f\u2009 "
"""Marks between thousands that never separate decimals: apostrophes and spaces of all widths."""
_BLANK_GROUPS = re.compile(rf"[-+]?\d{{1,3}}([{_BLANKS}]\d{{3}})+([.,]\d+)?")
_POINT_GROUPS = re.compile(r"[-+]?\d{1,3}(\.\d{3})+,\d+|[-+]?\d{1,3}(\.\d{3}){2,}")
_COMMA_GROUPS = re.compile(r"[-+]?\d{1,3}(,\d{3})+\.\d+|[-+]?\d{1,3}(,\d{3}){2,}")
_ONE_GROUP = re.compile(r"([1-9]\d{0,2})([.,])\d{3}")
_SMALL = re.compile(r"\d{1,3}")
_ENOUGH = 3
"""Minimum number of values with and without a mark, to tell thousands from decimals by their size."""


def decimal_mark(cells: Iterable[str]) -> str:
    """Return the decimal mark of a table, "." or ",", from some of its cells."""
    cells = list(cells)
    if any(_POINT_GROUPS.fullmatch(cell) for cell in cells):
        return ","
    commas = any(_COMMA.fullmatch(cell) for cell in cells)
    points = any("." in cell and NUMBER.fullmatch(cell) for cell in cells)
    return "," if commas and not points else "."


def is_number(cell: str, decimal: str) -> bool:
    """Return whether a cell contains a number, given the table's decimal mark."""
    return NUMBER.fullmatch(_plain(cell, decimal)) is not None


def as_numbers(text: pd.Series, decimal: str) -> pd.Series | None:
    """Convert a column of text to numbers.

    Parameters
    ----------
    text : Series of str or None, (n,)
        Values as written; None or "" for none.
    decimal : str
        Decimal mark of the table.

    Returns
    -------
    Series of float or None
        None if some value is not a number.
    """
    present = text[text.notna() & (text != "")].astype(str)
    if len(present) == 0:
        return None
    mark = _mark_of_thousands(present)
    plain = text.map(lambda value: value if not isinstance(value, str) else _plain(value, decimal, mark))
    numbers = pd.to_numeric(plain, errors="coerce")
    return numbers if numbers[present.index].notna().all() else None


def may_have_thousands(column: pd.Series) -> bool:
    """Return whether numbers parsed as decimals could have a mark between thousands, such as 749 and 1.272."""
    if column.dtype.kind != "f":
        return False
    numbers = column.to_numpy()[column.notna()]
    whole = numbers == np.floor(numbers)
    if min(whole.sum(), (~whole).sum()) < _ENOUGH or np.abs(numbers).max() >= 1000:
        return False
    return bool(np.median(numbers[whole]) > numbers[~whole].max())


def _plain(cell: str, decimal: str, mark: str = "") -> str:
    """Return a number without marks between thousands and with a decimal point."""
    if _BLANK_GROUPS.fullmatch(cell):
        cell = re.sub(f"[{_BLANKS}]", "", cell)
    elif mark or (_POINT_GROUPS if decimal == "," else _COMMA_GROUPS).fullmatch(cell):
        return cell.replace(mark or ("." if decimal == "," else ","), "").replace(decimal, ".")
    return cell.replace(",", ".") if decimal == "," else cell


def _mark_of_thousands(cells: pd.Series) -> str:
    """Return the mark between thousands in a column of whole numbers; "" without one.

    Whole numbers such as 749 and 1.272, the largest of which always have a mark before three digits, are not decimals:
    as such, those with the mark would all be far smaller than the others.
    """
    marked = [(cell, match) for cell in cells if (match := _ONE_GROUP.fullmatch(cell))]
    small = [int(cell) for cell in cells if _SMALL.fullmatch(cell)]
    marks = {match[2] for _, match in marked}
    if len(marked) + len(small) < len(cells) or min(len(marked), len(small)) < _ENOUGH or len(marks) != 1:
        return ""
    as_decimals = max(int(match[1]) for _, match in marked) + 1
    return marks.pop() if np.median(small) > 10 * as_decimals else ""
