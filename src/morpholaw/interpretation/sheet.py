"""Cells that show what a law does: the most typical of each side, and those nearest to its boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError

PER_ROW = 5


@dataclass(frozen=True)
class Sheet:
    """Four rows of cells of one law.

    Attributes
    ----------
    rows : tuple of ndarray, int64
        Places of the cells among the scores that were given: typical of the first class, nearest to the boundary on
        its side, nearest on the side of the second, typical of the second. Rows may be shorter than `PER_ROW`.
    titles : tuple of str
        What each row shows.
    """

    rows: tuple[np.ndarray, ...]
    titles: tuple[str, ...]


def sheet_of(scores: np.ndarray, classes: tuple[str, str]) -> Sheet:
    """Choose cells for a sheet.

    Typical are the cells whose score is nearest to the median score of their side; no cell is shown twice.

    Parameters
    ----------
    scores : ndarray, float64 (n,)
        Scores of the law; cells without a finite one are not shown.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.

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
        f"called {classes[0]}, nearest to the boundary",
        f"called {classes[1]}, nearest to the boundary",
        f"typically {classes[1]}",
    )
    return Sheet(tuple(np.asarray(row, np.int64) for row in rows), titles)
