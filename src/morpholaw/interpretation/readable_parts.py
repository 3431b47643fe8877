"""Interpretable parts of a sparse network, which are functions of one or two inputs (paper, 6.3, figures 7-10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from morpholaw.interpretation.subnetworks import (
    SparseNetwork,
    SubNetwork,
    activations,
    contribution,
    decompose,
    feeds_output,
    sub_network,
)


@dataclass(frozen=True)
class ReadablePart:
    """A sub-network of one or two inputs.

    Attributes
    ----------
    part : SubNetwork
        The sub-network, beginning with the inputs.
    response : callable
        Function from inputs, (n, inputs), to the response, float64 (n,).
    meaning : str
        Meaning of the response: "contribution to f" or "activation".
    """

    part: SubNetwork
    response: Callable[[np.ndarray], np.ndarray]
    meaning: str


def readable_parts(network: SparseNetwork) -> list[ReadablePart]:
    """Return the sub-networks of one or two inputs with their responses, those with fewer inputs first."""
    parts = []
    for part in decompose(network):
        if len(part.inputs) > 2:
            continue
        whole = sub_network(network, part.terminals)
        if feeds_output(network, whole):
            parts.append(ReadablePart(whole, _contribution(network, whole), "contribution to f"))
        else:
            parts.append(ReadablePart(whole, _activation(network, whole), "activation"))
    return parts


def _contribution(network: SparseNetwork, part: SubNetwork) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: contribution(network, part, values)


def _activation(network: SparseNetwork, part: SubNetwork) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: activations(network, part, values)[:, 0]
