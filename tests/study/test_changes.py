"""Results know what they were made from, and a study says what has changed since."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from morpholaw.cells.crop_set import CropSet
from morpholaw.evaluation.estimate import Estimate
from morpholaw.events import Message, Monitor
from morpholaw.store.changes import changes_since
from morpholaw.store.classifiers import record
from morpholaw.store.guessing import guessing_sentence
from morpholaw.store.overview import overview
from morpholaw.study import Study


@pytest.fixture
def study(trained_study: Study, tmp_path: Path) -> Study:
    return Study(shutil.copytree(trained_study.path, tmp_path / "study"))


def change_pixels(study: Study) -> None:
    path = study.path / "crops" / "simulated" / "images.npy"
    images = np.load(path)
    images[0] = 255 - images[0]
    stat = path.stat()
    np.save(path, images)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


def test_an_untouched_study_has_nothing_to_say(study):
    assert study.problems == []
    assert [changes_since(study, record(study, name)) for name in ("scheme2", "scheme3")] == [[], []]


def test_changed_pixels_are_named_by_every_step_that_uses_what_was_trained_on_them(study):
    change_pixels(study)
    again = Study(study.path)
    for step in (
        lambda monitor: again.classify(2, monitor=monitor),
        lambda monitor: again.compare(monitor),
        lambda monitor: again.attack(scheme=2, space="latent", eps=(0.0,), monitor=monitor),
    ):
        sentences: list[str] = []
        step(Monitor(lambda e, to=sentences: to.append(e.text) if isinstance(e, Message) else None))
        assert any("pixels of the crop set simulated have changed since scheme2" in one for one in sentences)
    assert any("pixels of the crop set simulated have changed" in one for one in overview(again).warnings)


def test_latents_are_computed_anew_for_changed_pixels(study):
    before, _ = study.latents()
    change_pixels(study)
    after, _ = Study(study.path).latents()
    assert not np.allclose(before[0], after[0])
    assert np.allclose(before[1:], after[1:], atol=1e-4)


def test_labels_that_changed_their_places_are_named_though_their_number_is_the_same(study):
    labels = study.labels
    one, other = (int(np.flatnonzero(labels == name)[0]) for name in ("interphase", "metaphase"))
    study.annotations.set_labels({("simulated", one): "metaphase", ("simulated", other): "interphase"})
    (sentence,) = changes_since(study, record(study, "scheme2"))
    assert "labels have changed since scheme2" in sentence
    study.annotations.undo()
    assert changes_since(study, record(study, "scheme2")) == []


def test_a_fingerprint_is_kept_beside_the_pixels_and_not_believed_for_others(study):
    folder = study.path / "crops" / "simulated"
    first = CropSet(folder).fingerprint
    assert (folder / "pixels.json").exists()
    assert CropSet(folder).fingerprint == first
    change_pixels(study)
    assert CropSet(folder).fingerprint != first
    (folder / "pixels.json").write_text("[1]")
    assert CropSet(folder).fingerprint != first


def test_a_good_accuracy_from_a_single_movie_is_of_too_few_groups_and_a_bad_one_no_better_than_guessing(
    study,
):
    trained = record(study, "scheme2")

    def warning(share: float, low: float, high: float) -> str:
        changed = {"balanced_interval": Estimate(share, low, high), "test_groups": 1}
        return guessing_sentence(
            trained.model_copy(update={"evaluation": trained.evaluation.model_copy(update=changed)})
        )

    assert warning(0.97, 0.9, 1.0) == ""
    assert warning(0.97, 0.24, 1.0).startswith(
        "The classifier scheme2 is not significantly better than guessing, as its held-out cells come from only 1 "
    )
    assert "97.0 % (24.0 to 100.0)" in warning(0.97, 0.24, 1.0)
    assert warning(0.55, 0.1, 0.9).startswith(
        "The classifier scheme2 is not significantly better than guessing: "
    )
