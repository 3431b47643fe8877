"""The sparse networks of scheme 3: their topology, which inputs survive, and one taken apart (figures 5 to 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from morpholaw.display import percent
from morpholaw.interpretation.readable_parts import ReadablePart, readable_parts
from morpholaw.interpretation.responses import monotonicity, response_map
from morpholaw.interpretation.subnetworks import SparseNetwork, input_survival, stream, usual_inputs
from morpholaw.interpretation.traversal import traverse
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


EACH_OUTPUT = 0.42
"""Inches that each output of the best network has, whose name stands upright and whose bias beside it."""
SMALL_MULTIPLES = 20
"""Maximum number of networks side by side."""


def networks(material: Material) -> list[Block]:
    """Show the best network, all of them, and in how many models each input survives."""
    from morpholaw.figures.topology import topologies, topology

    classifier = material.need(
        "scheme3", "Scheme 3 has not been trained, so there are no sparse networks to show."
    )
    assert classifier.head is not None
    record = material.records["scheme3"]
    accuracy = record.evaluation.accuracy
    best = int(np.argmax(accuracy))
    all_networks = [SparseNetwork.of(classifier.head, k) for k in range(classifier.members)]
    inputs = record.columns_read.names
    one = all_networks[best]
    outputs = ("f(x)",) if record.two_classes else record.classes
    figsize = (max(4.6, EACH_OUTPUT * len(outputs)), None)
    figure = topology(one.weights, one.masks, one.biases, inputs, output_names=outputs, figsize=figsize)
    weights = record.head_weights or ()
    output = f"the output is positive for {record.classes[-1]}"
    if not record.two_classes:
        output = "there is one output per class"
    caption = (
        f"Model {best + 1}, the most accurate on the test cells ({percent(accuracy[best])}): {weights[best]} "
        f"weights, expression size {record.expression_sizes[best]} (eq. 14). Numbers are biases; {output}."
    )
    blocks: list[Block] = [drawing(figure, "The best sparse network", caption)]
    shown = all_networks[:SMALL_MULTIPLES]
    if len(shown) > 1:
        titles = [f"model {k + 1}: {weights[k]} weights" for k in range(len(shown))]
        grid = topologies([(n.weights, n.masks, n.biases) for n in shown], inputs, titles=titles)
        left_out = (
            f" ({len(all_networks) - len(shown)} more are not drawn)"
            if len(all_networks) > len(shown)
            else ""
        )
        blocks.append(
            drawing(
                grid,
                "All sparse networks",
                f"All models of scheme 3{left_out}; the most accurate is model {best + 1}.",
            )
        )
    blocks.append(_survival(material, all_networks))
    return blocks


def _survival(material: Material, all_networks: list[SparseNetwork]) -> Table:
    """Return in how many of the models each input survives."""
    columns = material.records["scheme3"].columns_read
    latents = columns.latent_places
    kept = [network.kept_inputs for network in all_networks]
    counts, usual = input_survival(kept), usual_inputs(kept)
    rows = [
        (
            material.called(latents[place]) if place in latents else columns.names[place],
            f"{count} of {len(kept)}",
            "yes" if place in usual else "no",
        )
        for place, count in counts.items()
    ] or [("none", f"0 of {len(kept)}", "no")]
    caption = (
        f"In how many of the {len(kept)} models each input survives; the other {len(columns.names) - len(counts)} "
        "inputs survive in none."
    )
    return Table(("Input", "Survives in", "In most models"), rows, caption)


VALUES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Values of a latent whose decoded cells stand along an axis."""
MAPS = 6
"""Responses drawn, at most."""
STREAMS = 6
"""Streams drawn, at most."""


def network_parts(material: Material) -> list[Block]:
    """Show the streams and the parts of one or two inputs of the model that comes apart into most of these."""
    classifier = material.need(
        "scheme3", "Scheme 3 has not been trained, so there is no sparse network to take apart."
    )
    assert classifier.head is not None
    if not material.records["scheme3"].two_classes:
        raise Absent(
            "Parts are shown of networks with one output; this one has one per class. See the Network panel."
        )
    if classifier.columns is not None or classifier.encoder is None:
        raise Absent(
            "The sparse networks read measured shapes; the Network panel shows what their parts respond to."
        )
    networks = [SparseNetwork.of(classifier.head, k) for k in range(classifier.members)]
    parts = [readable_parts(network) for network in networks]
    accuracy = np.asarray(material.records["scheme3"].evaluation.accuracy)
    chosen = int(np.lexsort((-accuracy, np.array([-len(found) for found in parts])))[0])
    latents = classifier.kept_latents(chosen)
    if not latents:
        raise Absent(f"Model {chosen + 1} of scheme 3 kept no input, so there is nothing to take apart.")
    blocks: list[Block] = [
        Paragraph(
            f"Model {chosen + 1} of scheme 3 is taken apart, of all models the one with most parts that depend on one "
            "or two latents."
        )
    ]
    blocks += [_stream(material, networks[chosen], latent) for latent in latents[:STREAMS]]
    blocks += [_response(material, part) for part in parts[chosen][:MAPS]]
    if not parts[chosen]:
        blocks.append(Paragraph("None of its parts depends on one or two latents alone.", "absent"))
    return blocks


def _stream(material: Material, network: SparseNetwork, latent: int) -> Block:
    """Figure 6: all paths from one input to the output."""
    from morpholaw.figures.topology import topology

    inputs = material.records["scheme3"].columns_read.names
    figure = topology(
        network.weights, network.masks, network.biases, inputs, highlight=stream(network, [latent])
    )
    return drawing(
        figure,
        f"Stream of z{latent}",
        f"The stream of {material.called(latent)}: its paths to the output; others are grey.",
    )


def _response(material: Material, readable: ReadablePart) -> Block:
    """Figures 7 to 10: what a part gives for values of its latents."""
    part = readable.part
    names = [f"z{latent}" for latent in part.inputs]
    called = " and ".join(material.called(latent) for latent in part.inputs)
    rises = ", ".join(
        f"{name} {value:+.2f}"
        for name, value in zip(names, monotonicity(readable.response, len(names)), strict=True)
    )
    caption = (
        f"Response to {called}: {readable.meaning}, with cells decoded along each axis. Monotonicity (1: rises "
        f"everywhere, -1: falls everywhere): {rises}."
    )
    pictures = traverse(material.encoder, material.latents.median, part.inputs, VALUES)
    return drawing(_map(readable, names, pictures), f"Response to {' and '.join(names)}", caption)


def _map(readable: ReadablePart, names: list[str], pictures: np.ndarray) -> Figure:
    from morpholaw.figures.response import ResponseAxis, response_map_1d, response_map_2d

    mapped = response_map(readable.response, len(names))
    axes = [
        ResponseAxis(mapped.axis, name, cells, np.array(VALUES))
        for name, cells in zip(names, pictures, strict=True)
    ]
    if len(axes) == 1:
        return response_map_1d(axes[0], mapped.values, response_name=readable.meaning)
    return response_map_2d(axes[0], axes[1], mapped.values.T, response_name=readable.meaning)
