"""Many small Mish networks as one: the classification heads of schemes 1-3 (paper, 4.2 and B.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class HeadEnsemble(nn.Module):
    """``members`` networks of one shape, 32-16-16-16-1 in the paper, computed together.

    Every layer of every member is one batched matrix product. A connection whose mask is False does not exist: its
    weight counts as zero and gets no gradient. Hidden layers use Mish (eq. 10), the last layer nothing.

    Parameters
    ----------
    members : int
        Networks in the ensemble.
    inputs : int
        Features that a network reads: the latents, measured shapes, or the CNN's features.
    hidden : sequence of int
        Units of the hidden layers.
    outputs : int
        1 for two classes (eq. 2), or one per class.
    normalise : bool
        Batch normalisation of hidden layers before the activation (eq. 12-13), with each member's own statistics;
        running statistics in evaluation mode.
    dropout : float
        Share of hidden units dropped in training mode, drawn independently for every member.
    seeds : sequence of int, optional
        One per member. A member's initial weights depend on its own seed alone. Without seeds they come from torch's
        global generator.

    Attributes
    ----------
    weights : nn.ParameterList
        Of each layer: float32 (members, n_in, n_out).
    biases : nn.ParameterList
        Of each layer: float32 (members, n_out).
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
            raise ValueError(f"{members} members need as many seeds, not {len(seeds)}")
        if not 0 <= dropout < 1:
            raise ValueError(f"a dropout of {dropout}")
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
        """Features that a member reads."""
        return self.widths[0]

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers."""
        return self.widths[1:-1]

    @property
    def outputs(self) -> int:
        """Outputs of a member."""
        return self.widths[-1]

    @property
    def masks(self) -> list[Tensor]:
        """Of each layer: bool (members, n_in, n_out), True where a connection exists."""
        return [self.get_buffer(f"mask_{layer}") for layer in range(len(self.weights))]

    def forward(self, features: Tensor) -> Tensor:
        """Return the scores of features.

        Parameters
        ----------
        features : Tensor
            float32 (n, inputs), the same for all members, or (members, n, inputs).

        Returns
        -------
        Tensor
            (members, n) for one output, the positive class where >= 0; else logits, (members, n, outputs).
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
        """Normalise (members, n, units) over the batch (eq. 12), each unit of each member by itself."""
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
        """Return an ensemble of member ``k`` alone, with copies of its tensors, in the same mode and place.

        Parameters
        ----------
        k : int
            The member, from 0.
        """
        one = HeadEnsemble(1, self.inputs, self.hidden, self.outputs, self.normalise, self.dropout)
        one.load_state_dict({name: tensor[k : k + 1] for name, tensor in self.state_dict().items()})
        return one.to(self.weights[0].device).train(self.training)

    def widened(self, places: Sequence[int], inputs: int) -> HeadEnsemble:
        """Return the same networks with more inputs, which they are not connected to.

        Parameters
        ----------
        places : sequence of int
            Where each of the inputs is among the new ones, rising.
        inputs : int
            The number of new ones.
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
        """Return the connections of each member, without biases, int64 (members,): 1040 in the paper's dense head."""
        return torch.stack([mask.flatten(1).sum(1) for mask in self.masks]).sum(0)

    def kept_inputs(self, k: int) -> tuple[int, ...]:
        """Return the inputs that member ``k`` is connected to, in rising order.

        Parameters
        ----------
        k : int
            The member, from 0.
        """
        return tuple(int(i) for i in self.masks[0][k].any(1).nonzero().flatten())


def initial_weights(
    widths: Sequence[int], members: int, seeds: Sequence[int] | None = None
) -> tuple[list[Tensor], list[Tensor]]:
    """Return weights and biases uniform in +-1/sqrt(n_in), as those of torch's linear layers.

    Parameters
    ----------
    widths : sequence of int
        Units of each layer from the inputs to the outputs.
    members : int
        Number of networks.
    seeds : sequence of int, optional
        One per network; by default torch's global generator is used.

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
