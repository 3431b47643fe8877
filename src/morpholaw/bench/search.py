"""The paper's search of RigL's settings (B.3.1) against training one model after another."""

from __future__ import annotations

import numpy as np
import torch

from morpholaw.bench.baseline_heads import ROWS, simulated_latents, sparse_model
from morpholaw.bench.comparison import Comparison
from morpholaw.bench.timing import seconds
from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.training.tune import tune

TRIALS, RUNS, EPOCHS = 200, 5, 40
SAMPLED_TRIALS = 20
"""Trials of ours that are run unless all are asked for: one round of the search and its whole warm-up."""
LOOP_EPOCHS = 4
"""Epochs of one model of the loop that are timed, of 40: half dense, half sparse."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure seconds for 200 trials of 5 runs and 40 epochs; the loop is timed on a sample of its epochs."""
    z, y = simulated_latents()
    classifier = ClassifierConfig()
    rows, targets = torch.from_numpy(z[:, :ROWS]), torch.from_numpy(y[:ROWS]).float()
    torch.set_num_threads(1)  # fastest for networks this small

    def loop() -> float:
        return seconds(lambda: sparse_model(rows, targets, classifier, LOOP_EPOCHS)) / LOOP_EPOCHS

    trials = TRIALS if full else SAMPLED_TRIALS
    config = TuneConfig(trials=trials, batch_trials=20, epochs=EPOCHS, runs=RUNS)
    loop()  # torch.optim imports much at its first use
    # Before and after ours, since other work on the machine comes and goes.
    epoch = [loop(), loop()]
    taken = seconds(lambda: tune(z, y, np.arange(ROWS, len(y)), config, classifier))
    epoch += [loop(), loop()]
    scaled = taken * TRIALS / trials
    note = (
        f"{RUNS * min(20, trials)} models at once; the loop is timed on {len(epoch)} x {LOOP_EPOCHS} epochs of "
        "one model and scaled" + ("." if full else f", ours on {trials} trials with their whole warm-up.")
    )
    theirs = [one * EPOCHS * RUNS * TRIALS for one in epoch]
    return [Comparison([scaled], theirs, "one model after another", 15, "s", note=note)]
