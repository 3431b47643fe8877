"""What an Adam optimiser remembers, as tensors by name and back."""

from __future__ import annotations

import torch
from torch import Tensor

PREFIX = "adam."


def adam_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Moments and step counts, named ``adam.<parameter>.<moment>``."""
    return {
        f"{PREFIX}{index}.{name}": torch.as_tensor(value)
        for index, moments in optimiser.state_dict()["state"].items()
        for name, value in moments.items()
    }


def load_adam(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`adam_tensors` gave; other names are passed over."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(PREFIX):
            index, moment = name.removeprefix(PREFIX).split(".")
            # The fused optimiser walks weights and moments in memory order, so both need one layout.
            like = parameters[int(index)]
            laid_out = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
            state.setdefault(int(index), {})[moment] = laid_out
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
