"""Sheet of twenty cells of a study that illustrate a law."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morpholaw.cells.files import atomic_file
from morpholaw.errors import InputError
from morpholaw.figures.law_sheet import law_sheet as draw
from morpholaw.interpretation.sheet import LawSheet, Sheet, sheet_of
from morpholaw.models.classifier import Classifier
from morpholaw.store.law_reading import read_law
from morpholaw.store.study_folder import StudyFolder


def law_sheet(
    folder: StudyFolder,
    classifier: Classifier,
    k: int = 0,
    class_name: str | tuple[str, str] | None = None,
) -> LawSheet:
    """Choose labelled cells that illustrate law ``k``, or any cells if none are labelled.

    Raises
    ------
    InputError
        If there is no such law or class, the study has no crops, or the law has no value for any cell.
    """
    if not folder.sets:
        raise InputError(f"The study {folder.path} has no crops yet.")
    reading = read_law(folder, classifier, k, class_name)
    scores = reading.law.score(reading.cells)
    chosen: Sheet = sheet_of(scores, reading.classes)
    cells = tuple(reading.index[row] for row in chosen.rows)
    empty = np.zeros((0, *folder.crops[np.array([0])].shape[1:]), np.uint8)
    return LawSheet(
        tuple(folder.crops[row] if len(row) else empty for row in cells),
        chosen.titles,
        cells,
        tuple(tuple(map(str, reading.labels[row])) for row in chosen.rows),
        tuple(scores[row] for row in chosen.rows),
    )


def check_name(path: Path) -> None:
    """Raise if the suffix of a file is not that of a supported image format."""
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise InputError(f"A sheet is written to a file ending in .png, .pdf or .svg, not to {path.name}.")


def write(sheet: LawSheet, path: Path, numbered: bool = False) -> LawSheet:
    """Draw a sheet with captions or, if ``numbered``, only numbers, write it to a file, and return it."""
    figure = draw(sheet.rows, sheet.titles, sheet.numbers if numbered else sheet.captions)
    with atomic_file(path) as stream:
        figure.savefig(stream, format=path.suffix[1:], dpi=150)
    return sheet
