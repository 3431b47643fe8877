"""The sparse networks of a study: which inputs survive, what these encode, and figures 5 to 10 and 25.

Run ``python benchmarks/sparse_networks.py STUDY NAME [--out docs]``. Prints the table of surviving inputs. If the
labelled cells are simulated, inputs are described by their mutual information with the simulator's factors within each
class, otherwise by measured shapes. Writes OUT/images/NAME_network.png (figure 5), NAME_networks.png (25),
NAME_stream_*.png (6), NAME_response_*.png (7 to 10) and NAME_inputs.png, the traversals of the surviving inputs.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from disentanglement import discretise, entropy, mutual_information, within
from matplotlib.figure import Figure

from morpholaw.cells.oriented_shapes import measure_shapes
from morpholaw.figures.pictures import traversal_grid
from morpholaw.figures.response import ResponseAxis, response_map_1d, response_map_2d
from morpholaw.figures.topology import topologies, topology
from morpholaw.interpretation.latent_names import correlate
from morpholaw.interpretation.readable_parts import ReadablePart, readable_parts
from morpholaw.interpretation.responses import Response, monotonicity, response_map
from morpholaw.interpretation.subnetworks import SparseNetwork, input_survival, stream
from morpholaw.interpretation.traversal import traverse
from morpholaw.models.classifier import Classifier
from morpholaw.store import classifiers
from morpholaw.study import Study

PICTURES = np.linspace(-3, 3, 7)
"""Latent values whose decoded cells stand along the axes."""
MAPS = 6
"""Response maps drawn, at the most."""


def surviving_inputs(study: Study, classifier: Classifier) -> pd.DataFrame:
    """Return one row per input: how many models keep it, and the two factors or shapes that it encodes best."""
    kept = [classifier.kept_latents(k) for k in range(classifier.members)]
    known = _factors(study)
    rows = []
    for latent, count in input_survival(kept).items():
        best = known[latent].abs().sort_values(ascending=False).head(2)
        rows.append(
            {"input": f"z{latent}", "survives in": f"{count} of {len(kept)}"}
            | {f"knows {k + 1}": f"{name} {share:.2f}" for k, (name, share) in enumerate(best.items())}
        )
    return pd.DataFrame(rows)


def _factors(study: Study) -> pd.DataFrame:
    """Return what each latent encodes, (factors, latents).

    For simulated cells, the mutual information within a class divided by the factor's entropy there; otherwise the
    share of the variance of a measured shape's ranks that a quadratic in the latent explains.
    """
    labelled = np.flatnonzero(study.labels != "")
    means, cells = study.latents()[0][labelled], study.crops.cells.iloc[labelled]
    numbers = cells.select_dtypes("number").dropna(axis="columns")
    names = [column for column in numbers if column.startswith("true_")]
    if names:
        bins, factors = discretise(means), discretise(numbers[names].to_numpy(np.float64))
        classes = study.labels[labelled]
        shares = [
            [within(classes, mutual_information, f, z) / within(classes, entropy, f) for z in bins.T]
            for f in factors.T
        ]
        return pd.DataFrame(shares, index=[name.removeprefix("true_") for name in names])
    measured = correlate(means, measure_shapes(study.crops[labelled]))
    return measured.pivot(index="shape", columns="latent", values="quadratic")


def response_figure(readable: ReadablePart, pictures: np.ndarray) -> Figure:
    """Figure 7 for one input, 8 to 10 for two; ``pictures`` (inputs, values, s, s)."""
    says, names = readable.meaning, [f"z{latent}" for latent in readable.part.inputs]
    made = response_map(readable.response, len(names))
    axes = [
        ResponseAxis(made.axis, name, cells, PICTURES) for name, cells in zip(names, pictures, strict=True)
    ]
    if len(axes) == 1:
        return response_map_1d(axes[0], made.values, response_name=says)
    return response_map_2d(axes[0], axes[1], made.values.T, response_name=says)


def symmetries(response: Response, inputs: int) -> pd.DataFrame:
    """Measure how symmetric a response is under swapping and negating its inputs.

    A response is the sum of a part that the operation does not change (even) and a part whose sign it changes (odd).
    The parity is the even part's share of the variance minus the odd part's: 1 for "treated equally" (z17 and z21 in
    the paper), -1 for "equally, in opposite directions", about 0 for neither.

    Returns
    -------
    pd.DataFrame
        ``operation`` ("negate", "swap", "negate and swap", the mirror at z_a = -z_b), ``inputs`` (positions)
        and ``parity``, in [-1, 1]; NaN for a response that is constant.
    """
    points = np.random.default_rng(0).uniform(-3, 3, (20_000, inputs))
    values = np.asarray(response(points), dtype=np.float64)
    rows: list[dict[str, object]] = []
    for k in range(inputs):
        moved = points.copy()
        moved[:, k] *= -1
        rows.append({"operation": "negate", "inputs": (k,), "parity": parity(values, response(moved))})
    for pair in combinations(range(inputs), 2):
        moved = points.copy()
        moved[:, list(pair)] = points[:, list(pair[::-1])]
        rows.append({"operation": "swap", "inputs": pair, "parity": parity(values, response(moved))})
        moved[:, list(pair)] *= -1
        rows.append(
            {"operation": "negate and swap", "inputs": pair, "parity": parity(values, response(moved))}
        )
    return pd.DataFrame(rows, columns=["operation", "inputs", "parity"])


def parity(values: np.ndarray, moved: np.ndarray) -> float:
    """Return even minus odd share of the variance of ``values`` (n,), given the values at the moved points (n,)."""
    finite = np.isfinite(values) & np.isfinite(moved)
    if not finite.any():
        return float("nan")
    centre = (values[finite].mean() + moved[finite].mean()) / 2
    even = np.mean(((values[finite] + moved[finite]) / 2 - centre) ** 2)
    odd = np.mean(((values[finite] - moved[finite]) / 2) ** 2)
    scale = max(float(np.abs(values[finite]).max()), 1e-300)
    return float((even - odd) / (even + odd)) if even + odd > (1e-12 * scale) ** 2 else float("nan")


def describe(readable: ReadablePart) -> str:
    """Symmetry and monotonicity of a response as numbers."""
    names, response = [f"z{latent}" for latent in readable.part.inputs], readable.response
    even = ", ".join(
        f"{row.operation} {' '.join(names[k] for k in row.inputs)} {row.parity:+.2f}"
        for row in symmetries(response, len(names)).itertuples()
    )
    rises = ", ".join(
        f"{name} {value:+.2f}" for name, value in zip(names, monotonicity(response, len(names)), strict=True)
    )
    return f"{readable.meaning} of {' and '.join(names)}: parity {even}; monotonicity {rises}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("name")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    study, images = Study.open(options.study), options.out / "images"
    images.mkdir(parents=True, exist_ok=True)

    def save(figure: Figure, what: str) -> None:
        figure.savefig(images / f"{options.name}{what}.png", dpi=150)

    classifier = study.classifier(3)
    assert classifier.head is not None
    encoder, means = study.encoder, study.latents()[0]
    inputs = [f"z{latent}" for latent in range(classifier.head.inputs)]
    networks = [SparseNetwork.of(classifier.head, k) for k in range(classifier.members)]
    weights = [sum(int(mask.sum()) for mask in network.masks) for network in networks]
    accuracy = classifiers.record(study, "scheme3").evaluation.accuracy
    # Of the ten, one that comes apart into parts of few inputs, as the paper chose.
    parts = [len(readable_parts(network)) for network in networks]
    best = int(np.lexsort((weights, -np.asarray(accuracy), -np.array(parts)))[0])
    one = networks[best]
    print(f"weights {np.mean(weights):.0f} ± {np.std(weights, ddof=1):.0f}")
    print(f"drawn: model {best + 1} of accuracy {accuracy[best]:.3f}")
    print(surviving_inputs(study, classifier).to_string(index=False))

    save(topology(one.weights, one.masks, one.biases, inputs), "_network")
    titles = [f"model {k + 1}: {count} weights" for k, count in enumerate(weights)]
    save(topologies([(n.weights, n.masks, n.biases) for n in networks], inputs, titles=titles), "_networks")

    kept = classifier.kept_latents(best)
    base = np.median(means, axis=0)
    strips = traverse(encoder, base, kept, PICTURES)
    save(traversal_grid(strips, [f"z{latent}" for latent in kept], PICTURES), "_inputs")
    for latent in kept[:1]:
        lit = stream(one, [latent])
        save(topology(one.weights, one.masks, one.biases, inputs, highlight=lit), f"_stream_z{latent}")
    for number, readable in enumerate(readable_parts(one)[:MAPS]):
        print(describe(readable))
        pictures = traverse(encoder, base, readable.part.inputs, PICTURES)
        save(response_figure(readable, pictures), f"_response_{number + 1}")


if __name__ == "__main__":
    main()
