"""Number of nodes of a network when it is written out as one expression (paper, appendix C)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor


def dense_size(widths: Sequence[int]) -> int:
    """Return the nodes of a dense head without normalisation (eq. 11).

    Parameters
    ----------
    widths : sequence of int
        Units of each layer from the inputs to the outputs; (32, 16, 16, 16, 1) gives 8641.
    """
    hidden = sum(8 * n_out * (n_in + 1) for n_in, n_out in _hidden_layers(widths))
    return _last_layer(widths) + hidden


def batchnorm_size(widths: Sequence[int]) -> int:
    """Return the nodes of a dense head with batch normalisation (eq. 13); (32, 16, 16, 16, 1) gives 9697.

    Parameters
    ----------
    widths : sequence of int
        Inputs, units of each hidden layer, and outputs.
    """
    hidden = sum(n_out * (8 * n_in + 30) for n_in, n_out in _hidden_layers(widths))
    return _last_layer(widths) + hidden


def sparse_size(masks: Sequence[Tensor]) -> Tensor:
    """Return the nodes of a sparse head (eq. 14): 8 M_j + 1 for a connected hidden neuron, 4 M_j + 1 for an output.

    M_j is the number of connections into neuron j. The paper's own derivation of eq. 11 gives a hidden neuron
    8 (M_j + 1) nodes, since Mish holds its argument twice. Equation 14 is what the paper's table 1 was made with
    (180 +- 20 nodes for 23 +- 2 weights), so it is what is reported here; the other count is 7 more for each connected
    hidden neuron.

    Parameters
    ----------
    masks : sequence of Tensor
        Of each layer: bool (n_in, n_out), or (members, n_in, n_out).

    Returns
    -------
    Tensor
        int64 () or (members,).
    """
    *hidden, last = [mask.long().sum(-2) for mask in masks]
    nodes = [torch.where(sources > 0, 8 * sources + 1, 0).sum(-1) for sources in hidden]
    return torch.stack([*nodes, (4 * last + 1).sum(-1)]).sum(0)


def _hidden_layers(widths: Sequence[int]) -> list[tuple[int, int]]:
    return list(pairwise(widths[:-1]))


def _last_layer(widths: Sequence[int]) -> int:
    return widths[-1] * (4 * widths[-2] + 1)
