"""A step that was stopped or killed goes on where it was, to the very result of an uninterrupted one."""

import numpy as np
import pandas as pd
import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor, Progress
from morpholaw.store import classifiers
from morpholaw.study.checkpoint import Checkpoint
from morpholaw.training import cnn, encoder, heads

HEADS = {"models": 2, "epochs": 6, "warmup_epochs": 2, "epoch_cells": 0, "threads": 1, "device": "cpu"}
LAWS = {"count": 3, "evaluations": 2_000, "processes": 1, "engine": "embedded"}


@pytest.fixture(autouse=True)
def _report_every_step(monkeypatch):
    monkeypatch.setattr(cnn, "REPORT_EVERY", 0.0)
    monkeypatch.setattr(heads, "REPORT_SECONDS", 0.0)


def stopping_after(count):
    """A report and a should_stop that says yes after so many progress events, and what was reported."""
    seen = []
    return seen.append, lambda: sum(isinstance(event, Progress) for event in seen) >= count, seen


def weights(study, name):
    return classifiers.record(study, name).sha256


@pytest.mark.parametrize("scheme", [1, 2, 3])
def test_a_stopped_training_goes_on_to_the_same_models(study, scheme):
    study.train_classifier(scheme, **HEADS)
    whole = weights(study, f"scheme{scheme}")
    study.train_classifier(scheme, **HEADS | {"seed": 1})
    other = weights(study, f"scheme{scheme}")
    report, should_stop, seen = stopping_after(3)
    made = study.train_classifier(scheme, **HEADS, monitor=Monitor(report, should_stop=should_stop))
    assert made is None
    assert "continues from here" in seen[-1].text
    assert weights(study, f"scheme{scheme}") == other
    seen.clear()
    study.train_classifier(scheme, **HEADS, monitor=Monitor(seen.append))
    assert any(isinstance(e, Message) and "Continuing from the checkpoint" in e.text for e in seen)
    assert weights(study, f"scheme{scheme}") == whole != other
    assert not list(study.path.rglob("checkpoint"))


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(study):
    report, should_stop, said = stopping_after(3)
    study.train_classifier(2, name="new", **HEADS, monitor=Monitor(report, should_stop=should_stop))
    assert said[-1].text.startswith("Stopped; the study has no classifier new yet. Training it again")
    seen = []
    study.train_classifier(2, name="new", **HEADS | {"learning_rate": 0.01}, monitor=Monitor(seen.append))
    assert not any(isinstance(e, Message) and "Continuing" in e.text for e in seen)


@pytest.mark.parametrize("loss", ["hinge", "mse"])
def test_a_stopped_search_for_laws_goes_on_to_the_same_laws(study, loss):
    study.discover_law(**LAWS, loss=loss)
    whole = [law.text() for law in study.laws(loss)]
    searched = []

    def report(event):
        if isinstance(event, Progress) and event.stage == "search":
            searched.append(event.done)

    def should_stop():
        return searched[-1:] and searched[-1] >= 4_000

    search = {**LAWS, "loss": loss, "name": "again"}
    study.discover_law(**search, monitor=Monitor(report, should_stop=should_stop))
    assert not classifiers.record(study, "again").complete
    seen = []
    study.discover_law(**search, monitor=Monitor(seen.append))
    assert any(isinstance(e, Message) and "of 3 searches were already finished" in e.text for e in seen)
    found = classifiers.record(study, "again")
    assert found.complete
    assert [law.text() for law in found.laws] == whole
    assert not list(study.path.rglob("checkpoint"))


def test_a_stopped_search_keeps_the_laws_of_a_complete_one(study):
    study.discover_law(**LAWS | {"count": 1}, inputs="shapes")
    before, seen = weights(study, "scheme4-hinge"), []
    law = study.discover_law(
        **LAWS, inputs="shapes", seed=1, monitor=Monitor(seen.append, should_stop=lambda: len(seen) > 5)
    )
    assert weights(study, "scheme4-hinge") == before
    assert law == study.laws()[0]
    assert any(isinstance(one, Message) and "scheme4-hinge is unchanged" in one.text for one in seen)


