"""Pruning of connections that do not affect the output of a network (paper, B.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from morpholaw.models.heads import HeadEnsemble


def prune_layers(
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    masks: Sequence[Tensor],
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Remove leaf weights and bias weights repeatedly until none is left.

    A leaf weight feeds a hidden neuron without outgoing connections, so it has no effect. A bias weight starts at
    a hidden neuron without incoming connections and carries the constant mish(b) w, which is added to the bias of its
    target. Neurons without any connection get a bias of zero.

    Parameters
    ----------
    weights : sequence of Tensor
        Weights of each layer, (members, n_in, n_out).
    biases : sequence of Tensor
        Biases of each layer, (members, n_out).
    masks : sequence of Tensor
        Masks of each layer, bool (members, n_in, n_out); True where a connection exists.

    Returns
    -------
    tuple of lists of Tensor
        New weights (zero without a connection), biases and masks, of the dtypes of the inputs.
    """
    precise = [torch.where(mask, weight, 0.0).double() for weight, mask in zip(weights, masks, strict=True)]
    constants = [bias.double() for bias in biases]
    left = [mask.clone() for mask in masks]
    while True:
        before = _connections(left)
        for layer in range(len(left) - 1):
            left[layer] &= left[layer + 1].any(2).unsqueeze(1)
        for layer in range(1, len(left)):
            fed = left[layer - 1].any(1).unsqueeze(2)
            loose = left[layer] & ~fed
            carried = F.mish(constants[layer - 1]).unsqueeze(2) * precise[layer]
            constants[layer] = constants[layer] + torch.where(loose, carried, 0.0).sum(1)
            left[layer] &= fed
        if _connections(left) == before:
            break
    for layer in range(len(left) - 1):
        used = left[layer].any(1) | left[layer + 1].any(2)
        constants[layer] = torch.where(used, constants[layer], 0.0)
    return (
        [
            torch.where(mask, new, 0.0).to(old.dtype)
            for new, mask, old in zip(precise, left, weights, strict=True)
        ],
        [new.to(old.dtype) for new, old in zip(constants, biases, strict=True)],
        left,
    )


def prune(head: HeadEnsemble) -> HeadEnsemble:
    """Return a copy of ``head`` without leaf weights and bias weights, which has the same scores.

    Parameters
    ----------
    head : HeadEnsemble
        A sparse ensemble without batch normalisation.

    Returns
    -------
    HeadEnsemble

    Raises
    ------
    ValueError
        If the head uses batch normalisation, for which bias weights cannot be folded (paper, footnote 5).
    """
    if head.normalise:
        raise ValueError("a head with batch normalisation cannot be pruned: its biases are not constant")
    with torch.no_grad():
        weights, biases, masks = prune_layers(list(head.weights), list(head.biases), head.masks)
        pruned = HeadEnsemble(head.members, head.inputs, head.hidden, head.outputs, dropout=head.dropout)
        for new, old in zip(
            weights + biases + masks, [*pruned.weights, *pruned.biases, *pruned.masks], strict=True
        ):
            old.copy_(new)
    return pruned.to(head.weights[0].device).train(head.training)


def _connections(masks: Sequence[Tensor]) -> int:
    return sum(int(mask.sum()) for mask in masks)
