"""Classifiers trained on one source and applied to another: a matrix over simulated and real microscopes.

Run ``python benchmarks/travel_matrix.py DATA FOLDER [--variant NAME] [--seed 0]`` with DATA and FOLDER as for
``encoder_table.py``, whose cells and encoders are used. Heads and laws for interphase and metaphase are trained on one
source and tested on all cells of the others, and on held-out groups of their own. The table also has a regression on
ten shapes, and scheme 3 and the law with threshold and scale adapted to the other source, without labels and with ten
labelled cells per class, which are not tested. Prints Markdown; rows are appended to FOLDER/travel.jsonl.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from encoder_cells import Cells, another_microscope, real_cells, simulated_cells
from encoder_table import PAIR, VARIANTS, Schemes, Table, accuracy_of
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from morpholaw.cells.splits import grouped_split
from morpholaw.errors import InputError
from morpholaw.evaluation.adaptation import Adaptation, adapt_to_labels, adapt_to_scores
from morpholaw.evaluation.baselines import baseline_features
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.models.classes import classes_of_scores
from morpholaw.sample import sample_folder

LABELS = 10
"""Labelled cells per class to which threshold and scale are adapted."""
DRAWS = 5
"""Random draws of those cells."""
MOST = 500
"""Maximum number of cells per class; more take time and change nothing."""


def sources(data: Path, folder: Path) -> dict[str, Cells]:
    """Return the interphase and metaphase cells of each source, by name."""
    real = real_cells(data, folder / "cells")
    train, wide = (simulated_cells(name, folder / "cells") for name in ("train", "wide"))
    mitocheck = real["mitocheck"].of(PAIR)
    found = {
        "simulated MDCK": train.of(PAIR),
        "simulated, wide": wide.of(PAIR),
        "MitoCheck": mitocheck,
        "HeLa, another movie": real["hela"].of(PAIR),
        "MDCK": real["mdck"].of(PAIR),
        "MitoCheck, other optics": replace(mitocheck, images=another_microscope(mitocheck.images)),
    }
    return {name: _fewer(cells) for name, cells in found.items()}


def _fewer(cells: Cells) -> Cells:
    truth, random = cells.targets(PAIR), np.random.default_rng(0)
    kept = [random.permutation(np.flatnonzero(truth == k))[:MOST] for k in (0, 1)]
    return cells.rows(np.sort(np.concatenate(kept)))


def shapes(cells: Cells) -> np.ndarray:
    """Return the shapes of cells; 0 if there is no nucleus."""
    return np.nan_to_num(baseline_features(cells.images))


def adapted(
    scores: np.ndarray, known: np.ndarray, known_truth: np.ndarray, truth: np.ndarray, seed: int
) -> list[float]:
    """Return balanced accuracies of one model's scores, adapted without labels and with `LABELS` cells per class."""
    rows: list[float] = []
    random = np.random.default_rng(seed)
    few = np.concatenate([random.choice(np.flatnonzero(truth == k), LABELS, replace=False) for k in (0, 1)])
    rest = np.setdiff1d(np.arange(len(truth)), few)
    for attempt in ("scores", "labels"):
        try:
            if attempt == "scores":
                adaptation = adapt_to_scores(scores, known, known_truth)
            else:
                adaptation = adapt_to_labels(scores[few], truth[few], Calibration.fit(known, known_truth))
        except InputError:
            adaptation = Adaptation(0.0, 1.0)
        predicted = classes_of_scores(adaptation.apply(scores)[None], 2)[0]
        rows.append(accuracy_of(predicted[None, rest], truth[rest]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variant", default="start", choices=list(VARIANTS))
    parser.add_argument("--crops", type=int, default=300_000, help="Of the encoder's training, as it was.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learnt-on", nargs="*", help="Sources to learn from; by default all.")
    options = parser.parse_args()
    variant = VARIANTS[options.variant]
    encoder, _ = Table(options.data, options.folder, options.crops, sample_folder() / "encoder").encoder(
        variant, options.seed
    )
    cells = sources(options.data, options.folder)
    for learnt in options.learnt_on or list(cells):
        own = cells[learnt]
        train, test = grouped_split(
            own.groups.astype(str), own.table["label"].to_numpy(str), 0.3, options.seed
        )
        schemes = Schemes(encoder, own.rows(train), variant, options.seed)
        held = own.rows(test)
        regression = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2_000)
        ).fit(shapes(own.rows(train)), own.rows(train).targets(PAIR))
        known = {name: score_crops(each, held.images) for name, each in schemes.classifiers.items()}
        for applied, target in cells.items():
            unseen = ~np.isin(target.groups.astype(str), own.groups[train].astype(str))
            target = held if applied == learnt else target.rows(unseen)
            truth = target.targets(PAIR)
            row: dict[str, object] = {
                "learnt on": learnt,
                "applied to": applied,
                "variant": options.variant,
                "seed": options.seed,
                "cells": len(truth),
                "shapes": round(accuracy_of(regression.predict(shapes(target))[None], truth), 3),
            }
            for name, each in schemes.classifiers.items():
                scores = score_crops(each, target.images)
                row[f"scheme {name}"] = round(accuracy_of(classes_of_scores(scores, 2), truth), 3)
                if name != "2" and applied != learnt:
                    both = np.mean(
                        [
                            adapted(one, before, held.targets(PAIR), truth, draw)
                            for one, before in zip(scores, known[name], strict=True)
                            for draw in range(DRAWS)
                        ],
                        axis=0,
                    )
                    row[f"scheme {name}, adapted"], row[f"scheme {name}, ten labels"] = (
                        round(float(value), 3) for value in both
                    )
            with (options.folder / "travel.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
