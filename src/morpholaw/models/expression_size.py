"""The size of a network, as the number of nodes when it is written as one expression (paper, appendix C)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor


def dense_size(widths: Sequence[int]) -> int:
    """Return the number of nodes of a dense head without normalisation (eq. 11).

    Parameters
    ----------
    widths : sequence of int
        Units of each layer, from inputs to outputs; (32, 16, 16, 16, 1) gives 8641.

    Returns
    -------
    int
    """
    hidden = sum(8 * n_out * (n_in + 1) for n_in, n_out in _hidden_layers(widths))
    return _last_layer(widths) + hidden


def batchnorm_size(widths: Sequence[int]) -> int:
    """Return the number of nodes of a dense head with batch normalisation (eq. 13).

    Parameters
    ----------
    widths : sequence of int
        Units of each layer, from inputs to outputs; (32, 16, 16, 16, 1) gives 9697.

    Returns
    -------
    int
    """
    hidden = sum(n_out * (8 * n_in + 30) for n_in, n_out in _hidden_layers(widths))
    return _last_layer(widths) + hidden


def sparse_size(masks: Sequence[Tensor]) -> Tensor:
    """Return the number of nodes of sparse heads (eq. 14).

    A connected hidden neuron counts 8 M_j + 1 and an output 4 M_j + 1 nodes, where M_j is the number of connections
    into neuron j. Equation 11 would give a hidden neuron 8 (M_j + 1) nodes, because Mish contains its argument twice.
    Equation 14 is used here because table 1 of the paper was made with it (180 +- 20 nodes for 23 +- 2 weights); the
    other count is larger by 7 per connected hidden neuron.

    Parameters
    ----------
    masks : sequence of Tensor
        Connections of each layer: bool (n_in, n_out), or (members, n_in, n_out).

    Returns
    -------
    Tensor
        int64, () or (members,).
    """
    *hidden, last = [mask.long().sum(-2) for mask in masks]
    nodes = [torch.where(sources > 0, 8 * sources + 1, 0).sum(-1) for sources in hidden]
    return torch.stack([*nodes, (4 * last + 1).sum(-1)]).sum(0)


def _hidden_layers(widths: Sequence[int]) -> list[tuple[int, int]]:
    return list(pairwise(widths[:-1]))


def _last_layer(widths: Sequence[int]) -> int:
    return widths[-1] * (4 * widths[-2] + 1)
