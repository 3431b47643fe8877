"""Drawings of sparse networks: neurons, signed weights, biases, streams (paper, fig. 5, 6, 25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from morpholaw.display import number
from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    FigSize,
    Theme,
    columns_for,
    figure_width,
    heading,
    note,
    one_panel,
    panel_grid,
    plain,
    symbol,
)

Arrays = Sequence[np.ndarray]
WIDEST = 3.5
"""Line width of the largest weight, in points."""
_SMALLEST = 4.0
"""Smallest font size of biases, in points; biases are left out if there is no room."""
_LETTER = 0.62
"""Approximate width of a letter relative to its font size."""
_NODE = 5.0
"""Distance of a bias from the centre of its neuron, in points."""


@dataclass(frozen=True)
class _Drawing:
    """Positions of the connected neurons: ``places[layer]`` maps a neuron to its x in [0, 1]."""

    weights: list[np.ndarray]
    masks: list[np.ndarray]
    biases: list[np.ndarray]
    places: list[dict[int, float]]


def topology(
    weights: Arrays,
    masks: Arrays | None,
    biases: Arrays | None,
    input_names: Sequence[str],
    *,
    highlight: Arrays | None = None,
    output_names: Sequence[str] = ("f(x)",),
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Draw a network from its inputs (top) to its output (bottom), as in figures 5 and 6 of the paper.

    Positive weights are blue and negative ones red; line widths are proportional to magnitudes. Biases are written to
    the right of their neurons. Inputs and hidden neurons without a connection are left out.

    Parameters
    ----------
    weights : sequence of ndarray
        Weights of each layer, (n_in, n_out).
    masks : sequence of ndarray, optional
        Masks of each layer, bool (n_in, n_out), True for active weights; by default weights other than zero.
    biases : sequence of ndarray, optional
        Biases of each layer, (n_out,); by default none are written.
    input_names : sequence of str
        Names of all inputs of the first layer.
    highlight : sequence of ndarray, optional
        Connections to highlight, bool (n_in, n_out) per layer; all others are grey (paper, fig. 6).
    output_names : sequence of str
        Names of the output neurons.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes of the layers do not match.
    """
    drawing = _lay_out(weights, masks, biases, len(input_names))
    streams = None if highlight is None else [np.asarray(layer, bool) for layer in highlight]
    if streams is not None:
        validation.same_length(streams, len(drawing.weights), "highlighted layers")
    width = figure_width(figsize, 4.6)
    used = [input_names[neuron] for neuron in drawing.places[0]]
    layers = len(drawing.places) + _long(used, width) + _long(output_names, width)
    figure, axes = one_panel(figsize, theme, width, height=0.75 * layers + 0.5)
    _draw(axes, drawing, theme, streams, (list(input_names), list(output_names)), bool(biases), width)
    strongest = _strongest(drawing)
    if strongest:
        handles = [
            Line2D([], [], color=theme.positive, linewidth=2, label="positive weight"),
            Line2D([], [], color=theme.negative, linewidth=2, label="negative weight"),
            Line2D([], [], color=theme.muted, linewidth=WIDEST, label=f"|w| = {number(strongest)}"),
        ]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=3 if width > 3.4 else 2, frameon=False,
            fontsize=SMALL, labelcolor=theme.foreground,
        )  # fmt: skip
    return figure


