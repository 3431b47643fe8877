"""One sparse network taken apart: the streams of its inputs and what its parts respond to (figures 6 to 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from morpholaw.interpretation.readable_parts import ReadablePart, readable_parts
from morpholaw.interpretation.responses import monotonicity, response_map
from morpholaw.interpretation.subnetworks import SparseNetwork, stream
from morpholaw.interpretation.traversal import traverse
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    from morpholaw.figures.response import response_map_1d, response_map_2d

    made = response_map(readable.response, len(names))
    if len(names) == 1:
        return response_map_1d(
            made.axis, made.values, names[0], pictures=pictures[0], picture_values=np.array(VALUES),
            response_name=readable.meaning,
        )  # fmt: skip
    return response_map_2d(
        made.axis, made.axis, made.values.T, (names[0], names[1]), pictures_x=pictures[0], values_x=np.array(VALUES),
        pictures_y=pictures[1], values_y=np.array(VALUES), response_name=readable.meaning,
    )  # fmt: skip
