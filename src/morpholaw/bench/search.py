"""The hyperparameter search for RigL of the paper (B.3.1), compared with one model after another."""

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
"""Number of our trials unless ``full``: one round of the search with its whole warm-up."""
LOOP_EPOCHS = 4
"""Number of timed epochs of one model of the loop, of 40: half dense, half sparse."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure the seconds for 200 trials of 5 runs and 40 epochs; the loop is timed on a sample of its epochs."""
    z, y = simulated_latents()
    classifier = ClassifierConfig()
    rows, targets = torch.from_numpy(z[:, :ROWS]), torch.from_numpy(y[:ROWS]).float()
    torch.set_num_threads(1)  # fastest for networks of this size

    def loop() -> float:
        return seconds(lambda: sparse_model(rows, targets, classifier, LOOP_EPOCHS)) / LOOP_EPOCHS

    trials = TRIALS if full else SAMPLED_TRIALS
    config = TuneConfig(trials=trials, batch_trials=20, epochs=EPOCHS, runs=RUNS)
    loop()  # torch.optim imports much at its first use
    # Measured before and after ours, because the load of the machine varies.
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
