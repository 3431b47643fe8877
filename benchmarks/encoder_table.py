"""The effect of each extra objective of the encoder, measured with one protocol, one row per variant and seed.

Run ``python benchmarks/encoder_table.py DATA FOLDER [--variants NAME ...] [--seeds 0 1] [--crops N]``, where DATA has
the folders ``mitocheck_hela``, ``hela_ctc_02`` and ``mdck_h2b``. Every variant trains an encoder on the same crops
(simulated ones and unlabelled MitoCheck crops) for the same number of steps, then schemes 2 to 4 on its latents, and is
tested on cells that none of these models has seen. Rows are appended to FOLDER/rows.jsonl; rows that are already there
are not measured again. ``--page FILE`` writes the table, with means over seeds and their ranges, as Markdown.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from disentanglement import mutual_information_gap
from encoder_cells import FIVE_CLASSES, TWO_CLASSES, Cells, another_microscope, real_cells, simulated_cells
from encoder_networks import NETWORKS, objective
from scipy import ndimage
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from morpholaw.cells.cell_pixels import cell_pixels
from morpholaw.cells.normalise import BRIGHTEST, CEILING, FAINTEST, PEAK, peak
from morpholaw.cells.segmentation import BLOCK
from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.evaluation.cross_validation import folds
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.figures.pictures import montage, traversal_grid
from morpholaw.interpretation.attack import attack_curve
from morpholaw.interpretation.interventions import predictor, surroundings_share, variants
from morpholaw.interpretation.latent_summary import MORPHOLOGY_SHARE, summarise_latents
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.interpretation.surroundings import CellCrops
from morpholaw.interpretation.traversal import decode, traverse
from morpholaw.models.bundle import save_bundle
from morpholaw.models.classifier import Classifier
from morpholaw.models.vae import BetaTCVAE
from morpholaw.sample import sample_folder
from morpholaw.study.latent_rows import training_latents, training_posteriors
from morpholaw.training.augment import gradient_signs
from morpholaw.training.cnn import train_cnn
from morpholaw.training.encoder import encode, train_encoder
from morpholaw.training.heads import train_heads
from morpholaw.training.laws import discover_laws
from morpholaw.training.rigl import METHODS, RigL

PAIR = tuple(TWO_CLASSES)
FACTORS = (
    "true_size",
    "true_aspect",
    "true_diagonality",
    "true_offset_x",
    "true_offset_y",
    "true_brightness",
)
MODELS = 3
"""Heads and laws of each scheme."""
STEPS = 20
"""Steps of the stronger attack."""
SMALL_EPS = (0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05)
"""Magnitudes among which the one is sought at which scheme 1 has 50 %."""


@dataclass(frozen=True)
class Variant:
    """One variant of the table: settings of the encoder, and of the training of heads and laws.

    Attributes
    ----------
    encoder : dict or None
        Settings of the encoder; None for the one that others start from, as it is.
    heads : dict
        Settings of heads, and of what laws learn from.
    start : bool
        Whether training starts from that encoder.
    surroundings : {"kept", "removed", "own scale"}
        What the encoder sees around a cell: the crop as it is, nothing, or surroundings divided by their own
        brightest chromatin.
    network : {"default", "anti-aliased", "two textures"}
        The shipped network, an encoder that blurs what each of its convolutions reads before it leaves out every
        second pixel, or a decoder of two textures.
    """

    encoder: dict[str, Any] | None = field(default_factory=dict)
    heads: dict[str, Any] = field(default_factory=dict)
    start: bool = True
    surroundings: Literal["kept", "removed", "own scale"] = "kept"
    network: Literal["default", "anti-aliased", "two textures"] = "default"

    def seen(self, images: np.ndarray) -> np.ndarray:
        """Return crops as this variant sees them."""
        return images if self.surroundings == "kept" else cells_apart(images, self.surroundings)


SWAPPED = {"swaps": 8}
ATTACKED = {"perturbation": 0.05}
VARIED = {"swaps": 8, "microscopes": 1.0}
ROBUST = {"swap": 0.5, "microscopes": 1.0, "perturbation": 0.05}
STEADY = {"shape_weight": 3000.0, "swap": 0.5, "perturbation": 0.05}
PAPER_HEADS = {"preset": "paper", "epochs": 100, "warmup_epochs": 20}
DEFAULT = {**STEADY, "perturbation": 0.1}
VARIANTS = {
    "start": Variant(None),
    "start, heads swapped": Variant(None, SWAPPED),
    "start, heads varied": Variant(None, VARIED),
    "start, heads attacked": Variant(None, ATTACKED),
    "start, heads swapped and attacked": Variant(None, SWAPPED | ATTACKED),
    "default": Variant(),
    "swap": Variant({"swap": 0.5}),
    "swap, heads swapped": Variant({"swap": 0.5}, SWAPPED),
    "microscopes": Variant({"microscopes": 1.0}),
    "perturbation": Variant({"perturbation": 0.05}),
    "smoothed grain": Variant({"grain_smoothing": True}),
    "shapes": Variant({"shape_weight": 3000.0}),
    "shapes and swap": Variant({"shape_weight": 3000.0, "swap": 0.5}),
    "shapes and swap, heads swapped": Variant({"shape_weight": 3000.0, "swap": 0.5}, SWAPPED),
    "shapes, swap and perturbation": Variant(STEADY),
    "all": Variant(ROBUST),
    "all, heads swapped": Variant(ROBUST, SWAPPED),
    "all, heads varied": Variant(ROBUST, VARIED),
    "cell alone": Variant(surroundings="removed"),
    "cell alone, perturbation": Variant({"perturbation": 0.05}, surroundings="removed"),
    "cell alone, default objectives": Variant(DEFAULT, surroundings="removed"),
    "own scale, default objectives": Variant(DEFAULT, surroundings="own scale"),
    "own scale, default objectives, heads swapped": Variant(DEFAULT, SWAPPED, surroundings="own scale"),
    "default objectives": Variant(DEFAULT),
    "default objectives, heads swapped": Variant(DEFAULT, SWAPPED),
    "default objectives, anti-aliased": Variant(DEFAULT, network="anti-aliased"),
    "default objectives, two textures": Variant(DEFAULT, network="two textures"),
    "paper, from scratch": Variant({"preset": "paper"}, PAPER_HEADS, start=False),
    "plain, from scratch": Variant(start=False),
    "default objectives, from scratch": Variant(DEFAULT, start=False),
    "cell alone, default objectives, from scratch": Variant(DEFAULT, start=False, surroundings="removed"),
    "split, default objectives, from scratch": Variant({**DEFAULT, "split": True}, start=False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--crops", type=int, default=300_000)
    parser.add_argument("--page", type=Path)
    parser.add_argument(
        "--start", type=Path, default=sample_folder() / "encoder", help="The encoder that others start from."
    )
    options = parser.parse_args()
    table = Table(options.data, options.folder, options.crops, options.start)
    for seed in options.seeds:
        for name in options.variants:
            table.add(name, seed)
    if options.page:
        options.page.write_text(markdown(table.rows()), encoding="utf-8")


class Table:
    """The measured rows, stored in a folder, and the cells on which they are measured."""

    def __init__(self, data: Path, folder: Path, crops: int, start: Path) -> None:
        self.folder, self.crops, self.start = folder, crops, start
        self.file = folder / "rows.jsonl"
        simulated = {
            name: simulated_cells(name, folder / "cells")
            for name in ("mdck", "wide", "train", "test", "factors", "swapped")
        }
        self.real = real_cells(data, folder / "cells")
        self.train, self.test, self.factors, self.swapped = (
            simulated[name] for name in ("train", "test", "factors", "swapped")
        )
        unlabelled = [
            simulated["mdck"].images,
            simulated["wide"].images,
            *[self.real["mitocheck"].images] * 2,
        ]
        self.unlabelled = np.concatenate(unlabelled)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows measured so far."""
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def add(self, name: str, seed: int) -> None:
        """Measure one variant with one seed, unless that has been done."""
        key = {"variant": name, "seed": seed, "crops": self.crops}
        if any(key.items() <= row.items() for row in self.rows()):
            return
        variant = VARIANTS[name]
        encoder, training = self.encoder(variant, seed)
        row: dict[str, Any] = {**key, **training}
        begin = time.process_time()
        row |= latents_row(encoder, self.factors, self.test, variant)
        heads = Schemes(encoder, self.train.of(PAIR), variant, seed)
        row |= heads.surroundings(self.swapped)
        row |= heads.attacked(self.test, self.eps_of_scheme_1(), variant)
        row |= travel_row(encoder, self.real, variant, seed)
        row |= held_back_row(encoder, self.real["mitocheck"], variant, seed)
        row["minutes to measure"] = round((time.process_time() - begin) / 60, 2)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def encoder(self, variant: Variant, seed: int) -> tuple[BetaTCVAE, dict[str, Any]]:
        """Return the encoder of a variant; variants that differ only in their heads share one."""
        load = NETWORKS[variant.network]
        if variant.encoder is None:
            return load(self.start), {}
        config = EncoderConfig.from_values(
            {"epochs": 1, "epoch_crops": self.crops, "threads": 1, "seed": seed}
            | EncoderConfig.PLAIN
            | variant.encoder
        )
        changed = [f"{key}-{value}" for key, value in sorted(variant.encoder.items())]
        start = "further" if variant.start else "scratch"
        changed += [] if variant.surroundings == "kept" else [variant.surroundings]
        changed += [] if variant.network == "default" else [variant.network]
        place = self.folder / "encoders" / "_".join([start, str(self.crops), str(seed), *changed])
        if not (place / "model.json").exists():
            begin = time.process_time()
            model = load(self.start).train().requires_grad_(True) if variant.start else None
            with objective(variant.network):
                model, history = train_encoder(variant.seen(self.unlabelled), config, start=model)
            training = {
                "crops/s": round(self.crops / (time.process_time() - begin)),
                "reconstruction error": round(history["reconstruction"][-1], 2),
            }
            place.parent.mkdir(parents=True, exist_ok=True)
            save_bundle(
                place, model.state_dict(), {"kind": "encoder", "settings": model.settings(), **training}
            )
            draw(model, variant.seen(self.test.images), place)
        description = json.loads((place / "model.json").read_text(encoding="utf-8"))
        return load(place), {name: description[name] for name in ("crops/s", "reconstruction error")}

    def eps_of_scheme_1(self) -> float:
        """Return the eps at which image attacks lower scheme 1 to 50 %, or as close as possible; computed once."""
        file = self.folder / "scheme1.json"
        if not file.exists():
            cells = self.train.of(PAIR)
            config = ClassifierConfig(models=MODELS, epochs=4)
            torch.set_num_threads(1)
            cnn, head = train_cnn(cells.images, cells.targets(PAIR), config)
            curve = attack_curve(
                Classifier.dense_cnn(cnn, head, PAIR), self.test.images, self.test.targets(PAIR), SMALL_EPS
            )
            chosen = float(SMALL_EPS[int(np.argmin(np.abs(curve.mean - 0.5)))])
            file.write_text(json.dumps({"eps": chosen, "curve": curve.mean.tolist()}), encoding="utf-8")
        return float(json.loads(file.read_text(encoding="utf-8"))["eps"])


