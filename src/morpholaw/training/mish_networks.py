"""Hand-written forward pass, backward pass and Adam for many small Mish networks at once.

A head is so small that autograd's bookkeeping and one pass over memory per operation cost more than the arithmetic.
Here all parameters are in one row, every buffer is reused, Mish takes a single exponential, and the gradient of all
weights, active or not, needs no extra work. RigL uses that gradient to grow connections.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.999), 1e-8  # of Adam
LINEAR_FROM = 20.0
"""Input above which Mish is the identity in float32; the square of the exponential is still finite there."""


@dataclass
class _Buffers:
    """Buffers for one batch size: outputs and slopes of each layer, and scratch space."""

    outputs: list[Tensor]
    slopes: list[Tensor]
    scratch: list[tuple[Tensor, Tensor]]

    @staticmethod
    def allocate(widths: Sequence[int], members: int, batch: int) -> _Buffers:
        """Allocate buffers for networks with these layer widths."""
        shapes = [(members, batch, n) for n in widths[1:]]
        # Layers of the same width share their scratch space, so that the whole step fits in the CPU's cache.
        shared = {
            n: (torch.empty(members, batch, n), torch.empty(members, batch, n)) for n in set(widths[1:])
        }
        return _Buffers(
            [torch.empty(shape) for shape in shapes],
            [torch.empty(shape) for shape in shapes[:-1]],
            [shared[n] for n in widths[1:]],
        )


class MishNetworks:
    """An ensemble of networks of linear layers and Mish activations, with their Adam moments.

    Parameters
    ----------
    weights : sequence of Tensor
        Initial weights of each layer, float32 (members, n_in, n_out).
    biases : sequence of Tensor
        Initial biases of each layer, float32 (members, n_out).

    Attributes
    ----------
    parameters, gradient, first_moment, second_moment : Tensor
        float32, one row: the first layer's weights of all members, its biases, the second layer's weights, ...
    weights, biases : list of Tensor
        Views of ``parameters`` per layer: (members, n_in, n_out) and (members, n_out).
    weight_gradients, bias_gradients : list of Tensor
        Views of ``gradient`` of the same shapes.
    """

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        self.members = weights[0].shape[0]
        self.widths = (weights[0].shape[1], *(w.shape[2] for w in weights))
        self.parameters = torch.cat(
            [tensor.flatten() for pair in zip(weights, biases, strict=True) for tensor in pair]
        )
        self.gradient = torch.zeros_like(self.parameters)
        self.first_moment = torch.zeros_like(self.parameters)
        self.second_moment = torch.zeros_like(self.parameters)
        self.weights, self.biases = self.views(self.parameters)
        self.weight_gradients, self.bias_gradients = self.views(self.gradient)
        self._denominator = torch.empty_like(self.parameters)
        self._buffers: dict[int, _Buffers] = {}

    def views(self, row: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return views per layer of the weights and the biases in a row laid out as ``parameters``."""
        weights, biases, start = [], [], 0
        for n_in, n_out in pairwise(self.widths):
            middle = start + self.members * n_in * n_out
            stop = middle + self.members * n_out
            weights.append(row[start:middle].view(self.members, n_in, n_out))
            biases.append(row[middle:stop].view(self.members, n_out))
            start = stop
        return weights, biases

    def forward(self, features: Tensor, dropout: Sequence[Tensor] | None = None) -> Tensor:
        """Compute the scores of a batch, and keep what ``backward`` needs.

        Parameters
        ----------
        features : Tensor
            float32 (members, batch, inputs).
        dropout : sequence of Tensor, optional
            Factors of the hidden units per layer, (members, batch, units), either 0 or 1 / (1 - dropout).

        Returns
        -------
        Tensor
            float32 (members, batch, outputs); valid until the next call.
        """
        batch = features.shape[1]
        if batch not in self._buffers:
            self._buffers[batch] = _Buffers.allocate(self.widths, self.members, batch)
        buffers = self._buffers[batch]
        self._inputs, self._current = features, buffers
        x = features
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out, (before, spare) = buffers.outputs[layer], buffers.scratch[layer]
            torch.bmm(x, weight, out=before if layer < last else out).add_(bias.unsqueeze(1))
            if layer < last:
                _mish(before, out, buffers.slopes[layer], spare)
                if dropout is not None:
                    out.mul_(dropout[layer])
                    buffers.slopes[layer].mul_(dropout[layer])
            x = out
        return x

    def backward(self, gradient: Tensor) -> None:
        """Compute the dense ``gradient`` from the gradient with respect to the scores (members, batch, outputs)."""
        buffers = self._current
        for layer in range(len(self.weights) - 1, -1, -1):
            inputs = buffers.outputs[layer - 1] if layer else self._inputs
            torch.bmm(inputs.transpose(1, 2), gradient, out=self.weight_gradients[layer])
            torch.sum(gradient, 1, out=self.bias_gradients[layer])
            if layer:
                below = buffers.scratch[layer - 1][layer % 2]
                torch.bmm(gradient, self.weights[layer].transpose(1, 2), out=below)
                gradient = below.mul_(buffers.slopes[layer - 1])

    def adam(self, step: int, rate: float) -> None:
        """Take one step of Adam (Kingma & Ba 2015); ``step`` counts from 1.

        Parameters whose gradient and moments are zero do not change.
        """
        first, second = BETAS
        self.first_moment.lerp_(self.gradient, 1 - first)
        self.second_moment.mul_(second).addcmul_(self.gradient, self.gradient, value=1 - second)
        correction = math.sqrt(1 - second**step)
        torch.sqrt(self.second_moment, out=self._denominator).add_(EPSILON * correction)
        self.parameters.addcdiv_(
            self.first_moment, self._denominator, value=-rate * correction / (1 - first**step)
        )


def _mish(x: Tensor, out: Tensor, slope: Tensor, spare: Tensor) -> None:
    """Write Mish of ``x`` to ``out`` and its derivative to ``slope``; ``x`` and ``spare`` are overwritten.

    With e = exp(x), s = e + 2 and q = e s + 2: tanh(log(1 + e)) = t = e s / q, and the derivative of
    x t is t + 2 (x - x t) (1 - s / q).
    """
    torch.clamp(x, max=LINEAR_FROM, out=spare).exp_()
    torch.add(spare, 2, out=slope)
    spare.mul_(slope)
    torch.add(spare, 2, out=out)
    spare.div_(out)
    slope.div_(out)
    torch.mul(x, spare, out=out)
    x.sub_(out)
    torch.addcmul(x, x, slope, value=-1, out=slope)
    torch.add(spare, slope, alpha=2, out=slope)
