"""Accuracy of scheme 1 on held-out movies after few and after many epochs.

Run ``python benchmarks/cnn_passes.py DATA STUDY``, where DATA is the folder ``mitocheck_hela``; STUDY is created, or
reused if it exists. Each way of training has three models on each of three splits; all but the last two start from
random weights. Times are CPU seconds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from morpholaw.study import Study

CLASSES = {"interphase": ["Interphase"], "metaphase": ["Metaphase", "MetaphaseAlignment"]}
GROUPS = r"(PL.*?___P[^_]+)"
PLAIN = {"deformation": 0}
RANDOM = {"start_from": "none", **PLAIN}
WAYS = {
    "4 epochs": {"epochs": 4, **RANDOM},
    "8 epochs": {"epochs": 8, **RANDOM},
    "8 epochs, no early stopping": {"patience": 0, "epochs": 8, **RANDOM},
    "25 epochs, no early stopping": {"patience": 0, "epochs": 25, **RANDOM},
    "8 epochs from the shipped encoder": {"epochs": 8, **PLAIN},
    "16 epochs from the shipped encoder, deformed crops (the default)": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("study", type=Path)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument(
        "--only", choices=WAYS, action="append", help="measure only this way of training; may be repeated"
    )
    options = parser.parse_args()
    if not options.study.exists():
        Study.create(options.study).import_crops(options.data, classes=CLASSES, group_regex=GROUPS)
    study = Study.open(options.study)
    print("| training | mean balanced accuracy in each split | mean | CPU s per model |")
    print("| --- | --- | --- | --- |")
    for way in options.only or WAYS:
        found, began = [], time.process_time()
        for seed in range(options.splits):
            record = study.train_classifier(
                1, models=options.models, seed=seed, split_seed=seed, replace=True, threads=1, **WAYS[way]
            )
            found.append(np.mean(record.evaluation.balanced_accuracy))
        seconds = (time.process_time() - began) / options.splits / options.models
        row = ", ".join(f"{value:.3f}" for value in found)
        print(f"| {way} | {row} | {np.mean(found):.3f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
