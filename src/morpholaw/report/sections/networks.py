"""The sparse networks of scheme 3: topology, surviving inputs, and the parts of one network (figures 5 to 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from morpholaw.display import MINUS, counted, number, percent
from morpholaw.interpretation.readable_parts import ReadablePart, readable_parts
from morpholaw.interpretation.responses import monotonicity, response_map
from morpholaw.interpretation.subnetworks import SparseNetwork, input_survival, stream
from morpholaw.interpretation.traversal import traverse
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


EACH_OUTPUT = 0.42
"""Width in inches per output of the best network, enough for its vertical name and its bias."""
SMALL_MULTIPLES = 20
"""Maximum number of networks in the overview."""


def networks(material: Material) -> list[Block]:
    """Show the best network, all networks, and the number of models in which each input survives."""
    from morpholaw.figures.topology import topologies, topology

    classifier = material.need(
        "scheme3", "Scheme 3 has not been trained, so there are no sparse networks to show."
    )
    assert classifier.head is not None
    record = material.records["scheme3"]
    accuracy = record.evaluation.accuracy
    equal = np.flatnonzero(np.asarray(accuracy) == max(accuracy)).tolist()
    best = min(equal, key=lambda k: (record.expression_sizes[k], k))
    which = "which is the most accurate on the test set"
    if len(equal) > 1:
        which = f"the smallest of the {len(equal)} models that are most accurate on the test set"
    all_networks = [SparseNetwork.of(classifier.head, k) for k in range(classifier.members)]
    inputs = record.columns_read.names
    network = all_networks[best]
    outputs = ("f(x)",) if record.two_classes else record.classes
    figsize = (max(4.6, EACH_OUTPUT * len(outputs)), None)
    figure = topology(
        network.weights, network.masks, network.biases, inputs, output_names=outputs, figsize=figsize
    )
    weights = record.head_weights or ()
    output = f"The output is positive for {record.classes[-1]}."
    if not record.two_classes:
        output = "There is one output per class."
    caption = (
        f"Model {best + 1}, {which} ({percent(accuracy[best])}). It has "
        f"{counted(weights[best], 'weight')} and an expression size of {record.expression_sizes[best]} (eq. 14). "
        f"Numbers are biases. {output}"
    )
    blocks: list[Block] = [drawing(figure, "The best sparse network", caption)]
    shown = all_networks[:SMALL_MULTIPLES]
    if len(shown) > 1:
        titles = [f"model {k + 1}: {counted(weights[k], 'weight')}" for k in range(len(shown))]
        grid = topologies([(n.weights, n.masks, n.biases) for n in shown], inputs, titles=titles)
        subject = "All models of scheme 3."
        if len(all_networks) > len(shown):
            subject = f"The first {len(shown)} of {len(all_networks)} models of scheme 3."
        caption = f"{subject} The one above is model {best + 1}."
        blocks.append(drawing(grid, "All sparse networks", caption))
    blocks.append(_survival(material, all_networks))
    return blocks


def _survival(material: Material, all_networks: list[SparseNetwork]) -> Table:
    """Return a table of the number of models in which each input survives."""
    columns = material.records["scheme3"].columns_read
    latents = columns.latent_places
    kept = [network.kept_inputs for network in all_networks]
    counts = input_survival(kept)
    rows = [
        (
            material.called(latents[place], "scheme3") if place in latents else columns.names[place],
            f"{count} of {len(kept)}",
            "yes" if 2 * count >= len(kept) else "no",
        )
        for place, count in counts.items()
    ] or [("none", f"0 of {len(kept)}", "no")]
    caption = f"Number of models (of {len(kept)}) in which each input survives."
    if others := len(columns.names) - len(counts):
        caption += (
            f" The other {counted(others, 'input')} {'survives' if others == 1 else 'survive'} in no model."
        )
    return Table(("Input", "Kept by", "Kept by at least half"), rows, caption)


VALUES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Values of a latent for which decoded cells are shown along an axis."""
MAPS = 6
"""Maximum number of responses drawn."""
STREAMS = 6
"""Maximum number of streams drawn."""


def network_parts(material: Material) -> list[Block]:
    """Show the streams and the readable parts of one network, the one that has most such parts."""
    classifier = material.need(
        "scheme3", "Scheme 3 has not been trained, so there is no sparse network to analyse."
    )
    assert classifier.head is not None
    if not material.records["scheme3"].two_classes:
        raise Absent(
            "Parts are shown only for networks with one output; these have one per class. See the Network panel."
        )
    if classifier.columns is not None or classifier.encoder is None:
        raise Absent(
            "The sparse networks read measured shapes; see the Network panel for the responses of their parts."
        )
    networks = [SparseNetwork.of(classifier.head, k) for k in range(classifier.members)]
    parts = [readable_parts(network) for network in networks]
    accuracy = np.asarray(material.records["scheme3"].evaluation.accuracy)
    most_parts = int(np.lexsort((-accuracy, np.array([-len(readable) for readable in parts])))[0])
    latents = classifier.kept_latents(most_parts)
    if not latents:
        raise Absent(f"Model {most_parts + 1} of scheme 3 kept no inputs, so there is nothing to analyse.")
    blocks: list[Block] = [
        Paragraph(
            f"Analysis of model {most_parts + 1} of scheme 3, which has the most parts that depend on only one or two "
            "latents."
        )
    ]
    blocks += [_stream(material, networks[most_parts], latent) for latent in latents[:STREAMS]]
    blocks += [_response(material, part) for part in parts[most_parts][:MAPS]]
    if not parts[most_parts]:
        blocks.append(Paragraph("No part of this network depends on only one or two latents.", "absent"))
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
        f"Stream of {material.called(latent, 'scheme3')}: its paths to the output. Other connections are grey.",
    )


def _response(material: Material, readable: ReadablePart) -> Block:
    """Figures 7 to 10: the response of a part to its latents."""
    part = readable.part
    names = [f"z{latent}" for latent in part.inputs]
    titles = " and ".join(material.called(latent, "scheme3") for latent in part.inputs)
    monotonicities = ", ".join(
        f"{number(value, sign=True)} in {name}"
        for name, value in zip(names, monotonicity(readable.response, len(names)), strict=True)
    )
    caption = (
        f"Response to {titles}: {readable.meaning}, with decoded cells along each axis. Monotonicity (+1 for an "
        f"increasing response, {MINUS}1 for a decreasing one): {monotonicities}."
    )
    encoder = material.classifier("scheme3").encoder
    assert encoder is not None
    pictures = traverse(encoder, material.latents_of("scheme3").median, part.inputs, VALUES)
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
