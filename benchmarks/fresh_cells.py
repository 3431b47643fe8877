"""The shipped classifiers on fresh simulated cells: how rare their errors are, with intervals over tracks.

Run ``python benchmarks/fresh_cells.py [--cells 20000] [--seed 70000] [--attack]``. The study in which they were trained
has only a few hundred held-out cells, which may all be classified correctly. These are many more, from seeds on which
no model was trained and nothing was chosen. Each block of 1,000 cells has its own seed. ``--attack`` attacks the
images instead and prints the mean accuracy of the models in each block, and in all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.simulator import simulate_crops
from morpholaw.display import percent_interval
from morpholaw.evaluation.bootstrap import accuracy_interval, precision_interval
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.performance import median_score
from morpholaw.interpretation.attack import attack_curve
from morpholaw.models.classes import predicted_classes
from morpholaw.models.classifier import Classifier
from morpholaw.sample import sample_folder

BLOCK = 1000
PREVALENCE = 0.02
EPS = (0.01, 0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=70_000)
    parser.add_argument("--attack", action="store_true")
    options = parser.parse_args()
    folders = sorted((sample_folder() / "classifiers").iterdir())
    blocks = range(options.seed, options.seed + options.cells // BLOCK)
    if options.attack:
        attacked([folder for folder in folders if folder.name != "measured"], blocks)
        return
    scorers = {folder.name: scorer(Classifier.load(folder).applied) for folder in folders}
    right: dict[str, list[np.ndarray]] = {name: [] for name in scorers}
    groups, targets = [], []
    for block in blocks:
        images, cells, truth = simulated(block)
        groups.append(f"{block}/" + cells["group"].to_numpy(str).astype(object))
        targets.append(truth)
        for name, score in scorers.items():
            right[name].append(predicted_classes(median_score(score(images))) == truth)
    group, truth = np.concatenate(groups).astype(str), np.concatenate(targets)
    print(
        f"{len(truth)} cells of {len(np.unique(group))} tracks, half of them in metaphase; errors, and what a predicted"
    )
    print(f"metaphase is worth where {PREVALENCE:.0%} of cells are in metaphase")
    for name, parts in right.items():
        correct = np.concatenate(parts)
        wrong = accuracy_interval(correct, group, truth)
        errors = Estimate(1 - wrong.value, 1 - wrong.high, 1 - wrong.low)
        precision = precision_interval(correct, group, truth, PREVALENCE)
        print(
            f"{name:14}  {percent_interval(errors.value, errors.low, errors.high, 2):26}"
            f"{percent_interval(precision.value, precision.low, precision.high)}"
        )


def simulated(seed: int) -> tuple[np.ndarray, pd.DataFrame, np.ndarray]:
    """Return the crops of a block, their table, and their classes (1: metaphase)."""
    images, cells = simulate_crops(phases={"interphase": BLOCK // 2, "metaphase": BLOCK // 2}, seed=seed)
    return images, cells, (cells["label"] == "metaphase").to_numpy(np.int64)


def attacked(folders: list[Path], seeds: range) -> None:
    """Print the mean accuracy of all models of each classifier under image attacks (FGSM), block by block."""
    models = {folder.name: Classifier.load(folder) for folder in folders}
    rows: dict[str, list[np.ndarray]] = {name: [] for name in models}
    for seed in seeds:
        images, _, truth = simulated(seed)
        for name, classifier in models.items():
            rows[name].append(attack_curve(classifier, images, truth, EPS).mean)
    for name, parts in rows.items():
        low, mean, high = np.min(parts, axis=0), np.mean(parts, axis=0), np.max(parts, axis=0)
        values = zip(EPS, mean, low, high, strict=True)
        texts = [f"eps {eps}: {percent_interval(*estimate)}" for eps, *estimate in values]
        print(f"{name:14}  {', '.join(texts)}   (lowest and highest of {len(parts)} blocks)")


if __name__ == "__main__":
    main()
