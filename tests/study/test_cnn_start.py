"""Which encoder the CNNs of scheme 1 start from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig
from morpholaw.events import Message, Monitor
from morpholaw.sample import sample_folder
from morpholaw.store import encoders
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.overview import start_sentence
from morpholaw.study import Study
from morpholaw.study.cnn_start import starting_encoder

PHASES = {"interphase": 20, "metaphase": 16}


@pytest.fixture
def labelled(tmp_path):
    """Labelled crops without an encoder."""
    study = Study.create(tmp_path / "labelled")
    images, cells = simulate_crops(phases=PHASES, seed=4)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    return study


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_cnns_start_from_the_studys_encoder_and_without_one_from_the_shipped(labelled, trained_study):
    shipped = encoders.load(sample_folder() / "encoder")
    assert same(starting_encoder(labelled, ClassifierConfig()), shipped)
    own = starting_encoder(trained_study, ClassifierConfig())
    assert same(own, encoders.of_study(trained_study))
    assert not same(own, shipped)


def test_the_papers_cnns_start_from_random_weights(labelled):
    assert starting_encoder(labelled, ClassifierConfig.of(None, {"preset": "paper"})) is None
    assert starting_encoder(labelled, ClassifierConfig(start_from="none")) is None


def test_the_shipped_cnns_which_are_older_than_the_setting_started_from_random_weights():
    assert ClassifierRecord.read(sample_folder() / "classifiers" / "scheme1").config.start_from == "none"


def test_cnns_that_start_from_an_encoder_say_so_and_are_other_ones(labelled):
    short = {"models": 1, "epochs": 1, "epoch_cells": 0, "patience": 0, "threads": 1}
    said = []
    monitor = Monitor(lambda event: said.append(event.text) if isinstance(event, Message) else None)
    labelled.train_classifier(1, **short, monitor=monitor)
    assert "The CNNs are initialised with the weights of the shipped encoder." in said
    kept = ClassifierRecord.read(labelled.path / "classifiers" / "scheme1")
    assert start_sentence(kept) == "The CNNs were initialised with the weights of the shipped encoder."
    begun = labelled.classify(1)["score"].to_numpy(float)
    said.clear()
    labelled.train_classifier(1, **short, start_from="none", monitor=monitor)
    assert not any("start from" in text for text in said)
    assert start_sentence(ClassifierRecord.read(labelled.path / "classifiers" / "scheme1")) == ""
    assert not np.allclose(begun, labelled.classify(1)["score"].to_numpy(float))
