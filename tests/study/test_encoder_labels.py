"""The joint objective in a study: whose labels it learns from, and that nothing is tested on those."""

import numpy as np
import pytest

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.store.labelled_cells import all_labels, labelled_cells
from morpholaw.study import Study
from morpholaw.study.cross_validation_step import encoder_sentence, uses_encoder
from morpholaw.study.encoder_crops import task_labels

SHORT = {"epochs": 1, "epoch_crops": 128, "batch_size": 64, "threads": 1, "start_from": "none"}


@pytest.fixture(scope="module")
def joint_study(tmp_path_factory):
    study = Study.create(tmp_path_factory.mktemp("joint") / "study")
    phases = {"interphase": 60, "prometaphase": 40, "metaphase": 40}
    images, cells = simulate_crops(phases=phases, seed=2)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.train_encoder(task=10.0, split_seed=3, **SHORT)
    return study


def test_the_record_says_whose_labels_were_used(joint_study):
    task = joint_study.encoder_record.task
    assert task.classes == ("interphase", "metaphase", "prometaphase")
    used = list(task.crops["simulated"])
    assert len(used) == sum(task.training_cells.values())
    groups = joint_study.crops.cells["group"].to_numpy(str)
    assert set(groups[used]) == set(task.train_groups)
    assert not set(task.train_groups) & set(task.test_groups)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_classifier_is_tested_on_a_group_whose_labels_the_encoder_has_seen(joint_study, seed):
    task = joint_study.encoder_record.task
    config = ClassifierConfig(classes=("interphase", "prometaphase"), split_seed=seed)
    cells = labelled_cells(joint_study, config)
    groups = joint_study.crops.cells["group"].to_numpy(str)
    assert set(groups[cells.test]) <= set(task.test_groups)
    assert set(np.unique(cells.test_targets)) == {0, 1}


@pytest.mark.parametrize("scheme", [1, 2])
def test_nothing_that_depends_on_it_is_cross_validated_on_cells_whose_labels_it_has_seen(joint_study, scheme):
    with pytest.raises(InputError, match="trained with labels of cells that would be tested"):
        joint_study.cross_validate(scheme, folds=2, classes=("interphase", "prometaphase"))


def test_an_encoder_that_starts_from_it_remembers_what_it_has_seen(joint_study, tmp_path):
    other = Study.create(tmp_path / "other")
    crops = joint_study.sets[0]
    CropSet.write(
        other.path / "crops" / "simulated", crops.images[:], crops.cells, CropOrigin(kind="simulated")
    )
    start = str(joint_study.path / "encoder")
    made = other.train_encoder(**(SHORT | {"start_from": start}))
    before = joint_study.encoder_record.task
    assert made.task.train_groups == before.train_groups
    _, again = task_labels(other, EncoderConfig(task=1.0, split_seed=9))
    assert again.test_groups != before.test_groups


def test_an_unsupervised_encoder_has_seen_none(trained_study):
    assert trained_study.encoder_record.task is None


def test_a_class_that_was_not_held_out_is_refused_in_a_sentence(joint_study, tmp_path):
    study = Study.create(tmp_path / "study")
    crops = joint_study.sets[0]
    cells = crops.cells.copy()
    labels = all_labels(joint_study)
    cells["label"] = np.where(labels == "prometaphase", "", labels)
    CropSet.write(study.path / "crops" / "simulated", crops.images[:], cells, CropOrigin(kind="simulated"))
    with pytest.raises(InputError, match="no cell of class 'prometaphase'"):
        study.train_encoder(task=1.0, task_classes=("interphase", "prometaphase"), **SHORT)
    with pytest.raises(InputError, match="at least two labelled classes; the study has interphase"):
        study.train_encoder(task=1.0, task_classes=("interphase",), **SHORT)
    study.train_encoder(task=1.0, **SHORT)
    test = study.encoder_record.task.test_groups
    held_out = np.isin(study.crops.cells["group"], test)
    study.annotations.set_labels({("simulated", int(crop)): "odd" for crop in np.flatnonzero(~held_out)[:5]})
    with pytest.raises(InputError, match="has cells of class 'odd' in only one of"):
        labelled_cells(study, ClassifierConfig(classes=("interphase", "odd")))


def test_a_crop_set_added_after_the_encoder_does_not_make_the_tested_cells_unseen(study):
    assert "on the crops of this study except those of the test groups" in encoder_sentence(study)
    images, cells = simulate_crops(phases={"interphase": 2}, seed=7)
    CropSet.write(study.path / "crops" / "later", images, cells, CropOrigin(kind="simulated"))
    later = Study(study.path)
    assert "on the crop set simulated of this study except" in encoder_sentence(later)
    assert "including cells that are tested here" in encoder_sentence(later)
    later.delete_set("simulated")
    assert "other crop sets than those of this study" in encoder_sentence(Study(study.path))


def test_shapes_are_cross_validated_whatever_the_encoder_has_seen(joint_study):
    shapes = ClassifierConfig(inputs="shapes"), LawConfig(inputs="shapes")
    assert not uses_encoder(joint_study, 2, *shapes)
    assert not uses_encoder(joint_study, 4, *shapes)
    assert uses_encoder(joint_study, 4, ClassifierConfig(), LawConfig(inputs="shapes", loss="mse"))
