"""Classification heads: an ensemble of small Mish networks computed together (paper, 4.2 and B.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class HeadEnsemble(nn.Module):
    """An ensemble of networks of one architecture (32-16-16-16-1 in the paper), computed together.

    Each layer of all members is one batched matrix product. Connections whose mask is False are absent: their weight
    is zero and has no gradient. Hidden layers use the Mish activation (eq. 10); the output layer is linear.

    Parameters
    ----------
    members : int
        Number of networks.
    inputs : int
        Number of input features: latents, measured shapes or features of the CNN.
    hidden : sequence of int
        Units of each hidden layer.
    outputs : int
        1 for two classes (eq. 2), or one per class.
    normalise : bool
        Apply batch normalisation before the activation of each hidden layer (eq. 12-13), with separate statistics per
        member.
    dropout : float
        Dropout rate of hidden units in training mode, drawn independently per member.
    seeds : sequence of int, optional
        One seed per member, which alone determines the member's initial weights. By default torch's global generator
        is used.

    Attributes
    ----------
    weights : nn.ParameterList
        Weights of each layer, float32 (members, n_in, n_out).
    biases : nn.ParameterList
        Biases of each layer, float32 (members, n_out).
    """

    def __init__(
        self,
        members: int,
        inputs: int = 32,
        hidden: Sequence[int] = (16, 16, 16),
        outputs: int = 1,
        normalise: bool = False,
        dropout: float = 0.0,
        seeds: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if seeds is not None and len(seeds) != members:
            raise ValueError(f"{members} members need {members} seeds, not {len(seeds)}")
        if not 0 <= dropout < 1:
            raise ValueError(f"the dropout must be in [0, 1), not {dropout}")
        self.members = members
        self.widths = (inputs, *hidden, outputs)
        self.normalise = normalise
        self.dropout = dropout
        weights, biases = initial_weights(self.widths, members, seeds)
        self.weights = nn.ParameterList(nn.Parameter(w) for w in weights)
        self.biases = nn.ParameterList(nn.Parameter(b) for b in biases)
        for layer, weight in enumerate(weights):
            self.register_buffer(f"mask_{layer}", torch.ones_like(weight, dtype=torch.bool))
        if normalise:
            self.scales = nn.ParameterList(nn.Parameter(torch.ones(members, n)) for n in hidden)
            self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(members, n)) for n in hidden)
            for layer, n in enumerate(hidden):
                self.register_buffer(f"running_mean_{layer}", torch.zeros(members, n))
                self.register_buffer(f"running_var_{layer}", torch.ones(members, n))

    @property
    def inputs(self) -> int:
        """Number of input features."""
        return self.widths[0]

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return self.widths[1:-1]

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.widths[-1]

    @property
    def masks(self) -> list[Tensor]:
        """Masks of each layer, bool (members, n_in, n_out); True where a connection exists."""
        return [self.get_buffer(f"mask_{layer}") for layer in range(len(self.weights))]

    def forward(self, features: Tensor) -> Tensor:
        """Compute the scores of features.

        Parameters
        ----------
        features : Tensor
            float32 (n, inputs) for the same features in all members, or (members, n, inputs).

        Returns
        -------
        Tensor
            (members, n) with one output, >= 0 for the positive class; else logits (members, n, outputs).
        """
        x = features.expand(self.members, *features.shape) if features.dim() == 2 else features
        last = len(self.weights) - 1
        for layer, (weight, bias, mask) in enumerate(zip(self.weights, self.biases, self.masks, strict=True)):
            x = torch.baddbmm(bias.unsqueeze(1), x, weight * mask)
            if layer < last:
                if self.normalise:
                    x = self._normalised(x, layer)
                x = F.dropout(F.mish(x), self.dropout, self.training)
        return x.squeeze(2) if self.outputs == 1 else x

    def _normalised(self, x: Tensor, layer: int) -> Tensor:
        """Normalise (members, n, units) over the batch (eq. 12), separately for each unit of each member."""
        members, n, units = x.shape
        flat = x.transpose(0, 1).reshape(n, members * units)
        flat = F.batch_norm(
            flat,
            self.get_buffer(f"running_mean_{layer}").view(-1),
            self.get_buffer(f"running_var_{layer}").view(-1),
            self.scales[layer].view(-1),
            self.shifts[layer].view(-1),
            training=self.training,
        )
        return flat.view(n, members, units).transpose(0, 1)

    def member(self, k: int) -> HeadEnsemble:
        """Return an ensemble of one member, with copies of its tensors, on the same device and in the same mode.

        Parameters
        ----------
        k : int
            Number of the member, counted from 0.

        Returns
        -------
        HeadEnsemble
        """
        one = HeadEnsemble(1, self.inputs, self.hidden, self.outputs, self.normalise, self.dropout)
        one.load_state_dict({name: tensor[k : k + 1] for name, tensor in self.state_dict().items()})
        return one.to(self.weights[0].device).train(self.training)

    def widened(self, places: Sequence[int], inputs: int) -> HeadEnsemble:
        """Return the same networks with additional inputs that are not connected.

        Parameters
        ----------
        places : sequence of int
            Position of each present input among the new inputs, in ascending order.
        inputs : int
            Number of inputs of the new networks.

        Returns
        -------
        HeadEnsemble
        """
        wide = HeadEnsemble(self.members, inputs, self.hidden, self.outputs, self.normalise, self.dropout)
        state = self.state_dict()
        for name in ("weights.0", "mask_0"):
            tensor = state[name]
            state[name] = tensor.new_zeros(len(tensor), inputs, tensor.shape[2])
            state[name][:, list(places)] = tensor
        wide.load_state_dict(state)
        return wide.to(self.weights[0].device).train(self.training)

    def active_weights(self) -> Tensor:
        """Return the number of connections of each member without biases, int64 (members,); 1040 if dense (paper)."""
        return torch.stack([mask.flatten(1).sum(1) for mask in self.masks]).sum(0)

    def kept_inputs(self, k: int) -> tuple[int, ...]:
        """Return the inputs to which one member is connected, in ascending order.

        Parameters
        ----------
        k : int
            Number of the member, counted from 0.

        Returns
        -------
        tuple of int
        """
        return tuple(int(i) for i in self.masks[0][k].any(1).nonzero().flatten())


def initial_weights(
    widths: Sequence[int], members: int, seeds: Sequence[int] | None = None
) -> tuple[list[Tensor], list[Tensor]]:
    """Return weights and biases drawn uniformly from +-1/sqrt(n_in), as in torch's linear layers.

    Parameters
    ----------
    widths : sequence of int
        Units of each layer, from inputs to outputs.
    members : int
        Number of networks.
    seeds : sequence of int, optional
        One seed per network; by default torch's global generator is used.

    Returns
    -------
    tuple of lists of Tensor
        Weights (members, n_in, n_out) and biases (members, n_out) of each layer, float32.
    """
    generators = [torch.default_generator] * members
    if seeds is not None:
        generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    weights = [torch.empty(members, *shape) for shape in pairwise(widths)]
    biases = [torch.empty(members, n) for n in widths[1:]]
    for k, generator in enumerate(generators):
        for weight, bias in zip(weights, biases, strict=True):
            bound = 1 / math.sqrt(weight.shape[1])
            weight[k].uniform_(-bound, bound, generator=generator)
            bias[k].uniform_(-bound, bound, generator=generator)
    return weights, biases