def topologies(
    networks: Sequence[tuple[Arrays, Arrays | None, Arrays | None]],
    input_names: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Draw all members of an ensemble as small networks (paper, fig. 25).

    Parameters
    ----------
    networks : sequence of tuple
        (weights, masks, biases) of each network, as for :func:`topology`; biases are not written.
    input_names : sequence of str
        Names of all inputs.
    titles : sequence of str, optional
        Heading of each network; by default "model 1", "model 2", ...
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there are no networks, or the shapes of layers do not match.
    """
    if not networks:
        raise InputError("There is no network to draw; at least one is needed.")
    titles = titles or [f"model {index + 1}" for index in range(len(networks))]
    validation.same_length(titles, len(networks), "titles")
    width = figure_width(figsize, 7.2)
    each = width / columns_for(len(networks), width, 1.45)
    tall = 2.9 if _long(input_names, each) else 1.9
    figure, grid = panel_grid(figsize, theme, len(networks), 1.45, lambda _: tall, width=7.2)
    for axes, network, title in zip(grid, networks, titles, strict=True):
        _draw(axes, _lay_out(*network, len(input_names)), theme, None, (list(input_names), []), False, each)
        heading(axes, plain(title), theme)
    return figure


def _lay_out(weights: Arrays, masks: Arrays | None, biases: Arrays | None, inputs: int) -> _Drawing:
    """Check the layers and position every connected neuron, sources above their targets."""
    layers = [validation.numbers(layer, ("n_in", "n_out"), "weights") for layer in weights]
    if not layers:
        raise InputError("The figure's weights must have at least one layer.")
    active = [layer != 0 for layer in layers] if masks is None else [np.asarray(mask, bool) for mask in masks]
    validation.same_length(active, len(layers), "masks")
    widths = [inputs, *(layer.shape[1] for layer in layers)]
    for number_, (layer, mask) in enumerate(zip(layers, active, strict=True), start=1):
        if layer.shape != (widths[number_ - 1], widths[number_]) or mask.shape != layer.shape:
            raise InputError(
                f"Layer {number_} of the network must have weights and a mask of shape "
                f"({widths[number_ - 1]}, {widths[number_]}), not {layer.shape} and {mask.shape}."
            )
    offsets = [np.zeros(layer.shape[1]) for layer in layers]
    if biases is not None:
        offsets = [
            validation.numbers(bias, (n,), "biases") for bias, n in zip(biases, widths[1:], strict=True)
        ]
    return _Drawing(layers, active, offsets, _places(layers, active, widths))


def _places(layers: list[np.ndarray], masks: list[np.ndarray], widths: list[int]) -> list[dict[int, float]]:
    """Order each layer by the mean position of its sources (barycentre method), which keeps crossings few."""
    places: list[dict[int, float]] = []
    for index, width in enumerate(widths):
        incoming = masks[index - 1].any(0) if index else np.zeros(width, bool)
        outgoing = masks[index].any(1) if index < len(masks) else np.ones(width, bool)
        shown = np.flatnonzero(incoming | outgoing)
        if index:
            pull = np.abs(layers[index - 1]) * masks[index - 1] + 1e-9 * masks[index - 1]
            above = np.array([places[-1].get(neuron, 0.5) for neuron in range(widths[index - 1])])
            centre = (above @ pull) / np.maximum(pull.sum(0), 1e-12)
            centre[pull.sum(0) == 0] = 2.0  # neurons with only a bias come last
            shown = shown[np.argsort(centre[shown], kind="stable")]
        places.append({int(neuron): (rank + 0.5) / len(shown) for rank, neuron in enumerate(shown)})
    return places


def _strongest(drawing: _Drawing) -> float:
    """Return the largest magnitude of the active weights; 0 if there are none."""
    return max(
        float(np.abs(w[m]).max(initial=0)) for w, m in zip(drawing.weights, drawing.masks, strict=True)
    )


def _draw(
    axes: Axes, drawing: _Drawing, theme: Theme, streams: list[np.ndarray] | None,
    names: tuple[list[str], list[str]], biases: bool, inches: float,
) -> None:  # fmt: skip
    """Draw connections, then neurons over them, then biases and names (of inputs and outputs)."""
    input_names, output_names = names
    axes.set_axis_off()
    depth = len(drawing.places) - 1
    inputs = [input_names[neuron] for neuron in drawing.places[0]]
    upright, slanted = (_long(row, inches) for row in (inputs, output_names))
    axes.set(xlim=(0, 1), ylim=(-depth - (1.1 if slanted else 0.35), 1.5 if upright else 0.4))
    if not any(mask.any() for mask in drawing.masks):
        note(axes, "no weight is active", theme)
        return
    _draw_weights(axes, drawing, theme, streams)
    outlined = {"path_effects": [withStroke(linewidth=2, foreground=theme.background)]}
    for layer, places in enumerate(drawing.places):
        crowded = min(SMALL, 72 * inches / max(len(places), 1) / (1.6 if upright else 3.4))
        lit = _lit(layer, drawing.masks, streams)
        colours = [theme.foreground if lit[neuron] else theme.muted for neuron in places]
        size = min(28.0, (30 * inches / max(len(places), 1)) ** 2)
        xs = list(places.values())
        axes.scatter(xs, [-layer] * len(xs), s=size, c=colours, edgecolors=theme.background, zorder=3)
        written = input_names if layer == 0 else output_names if layer == depth else []
        for (neuron, x), colour in zip(places.items(), colours, strict=True):
            if layer == 0 and crowded > 2:
                size = min(SMALL if upright else 9.0, crowded * 1.3)
                look: dict[str, Any] = {"fontsize": size, "color": colour, "rotation": 90 if upright else 0}
                _write(axes, (x, 0), (0, 5), symbol(written[neuron]), look | outlined)
            if layer == depth and neuron < len(written):
                look = {"fontsize": SMALL, "color": colour, "rotation": 90 if slanted else 0}
                _write(axes, (x, -layer), (0, -5), symbol(written[neuron]), look | outlined)
            if layer and biases:
                value = drawing.biases[layer - 1][neuron]
                beside = min(crowded, (72 * inches / len(places) - _NODE) / 3.2)
                if beside >= _SMALLEST:
                    look = {"fontsize": beside, "color": colour}
                    _write(axes, (x, -layer), (_NODE, 0), number(value), look | outlined)


def _lit(layer: int, masks: list[np.ndarray], streams: list[np.ndarray] | None) -> np.ndarray:
    """Return which neurons of a layer have a highlighted connection."""
    shown = masks if streams is None else [mask & stream for mask, stream in zip(masks, streams, strict=True)]
    count = masks[layer].shape[0] if layer < len(masks) else masks[-1].shape[1]
    lit = np.zeros(count, bool)
    if layer < len(masks):
        lit |= shown[layer].any(1)
    if layer:
        lit |= shown[layer - 1].any(0)
    return lit


def _draw_weights(axes: Axes, drawing: _Drawing, theme: Theme, streams: list[np.ndarray] | None) -> None:
    """Draw lines between neurons; connections that are not highlighted are thin, grey and below the others."""
    strongest = _strongest(drawing)
    segments, colours, widths, orders = [], [], [], []
    for layer, (weight, mask) in enumerate(zip(drawing.weights, drawing.masks, strict=True)):
        for source, target in np.argwhere(mask):
            start = (drawing.places[layer][int(source)], -layer)
            segments.append((start, (drawing.places[layer + 1][int(target)], -layer - 1)))
            value = weight[source, target]
            inside = streams is None or streams[layer][source, target]
            signed = theme.positive if value > 0 else theme.negative
            colours.append(signed if inside else theme.muted + "60")
            widths.append(0.4 + (WIDEST - 0.4) * abs(value) / max(strongest, 1e-12))
            orders.append(bool(inside))
    order = np.argsort(orders, kind="stable")
    dense = len(segments) > 200
    axes.add_collection(
        LineCollection(
            [segments[i] for i in order], colors=[colours[i] for i in order],
            linewidths=[widths[i] for i in order], alpha=0.45 if dense else None, capstyle="round", zorder=1,
        ),
        autolim=False,
    )  # fmt: skip


def _long(names: Sequence[str], inches: float) -> bool:
    """Return whether names do not fit side by side and must be written vertically."""
    letters = max((len(name) for name in names), default=0)
    return len(names) > 1 and letters * SMALL * _LETTER > 72 * inches / len(names)


def _write(
    axes: Axes, place: tuple[float, float], away: tuple[float, float], text: str, look: dict[str, Any]
) -> None:
    """Write text a few points away from a neuron, with an outline that keeps it legible over lines.

    The text is to the right, above or below; the right has the most room between connections.
    """
    right, rise = away
    vertical = "center" if rise == 0 else "bottom" if rise > 0 else "top"
    axes.annotate(
        text, place, xytext=away, textcoords="offset points", ha="left" if right else "center", va=vertical,
        zorder=4, annotation_clip=False, **look,
    )  # fmt: skip
