"""The families of cells to draw, and their layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from morpholaw.evaluation.lineages import Lineages
    from morpholaw.figures.lineage_tree import Tree

MOST_CELLS = 40
"""Largest number of cells drawn, largest families first."""


@dataclass(frozen=True)
class Families:
    """Families of tracked cells, as they are drawn.

    Attributes
    ----------
    tree : Tree
        The cells.
    images : ndarray, int64 (n,)
        Global index of the crop of each image in the tree.
    points : ndarray, float (n, 2)
        Frame and level of each image in the figure.
    count : int
        Number of all families with a division, drawn or not.
    """

    tree: Tree
    images: np.ndarray
    points: np.ndarray
    count: int


def families(lineages: Lineages, of_crop: int | None) -> Families | None:
    """Return the family of one crop, or the largest families; None if the crop has no track.

    Parameters
    ----------
    lineages : Lineages
        Cells and families; the column ``index`` of its images is the global index of each crop.
    of_crop : int, optional
        Global index of the crop; None for the largest families.
    """
    from morpholaw.figures.lineage_tree import Tree, tree_levels

    images, cells = lineages.images, lineages.cells
    lineage = cells["lineage"].to_numpy()
    sizes = np.bincount(lineage, minlength=len(cells))
    if of_crop is None:
        # single cells are drawn only if no cell divides
        roots = np.flatnonzero(sizes > min(1, int(sizes.max()) - 1))
        roots = roots[np.argsort(-sizes[roots], kind="stable")]
        keep = roots[np.cumsum(sizes[roots]) <= MOST_CELLS]
        drawn = keep if len(keep) else roots[:1]
    else:
        row = np.flatnonzero(images["index"].to_numpy() == of_crop)
        if not len(row):
            return None
        drawn = lineage[[images["cell"].to_numpy()[row[0]]]]
    place = np.full(len(cells), len(cells))
    place[drawn] = np.arange(len(drawn))
    chosen = np.flatnonzero(np.isin(lineage, drawn))
    chosen = chosen[np.argsort(place[lineage[chosen]], kind="stable")]
    new_row = np.full(len(cells), -1)
    new_row[chosen] = np.arange(len(chosen))
    mother = cells["mother"].to_numpy()[chosen]
    mother = np.where(mother >= 0, new_row[mother], -1)
    shown = images[np.isin(images["cell"].to_numpy(), chosen)]
    tree = Tree(
        names=[str(track) for track in cells["track_id"].to_numpy()[chosen]],
        mother=mother,
        cell=new_row[shown["cell"].to_numpy()],
        frame=shown["t"].to_numpy(),
    )
    points = np.column_stack([tree.frame, tree_levels(mother)[tree.cell]]).astype(float)
    return Families(tree, shown["index"].to_numpy(np.int64), points, int((sizes > 1).sum()))
