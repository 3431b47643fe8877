"""Early stopping on the loss of validation cells."""

from __future__ import annotations

import torch
from torch import Tensor

PREFIX = "kept."


class EarlyStopping:
    """Keeps the weights of the latest epoch that is as good as the best on the validation cells.

    An epoch is as good as the best if its mean loss is within one standard error of the lowest, where the error is that
    of the difference over cells. With some tens of validation cells, the epoch with the lowest loss is a matter of
    chance.

    Parameters
    ----------
    patience : int
        Number of later epochs that are not as good after which training stops.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, 0
        self.least = torch.empty(0)
        self.kept: dict[str, Tensor] = {}

    @property
    def over(self) -> bool:
        """Whether training should stop."""
        return self.waited >= self.patience

    def update(self, losses: Tensor, weights: dict[str, Tensor]) -> None:
        """Update with the loss of each validation cell, (n,), and the weights after an epoch, which are copied."""
        worse = losses - self.least if len(self.least) else torch.zeros_like(losses)
        if not len(self.least) or worse.mean() < 0:
            self.least = losses.clone()
        if len(worse) > 1 and worse.mean() > worse.std() / len(worse) ** 0.5:
            self.waited += 1
        else:
            self.waited = 0
            self.kept = {name: weight.detach().clone() for name, weight in weights.items()}

    def state(self) -> dict[str, Tensor]:
        """Return the state, on which later updates depend, as named tensors."""
        values = {"least": self.least, "waited": torch.tensor(self.waited), **self.kept}
        return {f"{PREFIX}{name}": value for name, value in values.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the state that `state` returned."""
        self.kept = {name.removeprefix(PREFIX): v for name, v in state.items() if name.startswith(PREFIX)}
        self.least, self.waited = self.kept.pop("least"), int(self.kept.pop("waited"))
