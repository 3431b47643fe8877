"""Grouped cross-validation: the models of each fold are trained without its groups and tested on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from morpholaw.cells.splits import grouped_folds
from morpholaw.config.classifier import FOLDS
from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import accuracy_interval, precision_interval
from morpholaw.evaluation.estimate import TAILS, Estimate
from morpholaw.evaluation.metrics import balanced_accuracy

PREVALENCE = 0.02
"""Default prevalence of the second class, which is about the share of cells in metaphase in a movie."""


@dataclass(frozen=True)
class Design:
    """Design of a cross-validation.

    Attributes
    ----------
    folds : int
        Number of folds.
    repeats : int
        Number of repetitions, each with a different assignment of groups to folds.
    trials : int
        Number of trials to tune scheme 3 within the training groups of each fold; 0 for no tuning.
    shuffled : bool
        Shuffle the labels of all cells first, as a control whose accuracy should be at chance.
    prevalence : float
        Prevalence of the second of two classes for which precision is reported.
    """

    folds: int = FOLDS
    repeats: int = 1
    trials: int = 0
    shuffled: bool = False
    prevalence: float = PREVALENCE

    @property
    def tests(self) -> int:
        """Number of folds in all repetitions."""
        return self.folds * self.repeats

    def __post_init__(self) -> None:
        """Check the values."""
        if self.repeats < 1:
            raise InputError(f"Cross-validation needs at least one repeat, not {self.repeats}.")
        if self.trials < 0:
            raise InputError(f"Tuning needs at least one trial, or 0 for no tuning, not {self.trials}.")
        if not 0 < self.prevalence < 1:
            raise InputError(f"The prevalence must be a share between 0 and 1, not {self.prevalence:g}.")


@dataclass(frozen=True)
class Fold:
    """A fold of a cross-validation.

    Attributes
    ----------
    repeat, number : int
        Number of the repetition and of the fold, from 1.
    train, test : ndarray, int64
        Rows of the training cells and of the test cells.
    """

    repeat: int
    number: int
    train: np.ndarray
    test: np.ndarray


def folds(
    groups: np.ndarray, targets: np.ndarray, count: int = 5, repeats: int = 1, seed: int = 0
) -> Iterator[Fold]:
    """Yield the folds of each repetition, without dividing groups.

    Parameters
    ----------
    groups, targets : ndarray, (n,)
        Group and class of each cell.
    count : int
        Number of folds.
    repeats : int
        Number of repetitions, each with a different assignment of groups to folds.
    seed : int
        Seed of the first repetition; the following ones are incremented.

    Yields
    ------
    Fold
        Training cells and test cells.

    Raises
    ------
    InputError
        If a class has fewer groups than there are folds, or there is no repetition.
    """
    if repeats < 1:
        raise InputError(f"Cross-validation needs at least one repeat, not {repeats}.")
    labels = np.asarray(targets).astype(str)
    for repeat in range(repeats):
        for number, (train, test) in enumerate(grouped_folds(groups, labels, count, seed + repeat), 1):
            yield Fold(repeat + 1, number, train, test)


def shuffled_targets(groups: np.ndarray, targets: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return shuffled targets as a control.

    If all cells of each group have the same class, classes are shuffled between groups; otherwise between cells.

    Parameters
    ----------
    groups, targets : ndarray, (n,)
        Group and class of each cell.
    seed : int
        Seed of the shuffling.

    Returns
    -------
    ndarray, int64 (n,)
        Shuffled targets.
    """
    rng = np.random.default_rng(seed)
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    of_group = targets[first]
    shuffled: np.ndarray = (
        rng.permutation(of_group)[group] if (of_group[group] == targets).all() else rng.permutation(targets)
    )
    return shuffled


