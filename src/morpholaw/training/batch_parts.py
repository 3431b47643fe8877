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

Network = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Part = TypeVar("Part")
Result = TypeVar("Result")


def in_parts(
    network: Network, parts: int, images: Tensor, noise: Tensor, weights: Sequence[nn.Parameter]
) -> tuple[Tensor, Tensor]:
    """Apply a network to parts of a batch, one thread each.

    Results and gradients are those of the whole batch, up to rounding.

    Parameters
    ----------
    network : callable
        Maps images and noise to latents, (3, n, latents), and decoded images, (n, images, size, size). The results of
        a crop must depend on that crop only.
    parts : int
        Number of parts; at most one for every `SMALLEST` crops is used.
    images : Tensor
        Input of the encoder, (n, 1, size, size), without gradient.
    noise : Tensor
        Noise of the sampled latents, (n, latents), without gradient.
    weights : sequence of Parameter
        The network's weights.

    Returns
    -------
    latents, decoded : Tensor
    """
    pairs = chunks(parts, images, noise)
    return network(images, noise) if len(pairs) == 1 else _apply(network, pairs, *weights)


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
        context: Any, network: Network, pairs: list[tuple[Tensor, Tensor]], *weights: nn.Parameter
    ) -> tuple[Tensor, Tensor]:
        def applied(pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                return network(*pair)

        context.results, context.weights = at_once(applied, pairs), weights
        latents, decoded = zip(*context.results, strict=True)
        return torch.cat([part.detach() for part in latents], 1), torch.cat(
            [part.detach() for part in decoded]
        )

    @staticmethod
    def backward(context: Any, of_latents: Tensor, of_decoded: Tensor) -> tuple[Tensor | None, ...]:
        def gradients(part: tuple[tuple[Tensor, Tensor], Tensor, Tensor]) -> tuple[Tensor, ...]:
            results, *of_results = part
            of_weights: tuple[Tensor, ...] = torch.autograd.grad(results, context.weights, of_results)
            return of_weights

        results = context.results
        count = len(results)
        each = at_once(
            gradients, list(zip(results, of_latents.chunk(count, 1), of_decoded.chunk(count), strict=True))
        )
        return None, None, *(torch.stack(of_weight).sum(0) for of_weight in zip(*each, strict=True))


_apply: Callable[..., tuple[Tensor, Tensor]] = _InParts.apply
