"""Laws of more than two classes, through a study and the command."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.cli import main
from morpholaw.config import ClassifierConfig, ClassLawConfig
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.store import class_laws
from morpholaw.store.labelled_cells import all_labels, split_labelled
from morpholaw.study import Study, class_law_step

PHASES = ("interphase", "prometaphase", "metaphase", "anaphase")
QUICK = {"count": 1, "evaluations": 5_000, "processes": 1, "latents": (0, 4, 15, 16, 20, 22, 28, 31)}


@pytest.fixture(scope="module")
def phases(tmp_path_factory):
    study = Study.create(tmp_path_factory.mktemp("phases") / "study")
    images, cells = simulate_crops(phases=dict.fromkeys(PHASES, 60), seed=3)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    study.load_encoder("sample")
    return study


def test_four_phases_are_told_apart_on_held_out_groups(phases):
    laws = phases.discover_class_laws(classes=PHASES, **QUICK)
    assert laws.classes == PHASES
    assert phases.class_laws() == laws
    tested = class_laws.record(phases, "hinge").evaluation
    _, test = split_labelled(phases, PHASES, None, 0)
    calls = laws.predict(phases.latents()[0][test])
    right = np.mean(np.array(PHASES)[calls] == all_labels(phases)[test])
    assert tested.accuracy.value == pytest.approx(right)
    assert tested.accuracy.value > 0.4
    assert np.sum(tested.confusion) == tested.test_cells - np.sum(calls < 0)


def test_latents_and_goals_come_from_a_sparse_network_of_all_classes(phases):
    config = ClassLawConfig(loss="mse", classes=PHASES[:3], count=1, evaluations=2_000, processes=1)
    heads = ClassifierConfig(
        models=2,
        epochs=12,
        warmup_epochs=5,
        epoch_cells=1_000,
        learning_rate=5e-3,
        sparsity=0.8,
        update_every=10,
    )
    record = class_law_step.discover(phases, config, heads)
    assert 0 < len(record.laws.names) <= 32
    assert len(record.evaluation.sparse_accuracy) == 2
    assert phases.class_laws("mse").classes == PHASES[:3]


@pytest.mark.parametrize(("augment", "orientations"), [(True, 8), (False, 1)])
def test_the_network_learns_from_the_orientations_that_were_asked_for(
    phases, monkeypatch, augment, orientations
):
    shown = []

    def look(latents, *_):
        shown.append(latents)
        raise InputError("enough")

    monkeypatch.setattr(class_law_step, "_sparse", look)
    heads = ClassifierConfig(augment=augment, latent_noise=0)
    with pytest.raises(InputError, match="enough"):
        class_law_step.discover(phases, ClassLawConfig(classes=PHASES[:3]), heads)
    assert len(shown[0]) == orientations


def test_the_command_shows_laws_and_confusion(phases):
    words = ["discover-law", "--study", str(phases.path), "--classes", "interphase, metaphase,anaphase"]
    for key, value in (QUICK | {"latents": [0, 1, 2, 3]}).items():
        words += ["--set", f"{key}={json.dumps(value)}"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "anaphase" in result.output
    assert "held-out cells" in result.output


def test_a_stopped_search_keeps_the_laws_from_before(phases, monkeypatch):
    before = phases.discover_class_laws(classes=PHASES, **QUICK)
    monkeypatch.setattr(class_law_step, "discover_class_laws", lambda *_, **__: None)
    assert (
        phases.discover_class_laws(classes=PHASES, monitor=Monitor(should_stop=lambda: True), **QUICK) is None
    )
    assert phases.class_laws() == before


def test_what_is_missing_is_said_in_a_sentence(phases):
    with pytest.raises(InputError, match="no cell of class 'apoptosis'"):
        phases.discover_class_laws(classes=("interphase", "apoptosis"), **QUICK)
    with pytest.raises(InputError, match="no laws of classes"):
        Study.open(phases.path).class_laws("nothing")
