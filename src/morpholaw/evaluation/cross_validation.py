"""Cross-validation over groups of cells: each fold's models are trained without its groups, and tested on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.cells.splits import grouped_folds
from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import accuracy_interval, precision_interval
from morpholaw.evaluation.estimate import Estimate

PREVALENCE = 0.02
"""Share of a movie's cells that are in metaphase, about, where nothing else is known."""


@dataclass(frozen=True)
class Design:
    """How a cross-validation is done.

    Attributes
    ----------
    folds, repeats : int
        Folds, and how often the groups are dealt anew.
    trials : int
        Trials of a search for scheme 3's settings within the training groups of each fold; 0: no search.
    shuffled : bool
        Whether labels are shuffled first, in training and test cells alike: a control, which is to be at chance.
    prevalence : float
        Share of cells of the second of two classes at which precision is given.
    """

    folds: int = 5
    repeats: int = 1
    trials: int = 0
    shuffled: bool = False
    prevalence: float = PREVALENCE

    def __post_init__(self) -> None:
        """Refuse a design that cannot be carried out."""
        if self.repeats < 1:
            raise InputError(f"Cross-validation needs at least one repeat, not {self.repeats}.")
        if self.trials < 0:
            raise InputError(f"A search needs at least one trial, or 0 for no search, not {self.trials}.")
        if not 0 < self.prevalence < 1:
            raise InputError(f"The prevalence must be a share between 0 and 1, not {self.prevalence:g}.")


@dataclass(frozen=True)
class Fold:
    """One fold.

    Attributes
    ----------
    repeat, number : int
        Counted from 1.
    train, test : ndarray, int64
        Rows of the cells.
    """

    repeat: int
    number: int
    train: np.ndarray
    test: np.ndarray


def folds(
    groups: np.ndarray, targets: np.ndarray, count: int = 5, repeats: int = 1, seed: int = 0
) -> Iterator[Fold]:
    """Yield the folds of each repeat; whole groups on one side, groups dealt differently in each repeat.

    Parameters
    ----------
    groups, targets : ndarray, (n,)
        Group and class of each cell.
    count, repeats : int
        Folds, and how often all cells are tested.
    seed : int
        Of the first repeat; the others follow.

    Raises
    ------
    InputError
        If a class has fewer groups than folds, or there is no repeat.
    """
    if repeats < 1:
        raise InputError(f"Cross-validation needs at least one repeat, not {repeats}.")
    labels = np.asarray(targets).astype(str)
    for repeat in range(repeats):
        for number, (train, test) in enumerate(grouped_folds(groups, labels, count, seed + repeat), 1):
            yield Fold(repeat + 1, number, train, test)