def cells_apart(images: np.ndarray, surroundings: str) -> np.ndarray:
    """Return crops, uint8 (n, s, s), with the cell's pixels, softly cut out, on their own grey scale.

    Surroundings are removed, or divided by their own brightest chromatin (at most amplified fourfold).
    """
    apart = np.empty_like(images)
    for start in range(0, len(images), BLOCK):
        part = images[start : start + BLOCK]
        soft = ndimage.gaussian_filter(cell_pixels(part).astype(np.float32), (0, 1, 1))
        cell = on_own_scale(part * soft, peak(part * soft), FAINTEST)
        if surroundings == "own scale":
            rest = part * (1 - soft)
            cell += on_own_scale(rest, np.percentile(rest.reshape(len(rest), -1), PEAK, axis=1), 0.25)
        apart[start : start + BLOCK] = np.clip(np.rint(cell), 0, 255)
    return apart


def on_own_scale(images: np.ndarray, brightest: np.ndarray, faintest: float) -> np.ndarray:
    """Return images, float (n, s, s), divided by the brightest chromatin in each, which becomes 255 / CEILING."""
    scale = np.clip(brightest * (CEILING / 255), faintest, BRIGHTEST)
    return images / scale[:, None, None]


class Schemes:
    """Schemes 2, 3 and 4, trained on the latents of one encoder."""

    def __init__(self, encoder: BetaTCVAE, cells: Cells, variant: Variant, seed: int) -> None:
        self.seed, self.seen = seed, variant.seen
        config = ClassifierConfig.from_values(
            {"models": MODELS, "epochs": 20, "warmup_epochs": 6, "threads": 1, "seed": seed, **variant.heads}
        )
        targets = cells.targets(PAIR)
        means, log_variances = training_posteriors(encoder, self.seen(cells.images), targets, config)
        rows = training_latents(means, log_variances, config)
        repeated = np.tile(np.arange(len(targets)), max(1, 3000 // len(targets)))
        dense = train_heads(rows[:, repeated], targets[repeated], config)
        sparse = train_heads(rows[:, repeated], targets[repeated], config, rigl=RigL(METHODS["measured"]))
        self.kept = usual_inputs([sparse.kept_inputs(k) for k in range(sparse.members)])
        views = means[:, :, list(self.kept)].reshape(-1, len(self.kept))
        law = LawConfig(count=MODELS, evaluations=20_000, processes=1, seed=seed, engine="embedded")
        balanced = balanced_rows(np.tile(targets, len(means)), seed)
        laws = discover_laws(
            pd.DataFrame(views, columns=[f"z{k}" for k in self.kept]).iloc[balanced],
            np.tile(targets, len(means))[balanced],
            law,
            cells=np.tile(np.arange(len(targets)), len(means))[balanced],
        )
        self.classifiers = {
            "2": Classifier.with_head(encoder, dense, PAIR, sparse=False),
            "3": Classifier.with_head(encoder, sparse, PAIR, sparse=True),
            "4": Classifier.with_laws(encoder, laws, PAIR),
        }

    def predictor(self, classifier: Classifier) -> Callable[[np.ndarray], np.ndarray]:
        """Return a function that predicts the classes of crops as they were cut."""
        predict = predictor(scorer(classifier))
        return lambda images: predict(self.seen(images))

    def accuracy(self, cells: Cells, name: str) -> dict[str, float]:
        """Return the balanced accuracy of each scheme, mean over its models."""
        truth = cells.targets(PAIR)
        return {
            f"{name}: scheme {scheme}": accuracy_of(self.predictor(each)(cells.images), truth)
            for scheme, each in self.classifiers.items()
        }

    def surroundings(self, cells: Cells) -> dict[str, Any]:
        """Return the points that each scheme loses in the surroundings of cells of the other class."""
        crops = CellCrops.of(cells.images, cells.table["brightness"].to_numpy())
        truth, row = cells.targets(PAIR), dict[str, Any]()
        # In the grey values of the movie, and as they are in the crops: outside scripts do either.
        as_shown = replace(crops, brightness=np.ones_like(crops.brightness))
        swapped = {
            kind: list(variants(name, one, truth, cells.groups, self.seed))
            for kind, name, one in (
                ("", "other class", crops),
                (" without rims", "other class, cell removed", crops),
                (" as shown", "other class", as_shown),
            )
        }
        for scheme, classifier in self.classifiers.items():
            predict = self.predictor(classifier)
            before = accuracy_of(predict(cells.images), truth)
            row[f"as it is: scheme {scheme}"] = round(100 * before, 2)
            for kind, versions in swapped.items():
                after = [accuracy_of(predict(images), truth) for images in versions]
                row[f"points lost{kind}: scheme {scheme}"] = round(100 * (before - float(np.mean(after))), 2)
        row["kept"] = list(self.kept)
        row["laws"] = [str(law.expression) for law in self.classifiers["4"].laws_of(0)]
        return row

    def attacked(self, cells: Cells, eps: float, variant: Variant) -> dict[str, Any]:
        """Return the accuracy of each scheme under image attacks."""
        cells = Cells(variant.seen(cells.images), cells.table)
        chosen = np.arange(0, len(cells), 4)
        row: dict[str, Any] = {"eps": eps}
        for scheme, classifier in self.classifiers.items():
            curve = attack_curve(classifier, cells.images[chosen], cells.targets(PAIR)[chosen], (eps, 0.05))
            row[f"attacked at eps: scheme {scheme}"], row[f"attacked at .05: scheme {scheme}"] = (
                round(float(value), 4) for value in curve.mean
            )
        law = self.classifiers["4"].select(0)
        for name, size in (("eps", eps), (".05", 0.05)):
            row[f"attacked at {name}, {STEPS} steps: first law"] = stepwise(law, cells.rows(chosen), size)
        return row


def stepwise(classifier: Classifier, cells: Cells, eps: float) -> float:
    """Return the balanced accuracy of one model under projected gradient steps of eps / 6.

    An encoder trained under single steps might only mask its gradient against them.
    """
    truth = cells.targets(PAIR)
    away = torch.from_numpy(2 * truth - 1).float()
    start = torch.from_numpy(np.ascontiguousarray(cells.images)).unsqueeze(1).float() / 255
    images = start.clone()
    for _ in range(STEPS):
        moved = images - eps / 6 * gradient_signs(images, lambda x: classifier.score_images(x)[0], away)
        images = (start + (moved - start).clamp(-eps, eps)).clamp(0, 1)
    with torch.no_grad():
        scores = classifier.score_images(images).numpy()
    return round(accuracy_of((scores >= 0).astype(int), truth), 4)


def latents_row(encoder: BetaTCVAE, factors: Cells, cells: Cells, variant: Variant) -> dict[str, Any]:
    """Return the latents' disentanglement, and how many are active and how many encode the cell itself."""
    means, log_variances = encode(encoder, variant.seen(factors.images))
    gap = mutual_information_gap(means, factors.table[list(FACTORS)])
    summary = summarise_latents(means, log_variances)
    some = cells.rows(np.arange(0, len(cells), 2))
    crops = CellCrops.of(some.images, some.table["brightness"].to_numpy())
    latents = surroundings_share(lambda images: encode(encoder, variant.seen(images))[0], crops, some.groups)
    share = latents[summary.active]
    return {
        "MIG": round(float(gap.score), 4),
        "active": len(summary.active),
        "cell's own": int((share < MORPHOLOGY_SHARE).sum()),
        "surroundings": int((share > 0.5).sum()),
    }


def travel_row(encoder: BetaTCVAE, real: dict[str, Cells], variant: Variant, seed: int) -> dict[str, Any]:
    """Return balanced accuracies of schemes trained on MitoCheck, on held-out movies and on other sources."""
    cells = real["mitocheck"].of(PAIR)
    split = next(iter(folds(cells.groups, cells.targets(PAIR), 3, 1, 0)))
    schemes = Schemes(encoder, cells.rows(split.train), variant, seed)
    held_back = cells.rows(split.test)
    elsewhere = Cells(another_microscope(held_back.images), held_back.table)
    targets = {"other movies": held_back, "another microscope": elsewhere}
    targets |= {name: real[name].of(PAIR) for name in ("hela", "mdck")}
    return {
        key: round(value, 4)
        for name, one in targets.items()
        for key, value in schemes.accuracy(one, name).items()
    }


def held_back_row(encoder: BetaTCVAE, cells: Cells, variant: Variant, seed: int) -> dict[str, Any]:
    """Return balanced accuracies of a regression and of trees on the latents of MitoCheck, on held-out movies."""
    kinds: dict[str, Callable[[], ClassifierMixin]] = {
        "regression": lambda: make_pipeline(
            StandardScaler(), LogisticRegression(C=0.3, class_weight="balanced", max_iter=2_000)
        ),
        "trees": lambda: ExtraTreesClassifier(
            300, class_weight="balanced", min_samples_leaf=2, random_state=0
        ),
    }
    row: dict[str, Any] = {}
    for count, classes in (("two", PAIR), ("five", tuple(FIVE_CLASSES))):
        some = cells.of(classes)
        latents, truth = encode(encoder, variant.seen(some.images))[0], some.targets(classes)
        shuffled = np.random.default_rng(seed).permutation(truth)
        for kind, make in kinds.items():
            row[f"{count} classes: {kind}"] = cross_validated(make, latents, truth, some.groups, seed)
        control = cross_validated(kinds["regression"], latents, shuffled, some.groups, seed)
        row[f"{count} classes, shuffled: regression"] = control
    return row


def cross_validated(
    make: Callable[[], ClassifierMixin], rows: np.ndarray, truth: np.ndarray, groups: np.ndarray, seed: int
) -> float:
    """Return the balanced accuracy over five folds of whole movies, as the mean of two repeats."""
    predicted = np.zeros((2, len(truth)), np.int64)
    for number, fold in enumerate(folds(groups, truth, 5, 2, seed)):
        model = make().fit(rows[fold.train], truth[fold.train])
        predicted[number // 5, fold.test] = model.predict(rows[fold.test])
    return round(accuracy_of(predicted, truth), 4)


def accuracy_of(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean balanced accuracy of predictions, (members, n)."""
    return float(np.mean([balanced_accuracy(truth, one) for one in predicted]))


def balanced_rows(targets: np.ndarray, seed: int, most: int = 4_000) -> np.ndarray:
    """Return equally many rows of both classes, at most ``most`` in total."""
    random = np.random.default_rng(seed)
    each = min(most // 2, *np.bincount(targets))
    return np.concatenate([random.choice(np.flatnonzero(targets == k), each, replace=False) for k in (0, 1)])


def draw(encoder: BetaTCVAE, images: np.ndarray, folder: Path) -> None:
    """Draw crops with their reconstructions, and traversals of the eight most informative latents."""
    chosen = images[np.linspace(0, len(images) - 1, 24).astype(int)]
    means, log_variances = encode(encoder, images)
    decoded = decode(encoder, encode(encoder, chosen)[0]).clip(0, 1)
    pairs = np.concatenate([chosen[:12] / 255, decoded[:12], chosen[12:] / 255, decoded[12:]])
    montage(np.rint(255 * pairs).astype(np.uint8), columns=12).savefig(
        folder / "reconstructions.png", dpi=100
    )
    active = summarise_latents(means, log_variances).active[:8]
    values = np.linspace(-3, 3, 9)
    pictures = np.clip(traverse(encoder, np.median(means, axis=0), active, values), 0, 1)
    traversal_grid(pictures, [f"z{z}" for z in active], values).savefig(folder / "traversals.png", dpi=100)


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table: one column per variant, with means over seeds and their range if there are several."""
    table = pd.DataFrame(rows)
    names = list(dict.fromkeys(table["variant"]))
    columns = [c for c in table.columns if c not in ("variant", "seed", "crops", "kept", "laws", "eps")]

    def cell(name: str, column: str) -> str:
        values = table.loc[table["variant"] == name, column].dropna()
        if not len(values):
            return ""
        spread = f" ({values.min():.4g} to {values.max():.4g})" if len(values) > 1 else ""
        return f"{values.mean():.4g}{spread}"

    lines = ["| | " + " | ".join(names) + " |", "|" + " --- |" * (len(names) + 1)]
    lines += [f"| {c} | " + " | ".join(cell(name, c) for name in names) + " |" for c in columns]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
