"""Forward and backward passes of several parts of a batch at the same time, each on a thread of its own.

On a busy machine, OpenMP's threads wait for each other at every operation, so a step on two threads takes longer than
on one. With one thread, however, a training gets less than its fair share of the CPU. The threads here wait for each
other only after a pass: each takes its part of the batch through the whole network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

SMALLEST = 64
"""Smallest part of a batch, in crops. Smaller parts use a CPU less well."""

Network = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
Part = TypeVar("Part")
Result = TypeVar("Result")


def in_parts(
    network: Network,
    parts: int,
    images: Tensor,
    noise: Tensor,
    targets: Tensor,
    weights: Sequence[nn.Parameter],
) -> tuple[Tensor, Tensor]:
    """Apply a network to parts of a batch, one thread each.

    Results and gradients are those of the whole batch, up to rounding.

    Parameters
    ----------
    network : callable
        Maps images, noise and targets to latents, (3, n, latents), and the mean reconstruction error of a crop, a
        scalar. The results of a crop must depend on that crop only.
    parts : int
        Number of parts; at most one for every `SMALLEST` crops is used.
    images : Tensor
        Input of the encoder, (n, 1, size, size), without gradient.
    noise : Tensor
        Noise of the sampled latents, (n, latents), without gradient.
    targets : Tensor
        Images to decode, (n, 1, size, size), without gradient.
    weights : sequence of Parameter
        The network's weights.

    Returns
    -------
    latents, error : Tensor
    """
    divided = chunks(parts, images, noise, targets)
    return network(images, noise, targets) if len(divided) == 1 else _apply(network, divided, *weights)


def chunks(parts: int, *tensors: Tensor) -> list[tuple[Tensor, ...]]:
    """Divide tensors along their first axis into at most ``parts`` parts of at least `SMALLEST` rows, or into one."""
    count = max(1, min(parts, len(tensors[0]) // SMALLEST))
    return list(zip(*(tensor.chunk(count) for tensor in tensors), strict=True))


def at_once(function: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Apply a function to every part, each on a thread of its own."""
    if len(parts) == 1:
        return [function(parts[0])]
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(function, parts))


class _InParts(torch.autograd.Function):
    """Keeps the graph of each part, in order to go back through all of them at the same time as well."""

    @staticmethod
    def forward(
        context: Any, network: Network, divided: list[tuple[Tensor, Tensor, Tensor]], *weights: nn.Parameter
    ) -> tuple[Tensor, Tensor]:
        def applied(part: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                return network(*part)

        context.results, context.weights = at_once(applied, divided), weights
        latents = [part.detach() for part, _ in context.results]
        sizes = [part.shape[1] for part in latents]
        context.shares = [size / sum(sizes) for size in sizes]
        errors = [
            error.detach() * share for (_, error), share in zip(context.results, context.shares, strict=True)
        ]
        return torch.cat(latents, 1), torch.stack(errors).sum()

    @staticmethod
    def backward(context: Any, of_latents: Tensor, of_error: Tensor) -> tuple[Tensor | None, ...]:
        def gradients(part: tuple[tuple[Tensor, Tensor], Tensor, float]) -> tuple[Tensor, ...]:
            results, of_part, share = part
            of_weights: tuple[Tensor, ...] = torch.autograd.grad(
                results, context.weights, (of_part, of_error * share)
            )
            return of_weights

        results, shares = context.results, context.shares
        each = at_once(gradients, list(zip(results, of_latents.chunk(len(results), 1), shares, strict=True)))
        return None, None, *(torch.stack(of_weight).sum(0) for of_weight in zip(*each, strict=True))


_apply: Callable[..., tuple[Tensor, Tensor]] = _InParts.apply
