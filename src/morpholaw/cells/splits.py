"""Splits that do not leak: a group of cells (a track's lineage, a movie) is whole on one side.

A random split of tracked crops puts the next frame of a training cell into the test set. Here groups are
visited in an order that depends on the seed and on each group's own name only, so that the split is the same
for any order of the rows and hardly moves when cells are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from morpholaw.errors import InputError


def grouped_split(
    groups: Sequence[Any] | np.ndarray,
    labels: Sequence[Any] | np.ndarray,
    test_fraction: float = 0.1,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Split labelled cells into training and test, whole groups at a time, each class near its share.

    Parameters
    ----------
    groups, labels : sequences of length n
        Which cells belong together, and their classes; cells with the label "" are on neither side.
    test_fraction : float
        Share of each class to keep for testing; met as closely as whole groups allow.
    seed : int
        Another seed, another split.

    Returns
    -------
    train, test : ndarray, int64
        Sorted indices into ``groups``.

    Raises
    ------
    InputError
        When there are fewer than two classes, or no split has every class on both sides.
    """
    if not 0 < test_fraction < 1:
        raise InputError(f"The test fraction is {test_fraction}; expected a number between 0 and 1.")
    cells, member, shares, classes = _shares(groups, labels, seed, least=2)
    testing = np.zeros(len(shares), dtype=bool)
    share = np.zeros(len(classes))
    for g in range(len(shares)):  # in hash order: take a group if the test shares come closer to the goal
        closer = _distance(share + shares[g], test_fraction) < _distance(share, test_fraction)
        if closer and (share + shares[g] < 1 - 1e-9).all():
            testing[g], share = True, share + shares[g]
    for c in np.flatnonzero(share <= 0):  # every group of this class was too large: take the least bad
        allowed = np.flatnonzero((shares[:, c] > 0) & ~testing & (share + shares < 1 - 1e-9).all(axis=1))
        if len(allowed) == 0:
            raise InputError(
                f"No split keeps cells of class {classes[c]!r} on both sides: its cells share their groups "
                "(tracks, movies) with all cells of another class; label cells in more groups."
            )
        best = min(allowed, key=lambda g: _distance(share + shares[g], test_fraction))
        testing[best], share = True, share + shares[best]
    in_test = testing[member]
    return cells[~in_test], cells[in_test]


def grouped_folds(
    groups: Sequence[Any] | np.ndarray, labels: Sequence[Any] | np.ndarray, k: int = 5, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cross-validation: ``k`` pairs (train, test) of sorted indices; each labelled cell is tested once.

    Groups go, largest first, to the fold that stays closest to a k-th of every class.

    Raises
    ------
    InputError
        When a class has fewer than ``k`` groups.
    """
    if k < 2:
        raise InputError(f"Cross-validation needs at least 2 folds, not {k}.")
    cells, member, shares, classes = _shares(groups, labels, seed, least=k)
    load = np.zeros((k, len(classes)))
    fold_of = np.zeros(len(shares), dtype=np.int64)
    for g in np.argsort(-shares.max(axis=1), kind="stable"):
        growth = ((load + shares[g]) ** 2 - load**2).sum(axis=1)
        fold_of[g] = int(np.argmin(growth))
        load[fold_of[g]] += shares[g]
    if (load <= 0).any() or (load >= 1 - 1e-9).any():
        raise InputError(
            f"The groups cannot be dealt into {k} folds with every class in each; use fewer folds."
        )
    return [(cells[fold_of[member] != fold], cells[fold_of[member] == fold]) for fold in range(k)]


def split_fingerprint(test_groups: Iterable[Any]) -> str:
    """Twelve hexadecimal digits that name a split by the groups it tests on, in any order."""
    text = "\0".join(sorted({str(group) for group in test_groups}))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _shares(
    groups: Sequence[Any] | np.ndarray, labels: Sequence[Any] | np.ndarray, seed: int, least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Labelled cells, the group number of each in hash order, each group's share of each class, classes."""
    groups, labels = np.asarray(groups).astype(str), np.asarray(labels).astype(str)
    if groups.shape != labels.shape or groups.ndim != 1:
        raise InputError(
            f"There are {groups.shape} groups and {labels.shape} labels; expected one of each a cell."
        )
    cells = np.flatnonzero(labels != "")
    classes, class_of = np.unique(labels[cells], return_inverse=True)
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if len(classes) else "none"
        raise InputError(f"A split needs labelled cells of at least two classes; found {found}.")
    names, group_of = np.unique(groups[cells], return_inverse=True)
    place = np.argsort([hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest() for name in names])
    rank = np.empty(len(names), dtype=np.int64)
    rank[place] = np.arange(len(names))
    member = rank[group_of]
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (member, class_of), 1)
    for c, name in enumerate(classes):
        if (found_groups := int((counts[:, c] > 0).sum())) < least:
            raise InputError(
                f"The class {name!r} comes from {found_groups} group{'s' * (found_groups != 1)} of cells "
                f"(tracks, movies); at least {least} are needed, as a group is never split."
            )
    return cells, member, counts / counts.sum(axis=0), [str(name) for name in classes]


def _distance(share: np.ndarray, goal: float) -> float:
    return float(((share - goal) ** 2).sum())
