"""Inputs of a law that favour one class in some cells and the other class in others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from morpholaw.display import capitalised, percent
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law

STEP = 1e-3
"""Change of an input, as a share of its range, with which its effect on the score is measured."""


class Shares(NamedTuple):
    """Shares of cells in which a larger value of an input raises the score of a law, and in which it lowers it."""

    raises: float
    lowers: float


def shares_of_effects(law: Law, cells: FeatureTable, name: str, limits: tuple[float, float]) -> Shares:
    """Return how often an input of a law favours each class.

    Parameters
    ----------
    law : Law
        The law, over inputs in units.
    cells : FeatureTable
        Inputs of the cells, in units.
    name : str
        The input.
    limits : (float, float)
        Range of the input.

    Returns
    -------
    Shares
        Cells in which the input changes nothing are in neither share.
    """
    column, step = law.names.index(name), STEP * (limits[1] - limits[0])
    values = np.asarray(cells.select(law.names), dtype=np.float64)
    higher, lower = values.copy(), values.copy()
    higher[:, column] += step
    lower[:, column] -= step
    above, below = (law.score(FeatureTable(moved, law.names)) for moved in (higher, lower))
    known = ~(np.isnan(above) | np.isnan(below))
    if not known.any():
        return Shares(0.0, 0.0)
    return Shares(float(np.mean((above > below)[known])), float(np.mean((above < below)[known])))


def effects_text(inputs: list[tuple[str, Shares]], classes: tuple[str, str]) -> str:
    """Return a sentence on inputs that can favour either class, or "" if none of them changes a score.

    Parameters
    ----------
    inputs : list of (str, Shares)
        What each input is called, and how often larger values raise and lower the score.
    classes : (str, str)
        The classes of a negative and of a positive score.
    """
    negative, positive = classes
    clauses = []
    for name, (raises, lowers) in inputs:
        often = [(one, share) for one, share in ((positive, raises), (negative, lowers)) if share]
        shares = [
            f"{one} in {'all' if share == 1 else percent(share, 0) + ' of the'} cells" for one, share in often
        ]
        if raises + lowers == 1 and len(often) == 2:
            shares[1] = f"{negative} in the others"
        if often:
            clauses.append(f"larger values of {name} favour {' and '.join(shares)}")
    return f"{capitalised('; '.join(clauses))}." if clauses else ""
