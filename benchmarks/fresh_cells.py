"""The shipped classifiers on fresh simulated cells: how rare their errors are, with intervals over tracks.

Run ``python benchmarks/fresh_cells.py [--cells 20000] [--seed 70000]``. The study in which they were trained
has only a few hundred held-out cells, which may all be classified correctly. These are many more, from seeds on which
no model was trained and nothing was chosen. Each block of 1,000 cells has its own seed.
"""

from __future__ import annotations

import argparse

import numpy as np

from morpholaw.cells.simulator import simulate_crops
from morpholaw.display import percent_interval
from morpholaw.evaluation.bootstrap import accuracy_interval, precision_interval
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.performance import median_score
from morpholaw.models.classes import predicted_classes
from morpholaw.models.classifier import Classifier
from morpholaw.sample import sample_folder

BLOCK = 1000
PREVALENCE = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=70_000)
    options = parser.parse_args()
    folders = sorted((sample_folder() / "classifiers").iterdir())
    scorers = {folder.name: scorer(Classifier.load(folder).applied) for folder in folders}
    right: dict[str, list[np.ndarray]] = {name: [] for name in scorers}
    groups, targets = [], []
    for block in range(options.cells // BLOCK):
        phases = {"interphase": BLOCK // 2, "metaphase": BLOCK // 2}
        images, cells = simulate_crops(phases=phases, seed=options.seed + block)
        truth = (cells["label"] == "metaphase").to_numpy(np.int64)
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


if __name__ == "__main__":
    main()
