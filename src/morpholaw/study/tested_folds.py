"""Folds of a cross-validation that are already tested, kept so that a stopped one continues after them."""

from __future__ import annotations

import numpy as np
import torch

from morpholaw.evaluation.cross_validation import Fold
from morpholaw.study.checkpoint import Checkpoint


class TestedFolds:
    """Predictions for the test cells of each fold that is tested.

    Parameters
    ----------
    checkpoint : Checkpoint
        Where they are kept, identified by everything that the predictions depend on.
    """

    __test__ = False  # not a test, although pytest goes by the name

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._folds: dict[tuple[int, int], dict[str, np.ndarray]] = {}
        tensors, description = checkpoint.read() or ({}, {"folds": []})
        for key, (repeat, number, name) in enumerate(description["folds"]):
            self._folds.setdefault((repeat, number), {})[name] = tensors[str(key)].numpy()

    def __len__(self) -> int:
        """Return the number of tested folds, in all repetitions."""
        return len(self._folds)

    def of(self, fold: Fold) -> dict[str, np.ndarray] | None:
        """Return the predicted classes of each method for a fold; None if it is not tested yet."""
        return self._folds.get((fold.repeat, fold.number))

    def add(self, fold: Fold, predictions: dict[str, np.ndarray]) -> None:
        """Keep the predictions for a fold."""
        self._folds[fold.repeat, fold.number] = predictions
        rows = [(place, name) for place, methods in self._folds.items() for name in methods]
        tensors = {
            str(key): torch.as_tensor(np.ascontiguousarray(self._folds[place][name]))
            for key, (place, name) in enumerate(rows)
        }
        self._checkpoint.write(tensors, folds=[[*place, name] for place, name in rows])

    def remove(self) -> None:
        """Remove them, because the results are complete."""
        self._checkpoint.remove()
