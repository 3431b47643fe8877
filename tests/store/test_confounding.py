"""A study whose classes come from different movies says so."""

import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.events import Message, Monitor
from morpholaw.store import classifiers
from morpholaw.store.confounding import classifiers_confounding
from morpholaw.study import Study

SENTENCE = "one can tell control and drug apart with a balanced accuracy of"


def study_of(folder, first, second):
    """Return a study of two movies with 24 cells each, given how many of them are labelled as the drug."""
    study = Study.create(folder)
    for seed, (name, drug) in enumerate((("movie1", first), ("movie2", second))):
        images, cells = simulate_crops(phases={"interphase": 24}, seed=seed)
        cells["label"] = ["drug"] * drug + ["control"] * (24 - drug)
        cells["group"] = [f"{name}/{k}" for k in range(24)]
        CropSet.write(study.path / "crops" / name, images, cells, CropOrigin(kind="simulated"))
    study.load_encoder("sample")
    return study


@pytest.mark.parametrize(("first", "second", "confounded"), [(0, 24, True), (2, 22, True), (12, 12, False)])
def test_training_and_info_say_that_movies_tell_the_classes_apart(tmp_path, first, second, confounded):
    study, messages = study_of(tmp_path / "study", first, second), []
    monitor = Monitor(lambda event: messages.append(event.text) if isinstance(event, Message) else None)
    study.train_classifier(2, models=1, epochs=1, warmup_epochs=0, epoch_cells=0, threads=1, monitor=monitor)
    assert any(SENTENCE in text for text in messages) == confounded
    assert (SENTENCE in CliRunner().invoke(main, ["info", "--study", str(study.path)]).output) == confounded


def test_classes_that_no_classifier_distinguishes_are_not_warned_about(tmp_path):
    study = study_of(tmp_path / "study", 12, 12)
    images, cells = simulate_crops(phases={"metaphase": 24}, seed=2)
    cells["label"], cells["group"] = "dividing", [f"movie3/{k}" for k in range(24)]
    CropSet.write(study.path / "crops" / "movie3", images, cells, CropOrigin(kind="simulated"))
    before = CliRunner().invoke(main, ["info", "--study", str(study.path)]).output
    assert "confounded" in before  # all three classes would be distinguished
    options = {"models": 1, "epochs": 1, "warmup_epochs": 0, "epoch_cells": 0, "threads": 1}
    study.train_classifier(2, classes=("control", "drug"), **options)
    assert "confounded" not in CliRunner().invoke(main, ["info", "--study", str(study.path)]).output


def test_classes_of_a_classifier_from_another_study_are_not_warned_about(tmp_path):
    study = study_of(tmp_path / "study", 0, 24)
    images, cells = simulate_crops(phases={"interphase": 12, "metaphase": 12}, seed=3)
    cells["group"] = [f"movie3/{k}" for k in range(24)]
    CropSet.write(study.path / "crops" / "movie3", images, cells, CropOrigin(kind="simulated"))
    options = {"models": 1, "epochs": 1, "warmup_epochs": 0, "epoch_cells": 0, "threads": 1}
    study.train_classifier(2, classes=("interphase", "metaphase"), **options)
    own = classifiers.record(study, "scheme2")
    other = own.model_copy(update={"classes": ("control", "drug")})
    assert classifiers_confounding(study, study.labels, [own, other])
    elsewhere = other.model_copy(update={"trained_elsewhere": True})
    assert not classifiers_confounding(study, study.labels, [own, elsewhere])
