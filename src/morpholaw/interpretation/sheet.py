"""Choice of cells that illustrate a law: typical cells of each side, and cells closest to its boundary."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from morpholaw.display import significant
from morpholaw.errors import InputError

PER_ROW = 5


@dataclass(frozen=True)
class Sheet:
    """Four rows of cells that illustrate a law.

    Attributes
    ----------
    rows : tuple of ndarray, int64
        Indices of cells: typical of the first class, closest to the boundary on its side, closest on the side of the
        second class, typical of the second class. Rows can be shorter than `PER_ROW`.
    titles : tuple of str
        Title of each row.
    """

    rows: tuple[np.ndarray, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True)
class LawSheet:
    """Sheet of cells of a study that illustrate a law. Does not need torch.

    Attributes
    ----------
    rows : tuple of ndarray, uint8 (n, s, s)
        Crops of each row.
    titles : tuple of str
        Title of each row.
    cells : tuple of ndarray, int64
        Indices of the cells among the study's crops.
    labels : tuple of tuple of str
        Labels of the cells; "" for cells without a label.
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
        """Number of each cell on the sheet, from 1."""
        count = itertools.count(1)
        return tuple(tuple(str(next(count)) for _ in row) for row in self.cells)

    def shuffled(self) -> LawSheet:
        """Return the same cells in a fixed random order, for a person to sort."""
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


def sheet_of(scores: np.ndarray, classes: tuple[str, str]) -> Sheet:
    """Choose cells for a sheet.

    Typical cells are those whose score is closest to the median score of their side. No cell is chosen twice.

    Parameters
    ----------
    scores : ndarray, float64 (n,)
        Scores of the law. Cells without a finite score are ignored.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.

    Returns
    -------
    Sheet
        The cells.

    Raises
    ------
    InputError
        If no cell has a score.
    """
    finite = np.isfinite(scores)
    if not finite.any():
        raise InputError("The law has no value for any of the cells, so none can be shown.")
    chosen = []
    for positive in (False, True):
        side = np.flatnonzero(finite & ((scores >= 0) == positive))
        nearest = side[np.argsort(np.abs(scores[side]), kind="stable")]
        half = min(PER_ROW, len(side) // 2)
        near, rest = nearest[:half], nearest[half:]
        middle = np.median(scores[side]) if len(side) else 0.0
        typical = rest[np.argsort(np.abs(scores[rest] - middle), kind="stable")][:PER_ROW]
        chosen.append((typical, near))
    (typical_first, near_first), (typical_second, near_second) = chosen
    rows = (typical_first, near_first[::-1], near_second, typical_second)
    titles = (
        f"typically {classes[0]}",
        f"called {classes[0]}, closest to the boundary",
        f"called {classes[1]}, closest to the boundary",
        f"typically {classes[1]}",
    )
    return Sheet(tuple(np.asarray(row, np.int64) for row in rows), titles)
