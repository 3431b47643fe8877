"""Training data for laws per class: all rows, or the rows of one class against the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from morpholaw.config import LawConfig
from morpholaw.config.law import MOST_COMPLEX_OF_CLASS
from morpholaw.events import Monitor
from morpholaw.models.features import FeatureTable
from morpholaw.training.checkpointing import NO_CHECKPOINTS, Checkpointing
from morpholaw.training.class_balanced_rows import training_rows
from morpholaw.training.laws import FinishedSearches, law_candidates
from morpholaw.training.symbolic.engine import Candidate

FITTED_ROWS = 4_000
"""Maximum number of rows for the fit of scales and constants."""


@dataclass(frozen=True)
class ClassLawRows:
    """Training data for laws per class.

    Attributes
    ----------
    features : FeatureTable
        Inputs, one row per cell or per view of a cell.
    targets : ndarray of int64, shape (n,)
        Class of each row.
    classes : int
        Number of classes.
    outputs : ndarray or None
        For the MSE loss, the logits of a network, (n, classes).
    cells : ndarray or None
        Number of the cell that each row is a view of, (n,).
    """

    features: FeatureTable
    targets: np.ndarray
    classes: int
    outputs: np.ndarray | None = None
    cells: np.ndarray | None = None

    @property
    def fitted(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and classes of the rows used to fit the laws jointly."""
        stride = -(-len(self.targets) // FITTED_ROWS)
        return np.asarray(self.features.values, np.float64)[::stride], self.targets[::stride]

    def of_class(self, number: int, config: LawConfig) -> RowsAgainstTheRest:
        """Return the training data for one class against the rest, with the same weight on both sides."""
        of_class = [np.flatnonzero(self.targets == one) for one in range(self.classes)]
        shares = [0.5 if one == number else 0.5 / (self.classes - 1) for one in range(self.classes)]
        rows = training_rows(of_class, shares, (config.seed, number), config.rows)
        positive = self.targets[rows] == number
        odds = (
            None if self.outputs is None else _of_both_signs(log_odds(self.outputs[rows], number), positive)
        )
        cells = rows if self.cells is None else self.cells[rows]
        return RowsAgainstTheRest(self.features.rows(rows), positive.astype(np.int64), odds, cells)


@dataclass(frozen=True)
class RowsAgainstTheRest:
    """Training data for one class against the rest; targets are 1 for rows of the class."""

    features: FeatureTable
    targets: np.ndarray
    outputs: np.ndarray | None
    cells: np.ndarray

    def candidates(
        self,
        config: LawConfig,
        monitor: Monitor,
        guesses: tuple[str, ...] = (),
        checkpointing: Checkpointing[FinishedSearches] = NO_CHECKPOINTS,
    ) -> list[Candidate]:
        """Search for laws and return the distinct candidates."""
        return law_candidates(
            self.features, self.targets, config, outputs=self.outputs, cells=self.cells, guesses=guesses,
            checkpointing=checkpointing, monitor=monitor,
        )  # fmt: skip


def with_cap(config: LawConfig) -> LawConfig:
    """Return `config` with the default maximum complexity for laws per class, if it has none."""
    if config.max_complexity is not None:
        return config
    return config.model_copy(update={"max_complexity": MOST_COMPLEX_OF_CLASS})


def log_odds(logits: np.ndarray, number: int) -> np.ndarray:
    """Return the log odds (n,) of one class against all others from softmax logits (n, classes)."""
    odds: np.ndarray = logits[:, number] - logsumexp(np.delete(logits, number, axis=1), axis=1)
    return odds


def _of_both_signs(odds: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Shift log odds so that they have both signs, as a search requires, if the network predicts one side only.

    The new zero is midway between the rows of the class and the others. This is harmless, because scale and offset of
    the law are fitted later.
    """
    if odds.min() < 0 <= odds.max() or positive.all() or not positive.any():
        return odds
    middle: np.ndarray = odds - (np.median(odds[positive]) + np.median(odds[~positive])) / 2
    return middle
