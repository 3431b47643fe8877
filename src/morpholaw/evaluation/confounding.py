"""How well the crop set of a cell alone predicts its class.

If most cells of one class come from one movie and those of another class from another movie, a classifier may recognise
the movie. Its accuracy on held-out cells does not reveal this, because they come from the same movies.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np


class Confounding(NamedTuple):
    """How well the crop set alone tells two classes apart.

    Attributes
    ----------
    first, second : str
        The classes.
    accuracy : float
        Balanced accuracy of a guess from the crop set alone, in [0, 1]; 0.5 if sets do not matter.
    """

    first: str
    second: str
    accuracy: float


def confounded_pairs(
    sets: np.ndarray, groups: np.ndarray, labels: np.ndarray, least: float
) -> list[Confounding]:
    """Return the pairs of classes that the crop set alone tells apart, the most confounded pair first.

    A cell is guessed to be of the class with the larger share of its cells in the same set. The cells of its own group
    do not count, as a split never divides them: if whole movies are groups, held-out cells are of other movies, and
    nothing can be guessed.

    Parameters
    ----------
    sets, groups, labels : ndarray of str, shape (n,)
        Crop set, group (track, lineage or movie) and class of each cell.
    least : float
        Balanced accuracy from which a pair is returned, if its groups are too many for this to be chance.

    Returns
    -------
    list of Confounding
    """
    cells, n = np.unique(np.stack([labels, sets, groups], axis=1).astype(str), axis=0, return_counts=True)
    found = []
    for first, second in combinations(np.unique(cells[:, 0]).tolist(), 2):
        members = np.isin(cells[:, 0], (first, second))
        accuracy = _accuracy_of_sets(
            cells[members, 0] == second, cells[members, 1], cells[members, 2], n[members]
        )
        tracks = [len(np.unique(cells[cells[:, 0] == name, 2])) for name in (first, second)]
        if accuracy >= least and _is_significant(accuracy, 2 * min(tracks)):
            found.append(Confounding(first, second, accuracy))
    return sorted(found, key=lambda pair: -pair.accuracy)


def _is_significant(accuracy: float, groups: int) -> bool:
    from morpholaw.evaluation.metrics import wilson  # panels must not wait for scipy

    return wilson(accuracy, groups).low > 0.5


def _accuracy_of_sets(second: np.ndarray, sets: np.ndarray, groups: np.ndarray, n: np.ndarray) -> float:
    """Return the balanced accuracy of the guess, for ``n`` cells of each combination of class, set and group."""
    _, place = np.unique(sets, return_inverse=True)
    _, group = np.unique(groups, return_inverse=True)
    _, here = np.unique(np.stack([place, group], axis=1), axis=0, return_inverse=True)
    shares = []
    for own in (~second, second):
        count = n * own
        rest_of_set = np.bincount(place, count)[place] - np.bincount(here.ravel(), count)[here.ravel()]
        rest = count.sum() - np.bincount(group, count)[group]
        shares.append(rest_of_set / np.maximum(rest, 1))
    right = np.where(shares[0] == shares[1], 0.5, (shares[1] > shares[0]) == second)
    return float(np.mean([np.average(right[own], weights=n[own]) for own in (~second, second)]))
