"""Sub-networks of a sparse network: streams, and parts with few inputs (paper, 6.3 and figures 5-10).

A neuron is ``(layer, unit)``; layer 0 holds the inputs, the last layer the output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError

if TYPE_CHECKING:
    from morpholaw.models.heads import HeadEnsemble

Neuron = tuple[int, int]


@dataclass(frozen=True)
class SparseNetwork:
    """A sparse network with Mish hidden layers, and one linear output for two classes or one per class for more.

    Attributes
    ----------
    weights : tuple of ndarray
        Weights of each layer, float64 (n_in, n_out); 0 without a connection.
    masks : tuple of ndarray
        Connections of each layer, bool (n_in, n_out).
    biases : tuple of ndarray
        Biases of each layer, float64 (n_out,).
    """

    weights: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @classmethod
    def from_arrays(
        cls, weights: Sequence[Any], masks: Sequence[Any], biases: Sequence[Any], output: int | None = None
    ) -> SparseNetwork:
        """Create a network from arrays.

        Parameters
        ----------
        weights, masks, biases : sequence of array_like
            Arrays of each layer; see the attributes.
        output : int, optional
            Number of the output to keep, of several.
        """
        kept = [np.array(m, dtype=bool) for m in masks]
        values = [np.asarray(w, dtype=np.float64) * m for w, m in zip(weights, kept, strict=True)]
        shifts = [np.array(b, dtype=np.float64) for b in biases]
        for layer, (w, b) in enumerate(zip(values, shifts, strict=True)):
            rows = values[layer - 1].shape[1] if layer else w.shape[0]
            if w.ndim != 2 or w.shape[0] != rows or b.shape != (w.shape[1],):
                raise InputError(
                    f"Layer {layer} has weights {w.shape}, biases {b.shape}; expected ({rows}, n) and (n,)."
                )
        if output is not None:
            if not 0 <= output < values[-1].shape[1]:
                raise InputError(f"There is no output {output}; the network has {values[-1].shape[1]}.")
            values[-1], kept[-1] = values[-1][:, [output]], kept[-1][:, [output]]
            shifts[-1] = shifts[-1][[output]]
        return cls(tuple(values), tuple(kept), tuple(shifts))

    @classmethod
    def of(cls, head: HeadEnsemble, member: int, output: int | None = None) -> SparseNetwork:
        """Create the network of one member of an ensemble of heads without batch normalisation (scheme 2 or 3).

        Parameters
        ----------
        head : HeadEnsemble
            The heads.
        member : int
            Index of the model.
        output : int, optional
            Number of the output to keep, of several.
        """
        if head.normalise:
            raise InputError("A head with batch normalisation has no sub-networks; use scheme 2 or 3.")
        if not 0 <= member < head.members:
            raise InputError(f"There is no model {member}; the ensemble has models 0 to {head.members - 1}.")
        weights, masks, biases = (
            [tensor[member].detach().cpu().numpy() for tensor in tensors]
            for tensors in (head.weights, head.masks, head.biases)
        )
        return cls.from_arrays(weights, masks, biases, output)

    @property
    def depth(self) -> int:
        """Number of the output layer."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of neurons of each layer, beginning with the inputs."""
        return (self.masks[0].shape[0], *(len(b) for b in self.biases))

    @property
    def kept_inputs(self) -> tuple[int, ...]:
        """Numbers of the inputs with a connection, in order."""
        return tuple(int(k) for k in np.flatnonzero(self.masks[0].any(axis=1)))

    def incoming(self, neuron: Neuron) -> list[Neuron]:
        """Return the neurons with a connection into ``neuron``.

        Parameters
        ----------
        neuron : Neuron
            Its layer and its place there.
        """
        layer, unit = neuron
        return (
            []
            if layer == 0
            else [(layer - 1, int(i)) for i in np.flatnonzero(self.masks[layer - 1][:, unit])]
        )

    def outgoing(self, neuron: Neuron) -> list[Neuron]:
        """Return the neurons that ``neuron`` has a connection into.

        Parameters
        ----------
        neuron : Neuron
            Its layer and its place there.
        """
        layer, unit = neuron
        return (
            []
            if layer == self.depth
            else [(layer + 1, int(j)) for j in np.flatnonzero(self.masks[layer][unit])]
        )

    def score(self, z: np.ndarray) -> np.ndarray:
        """Compute the output of the network.

        Parameters
        ----------
        z : ndarray, float (n, inputs)
            Inputs.

        Returns
        -------
        ndarray, float64 (n,) or (n, outputs)
            Scores f(z).
        """
        x = np.asarray(z, dtype=np.float64)
        for layer, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            x = x @ w + b
            x = mish(x) if layer < self.depth else x
        return x[:, 0] if x.shape[1] == 1 else x


