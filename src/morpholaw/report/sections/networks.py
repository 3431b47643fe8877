"""The sparse networks of scheme 3: their topology, and which inputs survive."""

from __future__ import annotations

import numpy as np

from morpholaw.display import percent
from morpholaw.interpretation.subnetworks import SparseNetwork, input_survival, usual_inputs
from morpholaw.report.material import Material
from morpholaw.report.page import Block, Table, drawing

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
    figure = topology(one.weights, one.masks, one.biases, inputs, output_names=outputs)
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
