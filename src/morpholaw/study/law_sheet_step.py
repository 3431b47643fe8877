"""Twenty cells of a study that show what a law does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morpholaw.cells.files import atomic_file
from morpholaw.display import significant
from morpholaw.errors import InputError
from morpholaw.figures.law_sheet import law_sheet as draw
from morpholaw.interpretation.sheet import Sheet, sheet_of
from morpholaw.models.classifier import Classifier
from morpholaw.store.law_reading import read_law
from morpholaw.store.study_folder import StudyFolder


@dataclass(frozen=True)
class LawSheet:
    """Cells of a study on a sheet.

    Attributes
    ----------
    rows : tuple of ndarray, uint8 (n, s, s)
        Crops, row by row.
    titles : tuple of str
        What each row shows.
    cells : tuple of ndarray, int64
        Their indices among the study's crops.
    labels : tuple of tuple of str
        Their classes, "" where unlabelled.
    scores : tuple of ndarray
        Scores of the law.
    """

    rows: tuple[np.ndarray, ...]
    titles: tuple[str, ...]
    cells: tuple[np.ndarray, ...]
    labels: tuple[tuple[str, ...], ...]
    scores: tuple[np.ndarray, ...]

    @property
    def captions(self) -> tuple[tuple[str, ...], ...]:
        """Index and score of each cell, and its label on a second line."""
        return tuple(
            tuple(
                f"#{cell}: {significant(score, 2)}\n{label}" for cell, label, score in zip(*row, strict=True)
            )
            for row in zip(self.cells, self.labels, self.scores, strict=True)
        )

    @property
    def numbers(self) -> tuple[tuple[str, ...], ...]:
        """The place of each cell on the sheet, from 1, and nothing else about it."""
        count = itertools.count(1)
        return tuple(tuple(str(next(count)) for _ in row) for row in self.cells)

    def shuffled(self) -> LawSheet:
        """Return the same cells in one order that says nothing, to be sorted by a person."""
        order = np.random.default_rng(0).permutation(sum(map(len, self.cells)))
        width = max(map(len, self.cells), default=1) or 1
        every = np.concatenate([row for row in self.rows if len(row)])[order]
        cells, scores = np.concatenate(self.cells)[order], np.concatenate(self.scores)[order]
        labels = [label for row in self.labels for label in row]
        parts = [slice(start, start + width) for start in range(0, len(order), width)]
        return LawSheet(
            tuple(every[part] for part in parts),
            ("",) * len(parts),
            tuple(cells[part] for part in parts),
            tuple(tuple(labels[k] for k in order[part]) for part in parts),
            tuple(scores[part] for part in parts),
        )


def law_sheet(
    folder: StudyFolder,
    classifier: Classifier,
    k: int = 0,
    class_name: str | tuple[str, str] | None = None,
) -> LawSheet:
    """Choose the labelled cells (all, where none is labelled) that show what law ``k`` does.

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
    """Refuse a file whose name does not say which kind of picture it is."""
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise InputError(f"A sheet is written to a file ending in .png, .pdf or .svg, not to {path.name}.")


def write(sheet: LawSheet, path: Path, numbered: bool = False) -> LawSheet:
    """Draw a sheet, with captions that describe each cell or ``numbered``, write it whole, and return it."""
    figure = draw(sheet.rows, sheet.titles, sheet.numbers if numbered else sheet.captions)
    with atomic_file(path) as stream:
        figure.savefig(stream, format=path.suffix[1:], dpi=150)
    return sheet
