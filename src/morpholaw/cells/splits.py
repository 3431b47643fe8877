"""Splits into training and test cells without leakage: a group (a lineage, a movie) is never divided.

A random split of tracked crops would put the next frame of a training cell into the test set. Here groups are visited
in an order that depends only on the seed and on each group's own name, so that the split does not depend on the order
of rows and changes little when cells are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from morpholaw.display import counted
from morpholaw.errors import InputError

_ATTEMPTS = 100  # starting groups to try if a class is missing on one side
_WHOLE = 1 - 1e-9  # share of a class that counts as all of it, up to rounding


def grouped_split(
    groups: Sequence[Any] | np.ndarray,
    labels: Sequence[Any] | np.ndarray,
    test_fraction: float = 0.1,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Split labelled cells into training and test cells in whole groups, stratified by class.

    Parameters
    ----------
    groups : sequence of length n
        Group of each cell.
    labels : sequence of length n
        Class of each cell; cells with the label "" are on neither side.
    test_fraction : float
        Share of each class held out for testing, met as closely as whole groups allow.
    seed : int
        Random seed.

    Returns
    -------
    train, test : ndarray of int64
        Sorted indices into ``groups``.

    Raises
    ------
    InputError
        If there are fewer than two classes, or no split has every class on both sides.
    """
    if not 0 < test_fraction < 1:
        raise InputError(f"The test fraction is {test_fraction}; expected a number between 0 and 1.")
    cells, member, shares, classes = _shares(groups, labels, seed, least=2)
    for turn in range(min(len(shares), _ATTEMPTS)):  # the first attempt nearly always succeeds
        testing = np.roll(_choose(np.roll(shares, -turn, axis=0), test_fraction), turn)
        missing = (shares[testing].sum(axis=0) <= 0) | (shares[~testing].sum(axis=0) <= 0)
        if not missing.any():
            break
    else:
        raise InputError(
            f"No split has cells of the class {classes[int(np.argmax(missing))]!r} on both sides: its groups "
            "(tracks, movies) are too few or contain all cells of another class; label cells in more groups."
        )
    in_test = testing[member]
    return cells[~in_test], cells[in_test]


def grouped_folds(
    groups: Sequence[Any] | np.ndarray, labels: Sequence[Any] | np.ndarray, k: int = 5, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split labelled cells into folds for cross-validation in whole groups; each labelled cell is tested once.

    Groups are assigned, large ones first, to the fold that stays closest to 1/k of every class. Groups within a factor
    of two in size are visited in an order that depends on the seed.

    Parameters
    ----------
    groups : sequence of length n
        Group of each cell.
    labels : sequence of length n
        Class of each cell; cells with the label "" are in no fold.
    k : int
        Number of folds.
    seed : int
        Random seed of the assignment.

    Returns
    -------
    list of tuple of ndarray
        Sorted int64 indices into ``groups``, as a pair (train, test) per fold.

    Raises
    ------
    InputError
        If a class has fewer than ``k`` groups.
    """
    if k < 2:
        raise InputError(f"Cross-validation needs at least 2 folds, not {k}.")
    cells, member, shares, classes = _shares(groups, labels, seed, least=k)
    load = np.zeros((k, len(classes)))
    fold_of = np.zeros(len(shares), dtype=np.int64)
    for g in np.argsort(-np.floor(np.log2(shares.max(axis=1))), kind="stable"):
        growth = ((load + shares[g]) ** 2 - load**2).sum(axis=1)
        fold_of[g] = int(np.argmin(growth))
        load[fold_of[g]] += shares[g]
    if (load <= 0).any() or (load >= _WHOLE).any():
        raise InputError(
            f"The groups cannot be divided into {k} folds with every class in each; use fewer folds."
        )
    return [(cells[fold_of[member] != fold], cells[fold_of[member] == fold]) for fold in range(k)]


def check_groups(groups: np.ndarray, labels: np.ndarray, classes: Sequence[str], least: int) -> None:
    """Check that every class has enough groups for a split or for folds, because groups are never divided.

    Parameters
    ----------
    groups, labels : ndarray of str, shape (n,)
        Group and class of each cell.
    classes : sequence of str
        Names of the required classes.
    least : int
        Required number of groups per class: 2 for a split, else the number of folds.

    Raises
    ------
    InputError
        If a class has fewer groups.
    """
    for name in classes:
        count = len(np.unique(groups[labels == name]))
        if not count:
            raise InputError(f"There is no labelled cell of the class {name!r}; label some, or leave it out.")
        if count < least:
            raise InputError(
                f"The class {name!r} comes from {counted(count, 'group')} of cells (tracks, movies), but at "
                f"least {least} are needed, because groups are never divided; label cells of other groups"
                f"{', or use fewer folds' * (least > 2)}."
            )


def split_fingerprint(test_groups: Iterable[Any]) -> str:
    """Return twelve hexadecimal digits that identify a split by its test groups, independent of their order.

    Parameters
    ----------
    test_groups : iterable
        Names of the test groups.

    Returns
    -------
    str
    """
    text = "\0".join(sorted({str(group) for group in test_groups}))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _shares(
    groups: Sequence[Any] | np.ndarray, labels: Sequence[Any] | np.ndarray, seed: int, least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Return labelled cells, their group numbers in hash order, each group's share of each class, and the classes."""
    groups, labels = np.asarray(groups).astype(str), np.asarray(labels).astype(str)
    if groups.shape != labels.shape or groups.ndim != 1:
        raise InputError(
            f"There are {groups.shape} groups and {labels.shape} labels; expected one of each per cell."
        )
    cells = np.flatnonzero(labels != "")
    classes, class_of = np.unique(labels[cells], return_inverse=True)
    if len(classes) < 2:
        present = f"only {str(classes[0])!r}" if len(classes) else "none"
        raise InputError(f"A split needs labelled cells of at least two classes; found {present}.")
    check_groups(groups[cells], labels[cells], classes.tolist(), least)
    names, group_of = np.unique(groups[cells], return_inverse=True)
    place = np.argsort([hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest() for name in names])
    rank = np.empty(len(names), dtype=np.int64)
    rank[place] = np.arange(len(names))
    member = rank[group_of]
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (member, class_of), 1)
    return cells, member, counts / counts.sum(axis=0), classes.tolist()


def _choose(shares: np.ndarray, goal: float) -> np.ndarray:
    """Return which groups to test on, bool (groups,), from each group's share of each class (groups, classes)."""
    chosen = np.zeros(len(shares), dtype=bool)
    total = np.zeros(shares.shape[1])
    for g, share in enumerate(shares):  # take a group if it brings the test shares closer to the goal
        closer = _distance(total + share, goal) < _distance(total, goal)
        if closer and (total + share < _WHOLE).all():
            chosen[g], total = True, total + share
    for c in range(
        len(total)
    ):  # a class with only large groups may still be missing; take the least bad group
        allowed = np.flatnonzero((shares[:, c] > 0) & (total + shares < _WHOLE).all(axis=1))
        if total[c] <= 0 and len(allowed):
            best = min(allowed, key=lambda g: _distance(total + shares[g], goal))
            chosen[best], total = True, total + shares[best]
    return chosen


def _distance(share: np.ndarray, goal: float) -> float:
    return float(((share - goal) ** 2).sum())