def test_a_stopped_search_of_settings_goes_on_to_the_same_trials(study):
    small = {"trials": 5, "runs": 1, "epochs": 4, "batch_trials": 3}

    def trials(study):
        table = pd.read_csv(study.path / "search" / "trials.csv")
        table = table[table["state"] == "COMPLETE"].drop(columns=["number", "state"])
        return table.sort_values(list(table.columns)).to_numpy()

    study.tune(**small)
    whole = trials(study)
    (study.path / "search" / "optuna.db").unlink()
    stage = []

    def report(event):
        if isinstance(event, Progress):
            stage.append(event)

    asked = [0]

    def in_the_second_round():
        asked[0] += stage[-1:] != [] and stage[-1].done == 3
        return asked[0] > 20

    study.tune(**small, monitor=Monitor(report, should_stop=in_the_second_round))
    assert len(trials(study)) == 3
    study.tune(**small)
    np.testing.assert_array_equal(trials(study), whole)


ENCODER = {
    "latents": 4, "filters": (2, 2, 4, 4), "hidden": 8, "batch_size": 32, "epochs": 2, "epoch_crops": 0,
    "threads": 1, "device": "cpu", "start_from": "none", "precision": "float32",
}  # fmt: skip


def test_a_resumed_encoder_is_the_same_and_keeps_its_history(study, monkeypatch):
    monkeypatch.setattr(encoder, "REPORT_EVERY", 0.0)
    whole = study.train_encoder(**ENCODER)
    expected = study.encoder.state_dict()
    report, should_stop, _ = stopping_after(4)
    assert not study.train_encoder(**ENCODER, monitor=Monitor(report, should_stop=should_stop)).complete
    made = study.train_encoder(**ENCODER, resume=True)
    assert made.history == whole.history
    assert all(torch.equal(expected[name], tensor) for name, tensor in study.encoder.state_dict().items())
    assert not study.can_resume


def test_an_encoder_that_runs_away_keeps_its_last_good_weights(study, monkeypatch):
    monkeypatch.setattr(encoder, "REPORT_EVERY", 0.0)
    monkeypatch.setattr(encoder, "CHECKPOINT_EVERY", 0.0)
    before = study.encoder.state_dict()
    advance = encoder.EncoderTraining.advance

    def run_away(training, index):
        parts = advance(training, index)
        if training.step == 5:
            training.model.mean.weight.data[0, 0] = float("nan")
        return parts

    monkeypatch.setattr(encoder.EncoderTraining, "advance", run_away)
    with pytest.raises(InputError, match=r"holds the last good weights, of step 4.*Lower the learning rate"):
        study.train_encoder(**ENCODER)
    assert all(torch.equal(before[name], tensor) for name, tensor in study.encoder.state_dict().items())
    monkeypatch.setattr(encoder.EncoderTraining, "advance", advance)
    seen = []
    study.train_encoder(**ENCODER | {"learning_rate": 1e-5}, resume=True, monitor=Monitor(seen.append))
    assert any(isinstance(e, Message) and "Resuming at step 4" in e.text for e in seen)


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint", {"a": 1}, np.arange(3))
    assert checkpoint.read() is None
    checkpoint.write({"w": torch.ones(2)}, epoch=3)
    found = checkpoint.read()
    assert found is not None
    assert found[1]["epoch"] == 3
    assert Checkpoint(tmp_path / "checkpoint", {"a": 2}, np.arange(3)).read() is None
    next(checkpoint.folder.glob("weights-*")).write_bytes(b"x")
    assert checkpoint.read() is None
    checkpoint.remove()
    assert not checkpoint.folder.exists()


def test_a_loss_that_is_no_number_stops_and_says_what_to_change(study, monkeypatch):
    before = weights(study, "scheme2")
    nan = torch.tensor(float("nan"))
    monkeypatch.setattr("morpholaw.training.cnn.CNNTraining.advance", lambda _: (nan, nan))
    with pytest.raises(InputError, match=r"scheme 1 is no longer finite.*lower the learning rate"):
        study.train_classifier(1, **HEADS)
    monkeypatch.setattr(
        "morpholaw.training.head_block._cross_entropy",
        lambda scores, *_: (scores * nan, torch.tensor([float("nan"), 0.0]).double()),
    )
    with pytest.raises(InputError, match=r"dense heads is no longer finite.*lower the learning rate"):
        study.train_classifier(2, **HEADS)
    assert weights(study, "scheme2") == before
