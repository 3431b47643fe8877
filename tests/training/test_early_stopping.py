"""A training ends when held-out cells are predicted worse beyond chance, and keeps the weights from before that."""

from __future__ import annotations

import re

import numpy as np
import torch

from morpholaw.config import ClassifierConfig
from morpholaw.events import Message, Monitor
from morpholaw.training.cnn import train_cnn
from morpholaw.training.early_stopping import EarlyStopping

CELLS = torch.linspace(0.5, 1.5, 40)
NOISE = torch.tensor([0.1, -0.1]).repeat(20)


def after(passes, stopping):
    for number, losses in passes:
        stopping.update(losses, {"w": torch.tensor([float(number)])})
    return stopping


def test_the_latest_pass_that_is_as_good_within_chance_is_kept():
    stopping = after([(0, CELLS), (1, 0.5 * CELLS), (2, 0.5 * CELLS + 0.01 + NOISE)], EarlyStopping(2))
    assert stopping.kept["w"] == 2
    assert not stopping.over


def test_passes_that_are_worse_end_it_and_are_not_kept():
    stopping = after([(0, CELLS), (1, 0.5 * CELLS), (2, 0.6 * CELLS), (3, 0.7 * CELLS)], EarlyStopping(2))
    assert stopping.over
    assert stopping.kept["w"] == 1


def test_it_goes_on_where_its_state_was():
    begun = after([(0, CELLS), (1, 2 * CELLS)], EarlyStopping(2))
    resumed = EarlyStopping(2)
    resumed.load({"cnn.w": torch.zeros(1), **begun.state()})
    assert after([(2, 2 * CELLS)], resumed).over
    assert resumed.kept.keys() == {"w"}
    assert resumed.kept["w"] == 0


def test_a_cnn_that_learns_what_does_not_hold_elsewhere_ends_early():
    """Labels at random: every pass learns the training cells better and the held-out ones worse."""
    rng = np.random.default_rng(0)
    images, targets = rng.integers(0, 255, (96, 16, 16), np.uint8), rng.integers(0, 2, 96)
    config = ClassifierConfig(
        models=2, epochs=60, batch_size=16, patience=2, augment=False, dropout=0.0, threads=1
    )
    told = []
    train_cnn(
        images[:64],
        targets[:64],
        config,
        held_out=(images[64:], targets[64:]),
        monitor=Monitor(lambda event: told.append(event) if isinstance(event, Message) else None),
    )
    assert re.fullmatch(r"Training 2 networks for 60 epochs: about \d+ \w+ at most\.", told[0].text)
    assert "of 60 epochs: the validation loss rises again." in told[-1].text
