"""Topology drawings: what is drawn, in which colour, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex

from morpholaw.errors import InputError
from morpholaw.figures.style import DARK, LIGHT
from morpholaw.figures.topology import topologies, topology

NAMES = ["z3", "z5", "z17"]


@pytest.fixture
def network():
    """3 inputs (z5 unused), 2 of 4 hidden neurons connected, one output."""
    first, second = np.zeros((3, 4)), np.zeros((4, 1))
    first[0, 1], first[2, 1], first[2, 3] = 2.0, -1.0, 0.5
    second[1, 0], second[3, 0] = -0.5, 1.5
    return [first, second], [first != 0, second != 0], [np.array([9, 0.25, 9, -0.75]), np.array([0.1])]


def lines(figure):
    """(colour, width) of all connections."""
    (found,) = figure.findobj(LineCollection)
    return list(zip([to_hex(c) for c in found.get_colors()], found.get_linewidths(), strict=True))


def neurons(figure):
    return sum(len(points.get_offsets()) for points in figure.axes[0].findobj(PathCollection))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("width", [3.2, 4.6])
def test_sign_is_colour_and_magnitude_is_width(draw, texts, network, theme, width):
    figure = topology(*network, NAMES, theme=theme, figsize=(width, None))
    draw(figure)
    drawn = lines(figure)
    assert [colour for colour, _ in drawn].count(theme.positive) == 3
    assert [colour for colour, _ in drawn].count(theme.negative) == 2
    assert max(drawn, key=lambda line: line[1])[0] == theme.positive
    assert {"z₃", "z₁₇", "0.25", "−0.75", "0.10", "f(x)"} <= texts(figure)


def test_biases_do_not_cover_neurons(draw, network):
    figure = topology(*network, NAMES)
    draw(figure)
    (axes,) = figure.axes
    biases = [text for text in axes.texts if text.get_text() in ("0.25", "−0.75", "0.10")]
    assert len(biases) == 3
    offsets = np.concatenate([points.get_offsets() for points in axes.findobj(PathCollection)])
    centres = axes.transData.transform(offsets)
    for bias in biases:
        box = bias.get_window_extent()
        assert not any(box.contains(x, y) for x, y in centres)


def test_biases_without_room_are_left_out(texts):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 40)), rng.normal(size=(40, 1))]
    figure = topology(weights, None, [np.full(40, 7.77), np.array([0.5])], NAMES)
    assert "7.77" not in texts(figure)
    assert "0.50" in texts(figure)


def test_unconnected_neurons_are_left_out(texts, network):
    omitted = topology(*network, NAMES)
    assert neurons(omitted) == 2 + 2 + 1
    assert not {"z₅", "9.00"} & texts(omitted)


def test_a_stream_stands_out(draw, network):
    masks = network[1]
    stream = [np.zeros_like(mask) for mask in masks]
    stream[0][0, 1] = stream[1][1, 0] = True
    figure = topology(*network, NAMES, highlight=stream)
    draw(figure)
    coloured = [colour for colour, _ in lines(figure) if colour in (LIGHT.positive, LIGHT.negative)]
    assert len(coloured) == 2


def test_masks_win_over_values(network):
    weights, masks, biases = network
    masks[0][2, 1] = False
    assert len(lines(topology(weights, masks, biases, NAMES))) == 4
    assert len(lines(topology(weights, None, None, NAMES))) == 5


def test_no_weight_left(draw, texts, network):
    weights, masks, biases = network
    figure = topology(weights, [np.zeros_like(mask) for mask in masks], biases, NAMES)
    draw(figure, colours=5)
    assert "no weight is active" in texts(figure)


def test_ten_small_drawings_and_a_dense_network(draw, texts):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) for shape in [(32, 16), (16, 16), (16, 16), (16, 1)]]
    sparse = [rng.random(layer.shape) < 0.05 for layer in weights]
    names = [f"z{i}" for i in range(32)]
    figure = topologies([(weights, sparse, None)] * 10, names)
    draw(figure)
    assert {"model 1", "model 10"} <= texts(figure)
    draw(topology(weights, None, [np.zeros(16)] * 3 + [np.zeros(1)], names))


def test_layers_that_do_not_fit_are_named(network):
    weights, masks, biases = network
    with pytest.raises(InputError, match="Layer 1 of the network"):
        topology(weights, masks, biases, ["z1"])
    with pytest.raises(InputError, match="biases must have shape"):
        topology(weights, masks, [np.zeros(3), np.zeros(1)], NAMES)
    with pytest.raises(InputError, match="at least one layer"):
        topology([], None, None, NAMES)
    with pytest.raises(InputError, match="no network"):
        topologies([], NAMES)
