"""Rows that laws of several classes learn from: all of them, and those of one class against the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from morpholaw.config import LawConfig
from morpholaw.config.law import MOST_COMPLEX_OF_CLASS
from morpholaw.events import Monitor
from morpholaw.models.features import FeatureTable
from morpholaw.training.class_balanced_rows import training_rows
from morpholaw.training.laws import law_candidates
from morpholaw.training.symbolic.engine import Candidate

FITTED_ROWS = 4_000
"""Maximum number of rows that scales and constants are fitted to."""


@dataclass(frozen=True)
class ClassLawRows:
    """What laws of several classes learn from.

    Attributes
    ----------
    features : FeatureTable
        Inputs of each row.
    targets : ndarray, int64 (n,)
        Class of each row.
    classes : int
        Number of classes.
    outputs : ndarray or None
        For the MSE loss: a network's logits, (n, classes).
    cells : ndarray or None
        Which cell each row is a view of, (n,).
    """

    features: FeatureTable
    targets: np.ndarray
    classes: int
    outputs: np.ndarray | None = None
    cells: np.ndarray | None = None

    @property
    def fitted(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and classes of the rows that laws are fitted to each other on."""
        stride = -(-len(self.targets) // FITTED_ROWS)
        return np.asarray(self.features.values, np.float64)[::stride], self.targets[::stride]

    def of_class(self, number: int, config: LawConfig) -> RowsAgainstTheRest:
        """Return the rows that a search for one class against the rest learns from, both sides equally often."""
        of_class = [np.flatnonzero(self.targets == one) for one in range(self.classes)]
        shares = [0.5 if one == number else 0.5 / (self.classes - 1) for one in range(self.classes)]
        rows = training_rows(of_class, shares, (config.seed, number), config.rows)
        own = self.targets[rows] == number
        odds = None if self.outputs is None else _of_both_signs(log_odds(self.outputs[rows], number), own)
        cells = rows if self.cells is None else self.cells[rows]
        return RowsAgainstTheRest(self.features.rows(rows), own.astype(np.int64), odds, cells)


@dataclass(frozen=True)
class RowsAgainstTheRest:
    """What a search for one class against the rest learns from: targets are 1 where a row is of the class."""

    features: FeatureTable
    targets: np.ndarray
    outputs: np.ndarray | None
    cells: np.ndarray

    def candidates(
        self, config: LawConfig, monitor: Monitor, guesses: tuple[str, ...] = ()
    ) -> list[Candidate]:
        """Return the forms that searches find."""
        return law_candidates(
            self.features, self.targets, config, outputs=self.outputs, cells=self.cells, guesses=guesses,
            monitor=monitor,
        )  # fmt: skip


def with_cap(config: LawConfig) -> LawConfig:
    """Return the settings with the cap of one law among several, where they have none."""
    if config.max_complexity is not None:
        return config
    return config.model_copy(update={"max_complexity": MOST_COMPLEX_OF_CLASS})


def log_odds(logits: np.ndarray, number: int) -> np.ndarray:
    """Return the log odds (n,) of one class against all others, from the logits (n, classes) of a softmax."""
    odds: np.ndarray = logits[:, number] - logsumexp(np.delete(logits, number, axis=1), axis=1)
    return odds


def _of_both_signs(odds: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return log odds that have both signs, as a search needs them, where the network gives no row to a class, or all.

    They are counted from the middle between the rows ``own`` of the class and the others: scale and offset of the law
    are fitted later.
    """
    if odds.min() < 0 <= odds.max() or own.all() or not own.any():
        return odds
    middle: np.ndarray = odds - (np.median(odds[own]) + np.median(odds[~own])) / 2
    return middle
