"""Training of ten dense heads together, compared with one model after another."""

from __future__ import annotations

import torch

from morpholaw.bench.baseline_heads import ROWS, dense_model, simulated_latents
from morpholaw.bench.comparison import Comparison
from morpholaw.bench.timing import in_turn
from morpholaw.config import ClassifierConfig
from morpholaw.training.heads import HeadTraining

MODELS, EPOCHS = 10, 100
SAMPLED = 4
"""Epochs timed per round, for all of our models and for one model of the loop, unless ``full``."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure the seconds for ten models of 100 epochs on 7200 cells in batches of 64."""
    z, y = simulated_latents()
    config = ClassifierConfig(epochs=10_000, models=MODELS)
    training = HeadTraining(z[:, :ROWS], y[:ROWS], config)
    rows, targets = torch.from_numpy(z[:, :ROWS]), torch.from_numpy(y[:ROWS]).float()
    torch.set_num_threads(1)  # fastest for both with networks of this size
    epochs, models = (EPOCHS, MODELS) if full else (SAMPLED, 1)

    def ours() -> None:
        for _ in range(epochs):
            training.step_epoch()

    def loop() -> None:
        for _ in range(models):
            dense_model(rows, targets, config, epochs)

    mine, theirs = in_turn(ours, loop, rounds=2 if full else 7)
    mine = [taken * EPOCHS / epochs for taken in mine]
    theirs = [taken * EPOCHS / epochs * MODELS / models for taken in theirs]
    note = (
        ""
        if full
        else f"{epochs} epochs timed per round, for all of our models and for one of the loop, and scaled."
    )
    return [Comparison(mine, theirs, "one model after another", 8, "s", note=note)]