@dataclass(frozen=True)
class SubNetwork:
    """A part of a network.

    Attributes
    ----------
    sources : tuple of Neuron
        Neurons that it reads: inputs of the network, or terminals of other sub-networks.
    neurons : tuple of Neuron
        Neurons that belong to it, by layer, including terminals but not sources.
    terminals : tuple of Neuron
        Neurons that other parts or the output read.
    inputs : tuple of int
        Numbers of the network's inputs on which it depends, directly or through other sub-networks.
    """

    sources: tuple[Neuron, ...]
    neurons: tuple[Neuron, ...]
    terminals: tuple[Neuron, ...]
    inputs: tuple[int, ...]


def mish(x: np.ndarray) -> np.ndarray:
    """Return the Mish activation, x tanh(log(1 + e^x)) (eq. 10).

    Parameters
    ----------
    x : ndarray
        Any shape.
    """
    return np.asarray(x * np.tanh(np.logaddexp(0.0, x)))


def stream(network: SparseNetwork, inputs: Collection[int]) -> tuple[np.ndarray, ...]:
    """Return the connections on all paths from ``inputs`` to an output (figure 6), as a bool mask for each layer.

    Parameters
    ----------
    network : SparseNetwork
        The network.
    inputs : collection of int
        Numbers of inputs.
    """
    reached: np.ndarray = np.zeros(network.masks[0].shape[0], dtype=bool)
    reached[list(inputs)] = True
    forward = []
    for mask in network.masks:
        forward.append(mask & reached[:, None])
        reached = np.asarray(forward[-1].any(axis=0))
    kept: list[np.ndarray] = []
    useful: np.ndarray = np.ones(network.widths[-1], dtype=bool)
    for mask in reversed(forward):
        kept.insert(0, mask & useful)
        useful = np.asarray(kept[0].any(axis=1))
    return tuple(kept)


def sub_network(network: SparseNetwork, terminals: Sequence[Neuron]) -> SubNetwork:
    """Return the sub-network from the network's inputs to some neurons.

    Parameters
    ----------
    network : SparseNetwork
        The network.
    terminals : sequence of Neuron
        Neurons at which the sub-network ends.

    Raises
    ------
    InputError
        If there is no such neuron.
    """
    for layer, unit in terminals:
        if not (0 <= layer <= network.depth and 0 <= unit < network.widths[layer]):
            raise InputError(f"There is no neuron {unit} in layer {layer} of this network.")
    neurons: set[Neuron] = set()
    read: set[Neuron] = set()
    waiting = [t for t in terminals if t[0] > 0]
    while waiting:
        neuron = waiting.pop()
        neurons.add(neuron)
        for source in network.incoming(neuron):
            if source[0] == 0:
                read.add(source)
            elif source not in neurons:
                waiting.append(source)
    inputs = tuple(sorted(unit for _, unit in read))
    return SubNetwork(tuple(sorted(read)), tuple(sorted(neurons)), tuple(terminals), inputs)


def decompose(network: SparseNetwork) -> list[SubNetwork]:
    """Decompose a network into sub-networks, one for each set of inputs on which neurons depend (6.3).

    Neurons that depend on the same inputs belong to the same sub-network. The output belongs to none of them, and is
    the sum of their contributions and its bias. Neurons that do not reach the output are left out. To compute
    contributions, choose one output of several (`SparseNetwork.of`).

    Parameters
    ----------
    network : SparseNetwork
        The network.

    Returns
    -------
    list of SubNetwork
        The sub-networks, those with fewer inputs first, and sources before the parts that read them.
    """
    read = _inputs(network)
    useful = stream_neurons(network)
    groups: dict[tuple[int, ...], list[Neuron]] = {}
    for neuron in sorted(useful):
        if 0 < neuron[0] < network.depth:
            groups.setdefault(tuple(sorted(read[neuron])), []).append(neuron)
    parts = []
    for inputs, neurons in groups.items():
        inside = set(neurons)
        sources = {b for n in neurons for b in network.incoming(n)} - inside
        ends = [n for n in neurons if any(a not in inside for a in network.outgoing(n) if a in useful)]
        parts.append(SubNetwork(tuple(sorted(sources)), tuple(neurons), tuple(ends), inputs))
    return sorted(parts, key=lambda part: (len(part.inputs), part.inputs))


