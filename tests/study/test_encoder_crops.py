"""An encoder does not learn from the cells that classifiers are tested on, unless it is told to."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cells.splits import split_fingerprint
from morpholaw.config import EncoderConfig
from morpholaw.study import Study, encoder_step
from morpholaw.study.encoder_crops import ChosenCrops, learnt_crops

TINY = {"epochs": 1, "epoch_crops": 64, "batch_size": 32, "threads": 1, "latents": 4}


@pytest.fixture
def study(tmp_path):
    study = Study.create(tmp_path / "study")
    images, cells = simulate_crops(phases={"interphase": 40, "metaphase": 40}, seed=1)
    CropSet.write(study.path / "crops" / "labelled", images, cells, CropOrigin(kind="simulated"))
    return study


@pytest.fixture
def seen(monkeypatch):
    """The crops that trainings were given."""
    given = []
    train = encoder_step.train_encoder

    def spy(images, *arguments, **named):
        given.append(np.array(images[0 : len(images)]))
        return train(images, *arguments, **named)

    monkeypatch.setattr(encoder_step, "train_encoder", spy)
    return given


def test_crops_of_test_groups_are_left_out_and_the_record_says_which(study, seen):
    record = study.train_encoder(**TINY, start_from="none")
    split, groups = study.split(), study.crops.cells["group"].to_numpy(str)
    tested = np.isin(groups, groups[split.test])
    np.testing.assert_array_equal(seen[0], study.crops[np.flatnonzero(~tested)])
    assert record.crops == (~tested).sum()
    assert record.test_split == split.fingerprint == split_fingerprint(groups[split.test])
    trained = study.train_classifier(2, models=1, epochs=1, epoch_cells=0)
    assert trained.evaluation.split == record.test_split


@pytest.mark.parametrize("settings", [{"leave_out_test": False}, {"preset": "paper"}])
def test_it_learns_from_all_crops_where_it_is_told_to(study, seen, settings):
    record = study.train_encoder(**TINY | settings | {"start_from": "none"})
    assert len(seen[0]) == len(study.crops)
    assert record.test_split == ""


def test_without_labels_there_is_nothing_to_leave_out(study, seen):
    study.annotations.set_labels({("labelled", crop): "" for crop in range(len(study.crops))})
    assert study.train_encoder(**TINY, start_from="none").crops == len(study.crops)
    assert len(seen[0]) == len(study.crops)


def test_labels_of_a_joint_objective_are_those_of_the_same_cells(study, monkeypatch):
    given = {}
    train = encoder_step.train_encoder

    def spy(images, *arguments, labels, **named):
        given.update(images=images[labels.crops], targets=labels.targets)
        return train(images, *arguments, labels=labels, **named)

    monkeypatch.setattr(encoder_step, "train_encoder", spy)
    record = study.train_encoder(**TINY, start_from="none", task=100.0)
    expected = np.array(record.task.crops["labelled"])
    np.testing.assert_array_equal(given["images"], study.crops[expected])
    truth = (study.labels[expected] == "metaphase").astype(int)
    np.testing.assert_array_equal(given["targets"], truth)
    assert not set(record.task.test_groups) & set(study.crops.cells["group"][expected])


def test_many_crops_are_read_where_they_lie(study, monkeypatch):
    monkeypatch.setattr("morpholaw.study.encoder_crops.IN_MEMORY", 10)
    learnt = learnt_crops(study, EncoderConfig())
    images = learnt.images(study)
    assert isinstance(images, ChosenCrops)
    assert len(images) == len(learnt.kept) < len(study.crops)
    np.testing.assert_array_equal(images[3:7], study.crops[learnt.kept[3:7]])
    np.testing.assert_array_equal(images[[5, 2]], study.crops[learnt.kept[[5, 2]]])
