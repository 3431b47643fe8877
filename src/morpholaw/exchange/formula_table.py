"""Export of tables of cells with laws as spreadsheet formulas (CSV, for Excel and LibreOffice Calc)."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from morpholaw import escape
from morpholaw.cells.files import write_bytes
from morpholaw.interpretation.class_regions import read_inputs
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classes import UNDEFINED
from morpholaw.models.expressions.spreadsheet import column_letters, largest_of, to_spreadsheet
from morpholaw.models.law import Law


def write_law_table(
    path: str | os.PathLike[str],
    law: Law,
    classes: tuple[str, str],
    values: np.ndarray,
    about: Mapping[str, Sequence[str]],
) -> Path:
    """Write a table of cells with formulas for the score and the class of a law.

    Parameters
    ----------
    path : path
        File to write.
    law : Law
        Law over inputs in units.
    classes : tuple of str
        Names of the negative (f < 0) and the positive class (f >= 0).
    values : ndarray
        Values of the law's inputs, (n, inputs), in the order of its columns.
    about : mapping
        Further text columns, such as labels, by title; they are escaped so that spreadsheets do not read them as
        formulas.

    Returns
    -------
    Path
    """
    used = law.expression.variables()
    columns = {name: column_letters(len(about) + k) for k, name in enumerate(used)}

    def formulas(row: int) -> list[str]:
        return [to_spreadsheet(law.expression, kind, columns, row) for kind in (None, classes)]

    return _write(path, used, values, about, ("f", "class"), formulas)


def write_class_laws_table(
    path: str | os.PathLike[str], laws: ClassLaws, values: np.ndarray, about: Mapping[str, Sequence[str]]
) -> Path:
    """Write a table of cells with formulas for the score of each class and the predicted class.

    Parameters
    ----------
    path : path
        File to write.
    laws : ClassLaws
        Laws over inputs in units.
    values : ndarray
        Values of the inputs of all laws, (n, inputs), in the order of their columns.
    about : mapping
        Further text columns, such as labels, by title; they are escaped so that spreadsheets do not read them as
        formulas.

    Returns
    -------
    Path
    """
    used = read_inputs(laws)
    columns = {name: column_letters(len(about) + k) for k, name in enumerate(used)}
    scores = [column_letters(len(about) + len(used) + k) for k in range(len(laws.classes))]

    def formulas(row: int) -> list[str]:
        each = [to_spreadsheet(law.expression, None, columns, row) for law in laws.laws.values()]
        return [*each, largest_of(laws.classes, scores, row)]

    titles = [escape.csv_text(f"f {name}") for name in laws.classes]
    return _write(path, used, values, about, (*titles, "class"), formulas)


def _write(
    path: str | os.PathLike[str],
    inputs: Sequence[str],
    values: np.ndarray,
    about: Mapping[str, Sequence[str]],
    titles: Sequence[str],
    formulas: Callable[[int], list[str]],
) -> Path:
    """Write the text columns, the inputs, and the formulas under ``titles``; ``formulas`` takes row numbers from 2."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*map(escape.csv_text, about), *inputs, *titles])
    texts = [[escape.csv_text(one) for one in column] for column in about.values()]
    for k, row in enumerate(values):
        numbers = [repr(float(value)) if np.isfinite(value) else "" for value in row]
        written = [""] * (len(titles) - 1) + [UNDEFINED]  # an empty cell would count as 0
        if np.isfinite(row).all():
            written = formulas(k + 2)
        writer.writerow([*(column[k] for column in texts), *numbers, *written])
    return write_bytes(Path(path), stream.getvalue().encode("utf-8-sig"))
