"""Gain and cost of the joint objective on MitoCheck: pairs of interphase, prometaphase and metaphase, grouped splits.

Run ``python benchmarks/joint_objective.py DATA STUDY [--out docs/joint_objective.json]``, where DATA has the folder
``mitocheck_hela``. For each split and weight, an encoder is trained from the same start. Ten dense heads (scheme 2) per
pair of classes are trained on its latents and tested on groups whose labels neither they nor the encoder have seen. The
encoder's mutual information gap is measured on simulated factors. Encoders that already exist are not trained again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from disentanglement import mutual_information_gap

from morpholaw.cells.files import write_json
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli.progress_bar import progress
from morpholaw.config import ClassifierConfig, EncoderConfig
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store import encoders
from morpholaw.store.labelled_cells import all_labels, split_labelled
from morpholaw.study import Study
from morpholaw.study.latent_rows import oriented_posteriors, repeated, training_latents
from morpholaw.training.encoder import encode
from morpholaw.training.heads import train_heads

CLASSES = {
    "interphase": ["Interphase"],
    "prometaphase": ["Prometaphase"],
    "metaphase": ["Metaphase", "MetaphaseAlignment"],
}
PAIRS = (("interphase", "prometaphase"), ("interphase", "metaphase"), ("prometaphase", "metaphase"))
FACTORS = [
    "true_size",
    "true_aspect",
    "true_diagonality",
    "true_offset_x",
    "true_offset_y",
    "true_brightness",
]


def encoder_of(study: Study, weight: float, split: int, options: argparse.Namespace, said: Any) -> BetaTCVAE:
    """Return the encoder of this weight and split, and train it if it does not exist."""
    kept = study.path / "encoders" / f"task{weight:g}-split{split}"
    if not (kept / "model.json").exists():
        config = EncoderConfig(
            task=weight,
            task_classes=tuple(CLASSES) if weight else (),
            split_seed=split,
            epochs=options.epochs,
            epoch_crops=options.epoch_crops,
            start_from=options.start_from,
            threads=options.threads,
        )
        record = study.train_encoder(config, **said)
        if not record.complete:
            raise SystemExit(130)
        kept.parent.mkdir(exist_ok=True)
        (study.path / "encoder").rename(kept)
    return encoders.load(kept)


def accuracies(
    study: Study, encoder: BetaTCVAE, pair: tuple[str, str], split: int, epochs: int
) -> list[float]:
    """Return the balanced accuracy of ten dense heads on held-out groups of two classes."""
    labels = all_labels(study)
    train, test = split_labelled(study, tuple(CLASSES), None, split)
    train, test = (cells[np.isin(labels[cells], pair)] for cells in (train, test))
    config = ClassifierConfig(epochs=epochs)
    targets = (labels[train] == pair[1]).astype(np.int64)
    rows = repeated(len(train), config.epoch_cells)
    latents = training_latents(*oriented_posteriors(encoder, study.crops[train]), config)[:, rows]
    heads = train_heads(latents, targets[rows], config)
    with torch.no_grad():
        scores = heads(torch.from_numpy(encode(encoder, study.crops[test])[0])).numpy()
    truth = (labels[test] == pair[1]).astype(int)
    return [balanced_accuracy(truth, (own >= 0).astype(int)) for own in scores]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("study", type=Path)
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 1000.0, 3000.0])
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--epoch-crops", type=int, default=200_000)
    parser.add_argument("--head-epochs", type=int, default=100)
    parser.add_argument("--start-from", default="sample")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/joint_objective.json"))
    options = parser.parse_args()
    study = Study.open_or_create(options.study)
    images, cells = simulate_crops(4000, seed=77)
    results: list[dict[str, Any]] = []
    with progress() as monitor:
        said = {"monitor": monitor}
        if not study.sets:
            study.import_crops(
                options.data / "mitocheck_hela", classes=CLASSES, group_regex=r"(PL.*?___P[^_]+)", **said
            )
        for split in options.splits:
            for weight in options.weights:
                encoder = encoder_of(study, weight, split, options, said)
                gap = mutual_information_gap(encode(encoder, images)[0], cells[FACTORS])
                row: dict[str, Any] = {"split": split, "task": weight, "MIG": gap.score}
                for pair in PAIRS:
                    row[" / ".join(pair)] = accuracies(study, encoder, pair, split, options.head_epochs)
                results.append(row)
                write_json(options.out, {"settings": vars(options) | paths(options), "results": results})
    for weight in options.weights:
        rows = [row for row in results if row["task"] == weight]
        said_of = [f"MIG {np.mean([row['MIG'] for row in rows]):.3f}"]
        for pair in (" / ".join(pair) for pair in PAIRS):
            means = [float(np.mean(row[pair])) for row in rows]
            said_of.append(
                f"{pair} {100 * np.mean(means):.1f} ({', '.join(f'{100 * m:.1f}' for m in means)})"
            )
        print(f"task {weight:g}: " + "; ".join(said_of))


def paths(options: argparse.Namespace) -> dict[str, str]:
    """Return the options, with paths shortened to their last part."""
    return {name: value.name for name, value in vars(options).items() if isinstance(value, Path)}


if __name__ == "__main__":
    main()
