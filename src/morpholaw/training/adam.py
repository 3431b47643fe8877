"""Adam with a learning rate that recorded GPU steps can change, and conversion of its state to named tensors."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

PREFIX = "adam."


def new_adam(
    parameters: Iterable[torch.nn.Parameter],
    rate: float,
    device: torch.device,
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.Adam:
    """Return an Adam optimiser for parameters on a device.

    Parameters
    ----------
    parameters : iterable of Parameter
        Parameters to train.
    rate : float
        Learning rate.
    device : torch.device
        Device of the parameters.
    betas : (float, float)
        Decay of the means of gradients and of squared gradients.

    Returns
    -------
    Adam
        On a GPU, its learning rate is a tensor, which recorded steps read.
    """
    gpu = device.type == "cuda"
    rate_there = torch.tensor(rate, device=device) if gpu else rate
    return torch.optim.Adam(parameters, rate_there, betas, fused=True, capturable=gpu)


def set_rate(optimiser: torch.optim.Adam, rate: float) -> None:
    """Set the learning rate; on a GPU in place, because a recorded step reads it from there."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def adam_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the moments and step counts, named ``adam.<parameter>.<moment>``."""
    return {
        f"{PREFIX}{index}.{name}": torch.as_tensor(value)
        for index, moments in optimiser.state_dict()["state"].items()
        for name, value in moments.items()
    }


def load_adam(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restore the state that :func:`adam_tensors` returned; other names are ignored."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(PREFIX):
            index, moment = name.removeprefix(PREFIX).split(".")
            # The fused optimiser walks weights and moments in memory order, so both need the same layout.
            parameter = parameters[int(index)]
            same_shape = tensor.shape == parameter.shape
            restored = torch.empty_like(parameter).copy_(tensor) if same_shape else tensor
            state.setdefault(int(index), {})[moment] = restored
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
