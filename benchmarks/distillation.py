"""Options for fitting a law to a network's outputs, compared on two known laws with the same searches.

Run ``python benchmarks/distillation.py [--seeds 2] [--restarts 2] [--evaluations 60000]``. The teacher is a dense head
trained on the labels of 7200 noisy rows, and a law is fitted to its outputs on 2500 of them. Of several restarts, the
law that is best on the training rows is tested on 20,000 new rows. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
from typing import get_args

import numpy as np
import torch

from morpholaw.bench.known_laws import LAWS, NAMES, Data, make_data
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.models.features import FeatureTable
from morpholaw.training.heads import train_heads
from morpholaw.training.laws import discover_laws
from morpholaw.training.symbolic.distillation import Distillation

ROWS = 2500


def teacher(data: Data) -> tuple[np.ndarray, float]:
    """Return the outputs of a dense head on the training rows, and its accuracy on the new ones."""
    config = ClassifierConfig(epochs=30, learning_rate=5e-3, hidden=(32, 32), dropout=0.0, models=1)
    head = train_heads(data.x, (data.y > 0).astype(int), config)
    with torch.no_grad():
        train, test = (head(torch.tensor(x, dtype=torch.float32))[0].numpy() for x in (data.x, data.test_x))
    return train.astype(np.float64), float(np.mean((test >= 0) == (data.test_y > 0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--evaluations", type=int, default=60_000)
    parser.add_argument("--laws", nargs="+", default=list(LAWS))
    parser.add_argument("--ways", nargs="+", default=list(get_args(Distillation)))
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    for law in options.laws:
        data = make_data(LAWS[law])
        outputs, share = teacher(data)
        print(
            f"| {law} | teacher, {outputs.min():.0f} to {outputs.max():.0f} | {100 * share:.1f} | |",
            flush=True,
        )
        for way in options.ways:
            found = []
            for seed in range(options.seeds):
                config = LawConfig(
                    loss="mse",
                    distillation=way,
                    engine="embedded",
                    count=options.restarts,
                    evaluations=options.evaluations,
                    seed=seed,
                    processes=options.processes,
                )
                rows = slice(0, ROWS)
                features = FeatureTable(data.x[rows], NAMES)
                found.append(discover_laws(features, data.y[rows] > 0, config, outputs=outputs[rows])[0])
            shares = [100 * one.accuracy(FeatureTable(data.test_x, NAMES), data.test_y > 0) for one in found]
            sizes = ", ".join(str(one.size) for one in found)
            print(
                f"| {law} | {way} | {np.mean(shares):.1f} ({', '.join(f'{s:.1f}' for s in shares)}) | {sizes} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
