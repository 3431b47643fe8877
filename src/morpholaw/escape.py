"""Escaping of text from files and people for the syntax into which it is written.

Names of classes, latents, sets and files may come from studies of others. All text that is written as source code,
Markdown, HTML, CSV or a file name passes through one of these functions once, where it is written.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from markupsafe import Markup
from markupsafe import escape as _escape_html

if TYPE_CHECKING:
    import pandas as pd

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp"}  # controls, bidirectional overrides, line and paragraph separators
_MARKDOWN = (
    (re.compile(r"([\\`*_\[\]])"), r"\\\1"),
    (re.compile(r"([&<>|~$])"), lambda match: f"&#{ord(match[1])};"),
    (re.compile(r":(?=/)"), "&#58;"),  # https://... is a link by itself
    (re.compile(r"(?<=www)\.", re.IGNORECASE), r"\\."),
    (re.compile(r"(?<=\w)@(?=\w)"), "&#64;"),
    (re.compile(r"^="), "&#61;"),
    (re.compile(r"^([#+-])"), r"\\\1"),  # headings and lists
    (re.compile(r"^(\d+)([.)])(?=\s|$)"), r"\1\\\2"),
)
"""Characters with a meaning in Markdown and their replacements, in order."""
_FORMULA = ("=", "+", "-", "@")
"""First characters that make a spreadsheet interpret a cell as a formula."""
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{k}" for port in ("com", "lpt") for k in range(1, 10))}
_LONGEST_NAME = 100  # bytes of a file name, well below the 255 that file systems allow


def is_text(text: str) -> bool:
    """Return whether text can be saved and displayed: it has no lone surrogates (invalid in UTF-8) and no NUL."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def one_line(text: str) -> str:
    """Return text on one line without control, invisible or direction-changing characters and lone surrogates.

    Runs of white space become a single space.
    """
    if text.isascii() and text.isprintable():  # nearly all names, and a hundred times faster
        return " ".join(text.split())
    visible = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs":
            visible.append(_REPLACEMENT)
        else:
            visible.append(" " if category in _INVISIBLE else character)
    return " ".join("".join(visible).split())


def python_comment(text: str) -> str:
    """Return a ``#`` comment on one line, in ASCII so that no declared encoding can turn it into code."""
    return "# " + one_line(text).replace("\u2212", "-").encode("ascii", "backslashreplace").decode()


def markdown(text: str) -> str:
    """Return Markdown that renders as ``text`` on one line: no links, images, HTML or emphasis."""
    line = one_line(text)
    for pattern, replacement in _MARKDOWN:
        line = pattern.sub(replacement, line)
    return line


def html(text: str) -> Markup:
    """Return HTML that renders as ``text`` on one line."""
    return _escape_html(one_line(text))


def csv_text(text: str) -> str:
    """Return a CSV cell that no spreadsheet interprets as a formula; :func:`from_csv_text` reverses this."""
    line = one_line(text)
    return f"'{line}" if line.lstrip("'").startswith(_FORMULA) else line


def from_csv_text(text: str) -> str:
    """Return the original text of a cell made by :func:`csv_text`, on one line."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


def csv_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of a table with text and column names escaped by :func:`csv_text`; numbers are unchanged."""
    import numpy as np  # here, and pandas: panels open without them
    import pandas as pd

    columns = {}
    for name in table.columns:
        column = table[name]
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
            values = [csv_text(value) if isinstance(value, str) else value for value in column]
            column = pd.Series(np.array(values, dtype=object), index=table.index)
        columns[csv_text(str(name))] = column
    return pd.DataFrame(columns, index=table.index)


def file_name(text: str, default: str = "unnamed") -> str:
    """Return a name for a file or folder that is valid on every file system.

    Letters, digits, ``-``, ``_`` and inner dots are kept, in composed form (NFC) so that Macs and other systems agree;
    everything else becomes ``_``. The result never begins with a dot, as the program's temporary names do, and is not
    a reserved name on Windows.
    """
    composed = unicodedata.normalize("NFC", one_line(text))
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in composed).strip("._-")
    if safe.split(".")[0].lower() in _RESERVED:
        safe = f"file-{safe}"
    safe = safe.encode()[:_LONGEST_NAME].decode(errors="ignore").strip("._-")
    return safe or default
