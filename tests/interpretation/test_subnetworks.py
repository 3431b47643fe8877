"""Streams and sub-networks of sparse networks, and the numbers that describe a response."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.interpretation.responses import monotonicity, response_map
from morpholaw.interpretation.subnetworks import (
    SparseNetwork,
    activations,
    contribution,
    decompose,
    feeds_output,
    input_survival,
    mish,
    stream,
    sub_network,
    usual_inputs,
)
from morpholaw.models.heads import HeadEnsemble


def paper_like():
    """The layout of figure 5: size (0, 3) and eccentricity (1, 2) streams that meet in the third layer.

    Input 3 alone reaches the output by a path of its own (sub-network 1); unit 3 of layer 1 reaches nothing.
    """
    connections = [
        [(0, 0), (3, 0), (1, 1), (2, 1), (3, 2), (4, 3)],
        [(0, 0), (1, 1), (2, 2)],
        [(0, 0), (1, 0), (2, 1)],
        [(0, 0), (1, 0)],
    ]
    shapes = [(5, 4), (4, 3), (3, 2), (2, 1)]
    rng = np.random.default_rng(0)
    masks = [np.zeros(shape, dtype=bool) for shape in shapes]
    for mask, pairs in zip(masks, connections, strict=True):
        for pair in pairs:
            mask[pair] = True
    weights = [rng.normal(size=shape) for shape in shapes]
    biases = [rng.normal(size=shape[1]) for shape in shapes]
    return SparseNetwork.from_arrays(weights, masks, biases)


def test_the_paper_s_four_sub_networks_are_found():
    parts = decompose(paper_like())
    assert [part.inputs for part in parts] == [(3,), (0, 3), (1, 2), (0, 1, 2, 3)]
    own, size, eccentricity, last = parts
    assert own.neurons == ((1, 2), (2, 2), (3, 1))
    assert size.sources == ((0, 0), (0, 3))
    assert size.terminals == ((2, 0),)
    assert eccentricity.terminals == ((2, 1),)
    assert last.sources == ((2, 0), (2, 1))  # "z_size" and "z_round"
    assert [feeds_output(paper_like(), part) for part in parts] == [True, False, False, True]


def recombine(network, z):
    """f(z) from the sub-networks alone."""
    known = {(0, k): z[:, k] for k in range(z.shape[1])}
    total = np.full(len(z), network.biases[-1][0])
    waiting = decompose(network)
    while waiting:
        ready = [p for p in waiting if all(s in known for s in p.sources)]
        assert ready, "sub-networks read each other in a circle"
        for part in ready:
            values = np.array([known[s] for s in part.sources]).reshape(len(part.sources), len(z)).T
            total = total + contribution(network, part, values)
            ends = activations(network, part, values)
            known.update({t: ends[:, k] for k, t in enumerate(part.terminals)})
            waiting.remove(part)
    return total


@given(seed=st.integers(0, 10_000), density=st.floats(0.05, 0.9))
@settings(max_examples=40, deadline=None)
def test_the_parts_add_up_to_the_network(seed, density):
    rng = np.random.default_rng(seed)
    widths = [5, 4, 4, 3, 1]
    shapes = list(pairwise(widths))
    masks = [rng.uniform(size=shape) < density for shape in shapes]
    network = SparseNetwork.from_arrays(
        [rng.normal(size=s) for s in shapes], masks, [rng.normal(size=s[1]) for s in shapes]
    )
    z = rng.normal(size=(6, 5))
    np.testing.assert_allclose(recombine(network, z), network.score(z), rtol=1e-9, atol=1e-9)


def test_a_head_is_read_as_it_scores():
    torch.manual_seed(0)
    head = HeadEnsemble(3, inputs=6, hidden=(5, 4))
    for mask in head.masks:
        mask &= torch.rand(mask.shape) < 0.5
    z = torch.randn(7, 6)
    for k in range(3):
        network = SparseNetwork.of(head, k)
        np.testing.assert_allclose(network.score(z.numpy()), head(z)[k].detach().numpy(), atol=1e-5)


def test_streams_hold_the_paths_from_their_inputs_to_the_output():
    network = paper_like()
    eccentricity = stream(network, [1, 2])
    assert [int(mask.sum()) for mask in eccentricity] == [2, 1, 1, 1]
    nothing = stream(network, [4])  # its path ends in a neuron that leads nowhere
    assert not any(mask.any() for mask in nothing)
    whole = stream(network, range(5))
    assert sum(int(m.sum()) for m in whole) == sum(int(m.sum()) for m in network.masks) - 1


def test_a_sub_network_by_hand():
    network = paper_like()
    size = sub_network(network, [(2, 0)])
    assert size.sources == ((0, 0), (0, 3))
    assert size.inputs == (0, 3)
    z = np.random.default_rng(1).normal(size=(4, 2))
    w, b = network.weights, network.biases
    hidden = mish(z @ w[0][[0, 3], 0] + b[0][0])
    expected = mish(hidden * w[1][0, 0] + b[1][0])
    np.testing.assert_allclose(activations(network, size, z)[:, 0], expected)


def test_survival_counts_models_not_connections():
    assert input_survival([[3, 17, 17], [17, 3], [17]]) == {17: 3, 3: 2}
    assert usual_inputs([[3, 17], [17, 3], [17, 9]]) == (3, 17)
    assert usual_inputs([[4], [2], [9]]) == (2, 4, 9)
    assert usual_inputs([[], []]) == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sub_network(paper_like(), [(2, 9)]), "no neuron 9 in layer 2"),
        (lambda: sub_network(paper_like(), [(7, 0)]), "no neuron 0 in layer 7"),
        (lambda: activations(paper_like(), decompose(paper_like())[0], np.zeros((3, 2))), "reads 1 sources"),
        (lambda: SparseNetwork.of(HeadEnsemble(1, 4, (3,), normalise=True), 0), "batch normalisation"),
        (lambda: SparseNetwork.of(HeadEnsemble(2, 4, (3,)), 2), "models 0 to 1"),
        (lambda: SparseNetwork.from_arrays([np.ones((2, 3))], [np.ones((2, 3))], [np.ones(2)]), "Layer 0"),
        (
            lambda: SparseNetwork.from_arrays([np.ones((2, 1))], [np.ones((2, 1))], [np.ones(1)], 1),
            "no output 1",
        ),
        (lambda: response_map(lambda p: p[:, 0], 3), "one or two inputs"),
    ],
)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_monotonicity_of_known_responses():
    rising, falling, bump, unused = monotonicity(lambda p: np.exp(p[:, 0]) - 2 * p[:, 1] - p[:, 2] ** 2, 4)
    assert rising == pytest.approx(1)
    assert falling == pytest.approx(-1)
    assert bump == pytest.approx(0, abs=1e-9)
    assert np.isnan(unused)


def test_a_response_map_has_the_first_input_along_its_first_axis():
    flat = response_map(lambda p: 2 * p[:, 0] - 3 * p[:, 1], 2)
    np.testing.assert_allclose(flat.values, 2 * flat.axis[:, None] - 3 * flat.axis[None])
    np.testing.assert_allclose(response_map(lambda p: p[:, 0], 1).values, flat.axis)