class CrossValidation:
    """Results of a cross-validation: predictions for all cells by models that were trained without their groups.

    Parameters
    ----------
    groups, targets : ndarray, (n,)
        Group and class of each cell.
    prevalence : float
        Prevalence of the second of two classes for which precision is reported.
    classes : sequence of str
        Names of the classes; by default their numbers.
    """

    def __init__(
        self,
        groups: np.ndarray,
        targets: np.ndarray,
        prevalence: float = PREVALENCE,
        classes: Sequence[str] = (),
    ) -> None:
        self.groups, self.targets = np.asarray(groups), np.asarray(targets)
        self.classes = tuple(classes) or tuple(map(str, np.unique(self.targets)))
        self.prevalence = prevalence
        self._folds: dict[str, list[tuple[Fold, np.ndarray]]] = {}

    def add(self, name: str, fold: Fold, predicted: np.ndarray) -> None:
        """Add the predictions of a method for the test cells of a fold.

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
        """Names of the methods."""
        return list(self._folds)

    @property
    def tested(self) -> int:
        """Number of folds that are tested, in all repetitions."""
        return max(map(len, self._folds.values()), default=0)

    def correct(self, name: str) -> np.ndarray:
        """Return the share of models that classify each cell correctly.

        Parameters
        ----------
        name : str
            The method.

        Returns
        -------
        ndarray, float64 (repeats, n)
            Shares; NaN for cells that were not tested.
        """
        repeats = max(fold.repeat for fold, _ in self._folds[name])
        table = np.full((repeats, len(self.targets)), np.nan)
        for fold, predicted in self._folds[name]:
            table[fold.repeat - 1, fold.test] = (predicted == self.targets[fold.test]).mean(axis=0)
        return table

    def _mean_correct(self, name: str) -> np.ndarray:
        """Return the mean of `correct` over the repetitions, float64 (n,); NaN for cells that were not tested."""
        table = self.correct(name)
        tested = np.isfinite(table).any(axis=0)
        mean = np.full(len(tested), np.nan)
        mean[tested] = np.nanmean(table[:, tested], axis=0)
        return mean

    def estimate(self, name: str, balanced: bool = True) -> Estimate:
        """Return the accuracy of a method over all cells, repetitions and models.

        The confidence interval is over groups, and at least as wide as Student's over the folds of a repetition,
        because the cells of a fold share their models. Repetitions are not resampled, as they have the same cells.

        Parameters
        ----------
        name : str
            The method.
        balanced : bool
            Return the balanced accuracy.
        """
        mean = self._mean_correct(name)
        tested = np.isfinite(mean)
        targets = self.targets[tested] if balanced else None
        interval = accuracy_interval(mean[tested], self.groups[tested], targets)
        half = self._half_over_folds(name, balanced)
        low, high = interval.value - half, interval.value + half
        return Estimate(interval.value, max(0.0, min(interval.low, low)), min(1.0, max(interval.high, high)))

    def _half_over_folds(self, name: str, balanced: bool) -> float:
        """Return half the width of Student's interval of the mean over the folds; the mean over the repetitions."""
        accuracies: dict[int, list[float]] = {}
        for fold, predicted in self._folds[name]:
            targets = self.targets[fold.test]
            share = np.mean(predicted == targets)
            if balanced:
                share = np.mean([balanced_accuracy(targets, one) for one in predicted])
            accuracies.setdefault(fold.repeat, []).append(float(share))
        halves = [
            stdtrit(len(values) - 1, TAILS[1]) * np.std(values, ddof=1) / np.sqrt(len(values))
            for values in accuracies.values()
            if len(values) > 1
        ]
        return float(np.mean(halves)) if halves else 0.0

    def precision(self, name: str) -> Estimate | None:
        """Return the precision for the second class at the prevalence; None if there are not two classes.

        Parameters
        ----------
        name : str
            The method.
        """
        mean = self._mean_correct(name)
        tested = np.isfinite(mean)
        if set(np.unique(self.targets[tested])) != {0, 1}:
            return None
        return precision_interval(mean[tested], self.groups[tested], self.targets[tested], self.prevalence)

    def table(self) -> pd.DataFrame:
        """Return a table of the results per fold and for all folds.

        Returns
        -------
        DataFrame
            One row per method and fold, and one per method for all folds (``fold`` is "all"). See
            :meth:`morpholaw.Study.cross_validate` for the columns. Only rows for all folds have a precision.
        """
        rows = []
        for name in self.names:
            for fold, predicted in self._folds[name]:
                right = (predicted == self.targets[fold.test]).mean(axis=0)
                rows.append(self._row(name, fold, len(predicted), right))
            rows.append(self._summary(name))
        return pd.DataFrame(rows)

    def by_group(self) -> pd.DataFrame:
        """Return a table with one row per method and group: classifier, group, cells, accuracy."""
        rows = []
        for name in self.names:
            mean = self._mean_correct(name)
            for group in np.unique(self.groups):
                in_group = (self.groups == group) & np.isfinite(mean)
                if in_group.any():
                    cells, share = int(in_group.sum()), float(mean[in_group].mean())
                    rows.append({"classifier": name, "group": group, "cells": cells, "accuracy": share})
        return pd.DataFrame(rows)

    def confusion(self) -> pd.DataFrame:
        """Return a table with one row per method, class and predicted class: classifier, class, predicted, cells.

        A cell is counted once per model and repetition.
        """
        rows = []
        for name in self.names:
            counts = np.zeros((len(self.classes), len(self.classes)), np.int64)
            for fold, predicted in self._folds[name]:
                np.add.at(counts, (np.broadcast_to(self.targets[fold.test], predicted.shape), predicted), 1)
            for (true, called), cells in np.ndenumerate(counts):
                pair = {"class": self.classes[true], "predicted": self.classes[called], "cells": int(cells)}
                rows.append({"classifier": name, **pair})
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
        tested = np.isfinite(self._mean_correct(name))
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