def activations(network: SparseNetwork, part: SubNetwork, values: np.ndarray) -> np.ndarray:
    """Compute the activations of the terminals, float64 (n, terminals), from those of the sources.

    If the output neuron is a terminal, its activation is its sum, as Mish is only applied to hidden neurons.

    Parameters
    ----------
    network : SparseNetwork
        The network.
    part : SubNetwork
        One of :func:`decompose`.
    values : ndarray, float (n, sources)
        Values of its sources.
    """
    source_values = np.asarray(values, dtype=np.float64)
    if source_values.ndim != 2 or source_values.shape[1] != len(part.sources):
        raise InputError(
            f"The sub-network reads {len(part.sources)} sources; the values are {source_values.shape}."
        )
    known = {source: source_values[:, k] for k, source in enumerate(part.sources)}
    for neuron in part.neurons:
        layer, unit = neuron
        total = np.full(len(source_values), network.biases[layer - 1][unit])
        for before in network.incoming(neuron):
            total = total + network.weights[layer - 1][before[1], unit] * known[before]
        known[neuron] = mish(total) if layer < network.depth else total
    return np.stack([known[t] for t in part.terminals], axis=1)


def contribution(network: SparseNetwork, part: SubNetwork, values: np.ndarray) -> np.ndarray:
    """Compute the contribution of a sub-network to the output, float64 (n,), from the activations of its sources.

    It is 0 for a sub-network that is only read by other sub-networks.

    Parameters
    ----------
    network : SparseNetwork
        The network.
    part : SubNetwork
        One of :func:`decompose`.
    values : ndarray, float (n, sources)
        Values of its sources.
    """
    ends = activations(network, part, values)
    last = network.depth - 1
    weights = [network.weights[last][unit, 0] if layer == last else 0.0 for layer, unit in part.terminals]
    return np.asarray(ends @ np.array(weights))


def feeds_output(network: SparseNetwork, part: SubNetwork) -> bool:
    """Return whether the output reads one of the sub-network's terminals.

    Parameters
    ----------
    network : SparseNetwork
        The network.
    part : SubNetwork
        One of :func:`decompose`.
    """
    return any((network.depth, 0) in network.outgoing(t) for t in part.terminals)


def stream_neurons(network: SparseNetwork) -> set[Neuron]:
    """Return the neurons, inputs included, from which an output can be reached, and the outputs.

    Parameters
    ----------
    network : SparseNetwork
        The network.
    """
    neurons: set[Neuron] = set()
    waiting: list[Neuron] = [(network.depth, unit) for unit in range(network.widths[-1])]
    while waiting:
        neuron = waiting.pop()
        neurons.add(neuron)
        waiting += [source for source in network.incoming(neuron) if source not in neurons]
    return neurons


def input_survival(kept: Sequence[Sequence[int]]) -> dict[int, int]:
    """Count the models in which each input survives, most frequent first.

    Parameters
    ----------
    kept : sequence of sequence of int
        Inputs that each model keeps.
    """
    counts = Counter(k for inputs in kept for k in set(inputs))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def usual_inputs(kept: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Return the inputs that at least half of the models keep, in order, or all kept inputs if there are none.

    Parameters
    ----------
    kept : sequence of sequence of int
        Inputs that each model keeps.
    """
    counts = input_survival(kept)
    return tuple(sorted([k for k, count in counts.items() if 2 * count >= len(kept)] or counts))


def _inputs(network: SparseNetwork) -> dict[Neuron, frozenset[int]]:
    """Return the inputs that each neuron depends on."""
    inputs: dict[Neuron, frozenset[int]] = {(0, k): frozenset([k]) for k in range(network.widths[0])}
    for layer, mask in enumerate(network.masks, start=1):
        for unit in range(mask.shape[1]):
            inputs[(layer, unit)] = frozenset().union(*(inputs[b] for b in network.incoming((layer, unit))))
    return inputs
