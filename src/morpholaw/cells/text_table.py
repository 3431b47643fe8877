"""Reading of delimited text tables with any delimiter, encoding, decimal mark and kind of header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.files import refuse_special
from morpholaw.cells.legacy_encoding import legacy_encoding
from morpholaw.cells.movie_formats.units import is_unit
from morpholaw.cells.number_text import NUMBER, as_numbers, decimal_mark, is_number, may_have_thousands
from morpholaw.cells.stand_ins import refuse_stand_in
from morpholaw.cells.table_rows import COMMENTS, records_only
from morpholaw.errors import InputError, reason
from morpholaw.escape import from_csv_text

_HEAD = 1 << 20
"""Number of bytes from which the layout is determined; a longer line cannot be a header."""
MAX_COLUMNS = 5_000
_SEARCHED = 30
"""Number of lines within which the header is expected."""
_SAMPLE = 60
_MISSING = [
    "",
    "nan",
    "NaN",
    "NAN",
    "NA",
    "N/A",
    "n/a",
    "null",
    "NULL",
    "None",
    "none",
    "-nan",
    "#N/A",
    "<NA>",
]
_UNIT = re.compile(r"^(.*?)\s*[(\[]([^()\[\]]*)[)\]]\s*$")


@dataclass(frozen=True)
class TextTable:
    """A table read from text.

    Attributes
    ----------
    values : DataFrame
        Columns of numbers if all their values are numbers, else of text; missing values are NaN.
    units : dict of str
        Units of columns according to the header or the row below it, such as {"POSITION_X": "micron"}.
    lines : ndarray of int64, shape (n,)
        Line of the file of each row, counted from 1.
    """

    values: pd.DataFrame
    units: dict[str, str]
    lines: np.ndarray


@dataclass(frozen=True)
class _Layout:
    encoding: str
    separator: str
    """Delimiter, one character; "" for white space."""
    names: list[str]
    units: dict[str, str]
    first_line: int
    decimal: str


def read_text_table(path: Path) -> TextTable:
    """Read a table with one row of column names.

    Supported are byte order marks, UTF-16, a line "sep=;", comments and titles before the header, names in a comment,
    column names that are repeated between rows, rows of statistics below the last one, rows of long names
    and units below it (TrackMate), rows of groups above it (CellProfiler), decimal commas, marks between thousands,
    quotes, white space around values, an unnamed index column and delimiters at the end of lines.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    TextTable

    Raises
    ------
    InputError
        If the file cannot be read or is not such a table.
    """
    refuse_special(path)
    try:
        with path.open("rb") as handle:
            head = handle.read(_HEAD)
            whole = len(head) < _HEAD
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    refuse_stand_in(head, path)
    refuse_packed(head, path)
    layout = _layout(head, whole, path)
    values = _tidy(_decoded(path, layout), layout.decimal)
    lines = layout.first_line + values.index.to_numpy(np.int64)
    return TextTable(values.reset_index(drop=True), layout.units, lines)


def refuse_packed(start: bytes, path: Path, table: str = "the table") -> None:
    """Reject workbooks, archives and compressed files by their first bytes, with advice on what to use instead.

    Parameters
    ----------
    start : bytes
        First bytes of the file, 512 or more.
    path : Path
        The file, for messages.
    table : str
        What was expected, for messages.

    Raises
    ------
    InputError
        If it is such a file.
    """
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(f"{path} is a workbook or an archive; save {table} as CSV and use that file.")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        raise InputError(
            f"{path} is not a table (it seems to be JSON); save {table} as CSV and use that file."
        )
    if start.startswith(b"\x1f\x8b"):
        raise InputError(f"{path} is compressed (gzip); unpack it and use the file in it.")
    if start.startswith(b"PAR1") and b"\0" in start:  # otherwise, a table whose first column has this name
        raise InputError(f"{path} is a Parquet file; save {table} as CSV and use that file.")


def _decoded(path: Path, layout: _Layout) -> pd.DataFrame:
    """Parse a table in its encoding, or in an older one if only its later lines show that it is not Unicode."""
    with suppress(UnicodeDecodeError):
        return _values(path, layout)
    with suppress(UnicodeDecodeError):
        return _values(path, replace(layout, encoding=legacy_encoding(path.read_bytes())))
    return _values(path, replace(layout, encoding="latin-1"))  # accepts every byte


def _values(path: Path, layout: _Layout) -> pd.DataFrame:
    """Parse a table; numbers such as 749 and 1.272 are left as text, which tells thousands from decimals."""
    values = _parse(path, layout)
    doubtful = [name for name in values if may_have_thousands(values[name])]
    return _parse(path, layout, doubtful) if doubtful else values


def _parse(path: Path, layout: _Layout, as_text: Sequence[str] = ()) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path,
            sep=layout.separator or r"\s+",
            encoding=layout.encoding,
            header=None,
            names=layout.names,
            skiprows=layout.first_line - 1,
            index_col=False,
            skipinitialspace=True,
            keep_default_na=False,
            na_values=_MISSING,
            dtype=dict.fromkeys(as_text, str),
            decimal=layout.decimal if layout.separator != "," else ".",
            low_memory=False,
        )
    except UnicodeDecodeError:
        raise
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise InputError(f"{path} cannot be read as a table: {reason(error)}.") from error


def _tidy(values: pd.DataFrame, decimal: str) -> pd.DataFrame:
    """Keep records only, strip text, parse numbers that are still text, and drop columns without name and values."""
    values = records_only(values)
    for name in values.columns:
        if pd.api.types.is_numeric_dtype(values[name]):
            continue
        text = values[name].astype(object).where(values[name].notna(), None)
        text = text.map(lambda value: from_csv_text(value.strip()) if isinstance(value, str) else value)
        numbers = as_numbers(text, decimal)
        values[name] = text if numbers is None else numbers
    empty = [name for name in values if str(name).startswith("Unnamed:") and values[name].isna().all()]
    return values.drop(columns=empty)


def _layout(head: bytes, whole: bool, path: Path) -> _Layout:
    encoding = _encoding(head, path)
    text = head.decode(encoding, "ignore")
    lines = text.splitlines()
    if not whole and lines:
        lines.pop()  # truncated
    if not text.strip():
        raise InputError(f"{path} is empty; expected a table.")
    if not lines:
        raise InputError(
            f"{path} begins with a line of more than {_HEAD:,} bytes, which cannot be the header of a table."
        )
    fixed = re.fullmatch(r'"?sep=(.)"?\s*', lines[0], re.IGNORECASE)
    at, separator = _header(lines, fixed[1] if fixed else None, 1 if fixed else 0, path)
    names = _names(lines[at], separator)
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{path} has {len(names):,} columns; expected a table of at most {MAX_COLUMNS:,}.")
    below = [(i, _split(lines[i], separator)) for i in range(at + 1, min(len(lines), at + _SAMPLE))]
    below = [(i, row) for i, row in below if any(row) and not _is_comment(lines[i])]
    rows = [row for _, row in below]
    decimal = decimal_mark(cell for row in rows for cell in row)
    extra = _extra_header_rows(rows, len(names), decimal)
    names = _named(_joined_names([names, *rows[:extra]]), rows[extra:])
    units = {name: found[2].strip() for name in names if (found := _UNIT.match(name)) and found[2].strip()}
    for name, cell in zip(names, rows[extra - 1] if extra else [], strict=False):
        if (found := _UNIT.match(cell)) and not found[1]:
            units[name] = found[2].strip()
        elif is_unit(cell) and cell != name:
            units[name] = cell
    first = below[extra][0] if extra < len(below) else at + 1 + extra
    return _Layout(encoding, separator, names, units, first + 1, decimal)


def _encoding(head: bytes, path: Path) -> str:
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in head:
        for encoding, zeros in (("utf-16-le", head[1:200:2]), ("utf-16-be", head[0:200:2])):
            if zeros.count(0) > 0.9 * len(zeros):
                return encoding
        raise InputError(f"{path} is not a text file; expected a table of delimited text.")
    try:
        head[: max(0, len(head) - 4)].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 8:
            return legacy_encoding(head)
    return "utf-8"


def _split(line: str, separator: str) -> list[str]:
    if not separator:
        return line.split()
    try:
        row = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a field of more than 128 KiB
        row = line.split(separator)
    return [cell.strip() for cell in row]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(COMMENTS)


def _names(line: str, separator: str) -> list[str]:
    """Return the column names in a line, which may be a comment."""
    return _split(line.lstrip().lstrip("#%/") if _is_comment(line) else line, separator)


def _header(lines: list[str], fixed: str | None, start: int, path: Path) -> tuple[int, str]:
    """Return the line of the column names, counted from 0, and the delimiter ("" for white space)."""
    candidates = [i for i in range(start, min(len(lines), start + _SEARCHED)) if lines[i].strip()]
    for i in candidates:
        if _is_comment(lines[i]):
            continue
        below = [line for line in lines[i + 1 : i + 6] if line.strip() and not _is_comment(line)]
        best = (1, "")
        for separator in [fixed] if fixed else [";", "\t", ",", "|", ""]:
            width = len(_split(lines[i], separator))
            others = [len(_split(line, separator)) for line in below]
            regular = all(abs(other - width) <= 1 for other in others) and (others or i == candidates[0])
            if regular and width > best[0] + (2 if separator == "" and best[0] > 1 else 0):
                best = width, separator
        if best[0] > 1:
            if i > candidates[0] and all(NUMBER.fullmatch(cell) for cell in _split(lines[i], best[1])):
                above = candidates[candidates.index(i) - 1]
                if _is_comment(lines[above]) and len(_names(lines[above], best[1])) == best[0]:
                    return above, best[1]  # names in a comment, as NumPy's savetxt writes them
                break  # the first row of values, which differ in number from the names above
            return i, best[1]
    shown = lines[candidates[0]][:60] if candidates else ""
    raise InputError(
        f"{path} cannot be read as a table: no line of column names is followed by rows with as many values "
        f"(it begins with {shown!r})."
    )


def _named(names: list[str], rows: list[list[str]]) -> list[str]:
    """Make column names unique, and add a name if rows have one value more than the header."""
    longer = [row for row in rows if len(row) == len(names) + 1]
    if rows and 2 * len(longer) > len(rows):
        # A delimiter at the end of each row, R's row names, or, as btrack writes it, a property without a name.
        numbered = len({row[0] for row in longer}) == len(longer)
        names = ["row", *names] if numbered and any(row[-1] for row in longer) else [*names, ""]
    seen: dict[str, int] = {}
    unique = []
    for i, name in enumerate(names):
        name = name.strip().strip("\ufeff") or f"Unnamed: {i}"
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return unique


def _joined_names(header: list[list[str]]) -> list[str]:
    """Return one name per column, given the rows of the header.

    If the first row has a name over several columns, as "Nuclei" or "Spot position", repeated or in merged cells, the
    first row that names every column is used, or else both names together.
    """
    first, *others = header
    if not others or (len(set(first)) == len(first) and "" not in first[1:]):
        return first
    width = max(k + 1 for k, name in enumerate(first) if name)
    for row in others:
        filled = [name for name in row if name]
        if len(set(filled)) == len(filled) >= width and filled == row[: len(filled)]:
            return [*row, *first[len(row) :]]
    below = [*others[0], *[""] * len(first)]
    for k in range(1, len(first)):
        if not first[k] and below[k]:  # of merged cells, only the first has the name
            first[k] = first[k - 1]
    return [f"{name} {part}".strip() for name, part in zip(first, below, strict=False)]


def _extra_header_rows(rows: list[list[str]], width: int, decimal: str) -> int:
    """Return how many rows below the names are long names or units rather than values."""

    def kind(cell: str) -> float:
        return np.nan if cell in _MISSING else float(is_number(cell, decimal))

    if len(rows) < 2:
        return 0
    table = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        table[i, : min(len(row), width)] = [kind(cell) for cell in row[:width]]
    last = table[max(1, min(3, len(rows) - 1)) :]
    filled = np.isfinite(last).any(axis=0)
    numeric = np.zeros(width, bool)
    numeric[filled] = np.nanmean(last[:, filled], axis=0) > 0.5
    extra = 0
    for row in table[: min(3, len(rows) - 1)]:
        cells = row[numeric]
        cells = cells[np.isfinite(cells)]
        if len(cells) < 2 or cells.any():
            break
        extra += 1
    return extra
