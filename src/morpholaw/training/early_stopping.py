"""When a training ends: once held-out cells are predicted worse, beyond chance, than some passes before."""

from __future__ import annotations

import torch
from torch import Tensor

PREFIX = "kept."


class EarlyStopping:
    """The weights of the latest pass that is as good as the best on held-out cells.

    As good is a mean loss within one standard error of the least, the error being that of the difference over cells:
    with some tens of held-out cells the least loss alone is chance.

    Parameters
    ----------
    patience : int
        Passes that are not as good after which a training is over.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, 0
        self.least = torch.empty(0)
        self.kept: dict[str, Tensor] = {}

    @property
    def over(self) -> bool:
        """Whether the training has waited long enough."""
        return self.waited >= self.patience

    def update(self, losses: Tensor, weights: dict[str, Tensor]) -> None:
        """Take in the loss of each held-out cell (n,) after a pass, and the weights, of which a copy is kept."""
        worse = losses - self.least if len(self.least) else torch.zeros_like(losses)
        if not len(self.least) or worse.mean() < 0:
            self.least = losses.clone()
        if len(worse) > 1 and worse.mean() > worse.std() / len(worse) ** 0.5:
            self.waited += 1
        else:
            self.waited = 0
            self.kept = {name: weight.detach().clone() for name, weight in weights.items()}

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next update depends on."""
        values = {"least": self.least, "waited": torch.tensor(self.waited), **self.kept}
        return {f"{PREFIX}{name}": value for name, value in values.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self.kept = {name.removeprefix(PREFIX): v for name, v in state.items() if name.startswith(PREFIX)}
        self.least, self.waited = self.kept.pop("least"), int(self.kept.pop("waited"))