def shuffled_targets(groups: np.ndarray, targets: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return targets, int64 (n,), that have nothing to do with the cells.

    Whole groups exchange their class where each has only one, so that cells of a group stay alike; else cells do.

    Parameters
    ----------
    groups, targets : ndarray, (n,)
        Group and class of each cell.
    seed : int
        Of the shuffling.
    """
    rng = np.random.default_rng(seed)
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    of_group = targets[first]
    shuffled: np.ndarray = (
        rng.permutation(of_group)[group] if (of_group[group] == targets).all() else rng.permutation(targets)
    )
    return shuffled


class CrossValidation:
    """Predicted classes of all cells by models that were trained without their groups.

    Parameters
    ----------
    groups, targets : ndarray, (n,)
        Group and class of each cell.
    prevalence : float
        Share of cells of the second of two classes at which precision is given.
    """

    def __init__(self, groups: np.ndarray, targets: np.ndarray, prevalence: float = PREVALENCE) -> None:
        self.groups, self.targets = np.asarray(groups), np.asarray(targets)
        self.prevalence = prevalence
        self._folds: dict[str, list[tuple[Fold, np.ndarray]]] = {}

    def add(self, name: str, fold: Fold, predicted: np.ndarray) -> None:
        """Keep what the models of a method predict for the test cells of a fold, int (members, m) or (m,).

        Parameters
        ----------
        name : str
            The method.
        fold : Fold
            The fold.
        predicted : ndarray, int (members, m) or (m,)
            Predicted classes.
        """
        self._folds.setdefault(name, []).append((fold, np.atleast_2d(predicted)))

    @property
    def names(self) -> list[str]:
        """The methods."""
        return list(self._folds)

    def correct(self, name: str) -> np.ndarray:
        """Return whether each cell is right, (repeats, n): the share of a fold's models; NaN where not tested.

        Parameters
        ----------
        name : str
            The method.
        """
        repeats = max(fold.repeat for fold, _ in self._folds[name])
        table = np.full((repeats, len(self.targets)), np.nan)
        for fold, predicted in self._folds[name]:
            table[fold.repeat - 1, fold.test] = (predicted == self.targets[fold.test]).mean(axis=0)
        return table

    def estimate(self, name: str, balanced: bool = True) -> Estimate:
        """Return the accuracy of a method over all cells, repeats and models, with its interval over groups.

        Repeats are of the same cells: the groups alone are drawn anew, not the repeats.

        Parameters
        ----------
        name : str
            The method.
        balanced : bool
            Whether classes weigh the same.
        """
        mean = np.nanmean(self.correct(name), axis=0)
        tested = np.isfinite(mean)
        targets = self.targets[tested] if balanced else None
        return accuracy_interval(mean[tested], self.groups[tested], targets)

    def precision(self, name: str) -> Estimate | None:
        """Return the precision of the second class at the prevalence; None of other than two classes.

        Parameters
        ----------
        name : str
            The method.
        """
        mean = np.nanmean(self.correct(name), axis=0)
        tested = np.isfinite(mean)
        if set(np.unique(self.targets[tested])) != {0, 1}:
            return None
        return precision_interval(mean[tested], self.groups[tested], self.targets[tested], self.prevalence)

    def table(self) -> pd.DataFrame:
        """Return one row per method and fold, and one of all folds.

        Returns
        -------
        DataFrame
            classifier, repeat, fold, models, training_cells, test_cells, test_groups, accuracy, balanced_accuracy
            (means over the models), low, high (95 % interval of the balanced accuracy over groups), prevalence,
            precision, precision_low, precision_high. ``fold`` is "all" and ``repeat`` empty in the rows of all folds;
            only these have a precision: how many of the cells predicted to be of the second of two classes are, where
            ``prevalence`` of all cells is.
        """
        rows = []
        for name in self.names:
            for fold, predicted in self._folds[name]:
                right = (predicted == self.targets[fold.test]).mean(axis=0)
                rows.append(self._row(name, fold, len(predicted), right))
            rows.append(self._summary(name))
        return pd.DataFrame(rows)

    def by_group(self) -> pd.DataFrame:
        """Return one row per method and group: classifier, group, cells, accuracy."""
        rows = []
        for name in self.names:
            mean = np.nanmean(self.correct(name), axis=0)
            for group in np.unique(self.groups):
                own = (self.groups == group) & np.isfinite(mean)
                if own.any():
                    cells, share = int(own.sum()), float(mean[own].mean())
                    rows.append({"classifier": name, "group": group, "cells": cells, "accuracy": share})
        return pd.DataFrame(rows)

    def _row(self, name: str, fold: Fold, models: int, right: np.ndarray) -> dict[str, object]:
        groups, targets = self.groups[fold.test], self.targets[fold.test]
        balanced = accuracy_interval(right, groups, targets)
        return {
            "classifier": name,
            "repeat": fold.repeat,
            "fold": str(fold.number),
            "models": models,
            "training_cells": len(fold.train),
            "test_cells": len(fold.test),
            "test_groups": len(np.unique(groups)),
            "accuracy": float(right.mean()),
            "balanced_accuracy": balanced.value,
            "low": balanced.low,
            "high": balanced.high,
            "prevalence": None,
            "precision": None,
            "precision_low": None,
            "precision_high": None,
        }

    def _summary(self, name: str) -> dict[str, object]:
        balanced, plain = self.estimate(name), self.estimate(name, balanced=False)
        tested = np.isfinite(np.nanmean(self.correct(name), axis=0))
        precision = self.precision(name)
        return {
            "classifier": name,
            "repeat": None,
            "fold": "all",
            "models": sum(len(predicted) for _, predicted in self._folds[name]),
            "training_cells": None,
            "test_cells": int(tested.sum()),
            "test_groups": len(np.unique(self.groups[tested])),
            "accuracy": plain.value,
            "balanced_accuracy": balanced.value,
            "low": balanced.low,
            "high": balanced.high,
            "prevalence": None if precision is None else self.prevalence,
            "precision": None if precision is None else precision.value,
            "precision_low": None if precision is None else precision.low,
            "precision_high": None if precision is None else precision.high,
        }
