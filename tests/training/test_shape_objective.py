"""Latents that have to tell measured shapes tell them, of crops that the training has not seen, and stop and resume."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import EncoderConfig
from morpholaw.events import Monitor
from morpholaw.training.encoder import EncoderTraining, encode, train_encoder
from morpholaw.training.shape_objective import SHAPES, ShapeObjective, telling_latents

SMALL = EncoderConfig(
    filters=(8, 16, 16, 16),
    hidden=64,
    epochs=1,
    epoch_crops=12_000,
    batch_size=64,
    learning_rate=3e-3,
    swap=0,
    perturbation=0,
    threads=1,
    precision="float32",
)


@pytest.fixture(scope="module")
def crops():
    """700 simulated crops of all phases, and 300 others."""
    images, _ = simulate_crops(phases={"interphase": 500, "metaphase": 250, "prometaphase": 250}, seed=5)
    return images[np.random.default_rng(0).permutation(1000)]


def test_shapes_of_unseen_crops_are_read_from_latents_that_have_to_tell_them(crops):
    calm = {"batch_size": 16, "learning_rate": 1e-3, "alpha": 0.1, "beta": 0.1, "gamma": 0.1}
    training = EncoderTraining(crops[:700], SMALL.model_copy(update=calm))
    assert training.shapes is not None
    for batch in training.batches():
        training.advance(batch)
    unseen = ShapeObjective(crops, range(1)).of(np.arange(700, 1000))
    latents = torch.from_numpy(encode(training.model, crops[700:])[0])
    with torch.no_grad():
        told = training.shapes(latents, unseen)
    of_the_mean = unseen.square().nanmean() * len(SHAPES)
    assert told < 0.8 * of_the_mean


def test_turned_and_flipped_crops_have_the_same_shapes(crops):
    objective = ShapeObjective(crops[:40], range(8))
    turned = ShapeObjective(np.ascontiguousarray(np.rot90(crops[:40], axes=(1, 2))), range(8))
    assert torch.allclose(objective.of(np.arange(40)), turned.of(np.arange(40)), atol=1e-4)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({}, range(12)), ({"symmetry": False}, range(32)), ({"split": True}, range(6))],
)
def test_shapes_are_told_by_latents_of_the_cell_that_do_not_turn_with_it(changed, expected):
    assert telling_latents(EncoderConfig(**changed)) == list(expected)


def test_crops_that_show_no_nucleus_count_nothing(crops):
    some = np.concatenate([crops[:20], np.zeros((20, 64, 64), np.uint8)])
    objective = ShapeObjective(some, range(8))
    shapes = objective.of(np.arange(40))
    assert shapes[:20].isfinite().all()
    assert shapes[20:].isnan().all()
    z = torch.randn(40, 8)
    both, alone = (float(objective(*part).detach()) for part in ((z, shapes), (z[:20], shapes[:20])))
    assert both == pytest.approx(alone)
    assert both > 0
    assert float(objective(z[20:], shapes[20:]).detach()) == 0


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(crops, tmp_path):
    config = SMALL.model_copy(update={"epoch_crops": 640, "shape_weight": 3000.0})
    whole, _ = train_encoder(crops[:100], config)
    asked = iter([False] * 5 + [True] * 1000)
    train_encoder(crops[:100], config, checkpoint=tmp_path, monitor=Monitor(should_stop=lambda: next(asked)))
    resumed, history = train_encoder(crops[:100], config, checkpoint=tmp_path, resume=True)
    weights = whole.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in resumed.state_dict().items())
    assert history["shape error"][-1] > 0


def test_what_is_asked_of_latents_is_asked_after_they_have_learnt_to_decode(crops):
    asked = {"epoch_crops": 640, "shape_weight": 3000.0, "swap": 0.5, "perturbation": 0.1}
    plain, _ = train_encoder(
        crops[:100], SMALL.model_copy(update={"epoch_crops": 640, **EncoderConfig.PLAIN})
    )
    for share, same in ((1.0, True), (0.75, False)):
        config = SMALL.model_copy(update={**asked, "plain_share": share})
        trained, history = train_encoder(crops[:100], config)
        weights = plain.state_dict()
        assert all(torch.equal(weights[name], value) for name, value in trained.state_dict().items()) is same
        assert len(history["shape error"]) == len(history["step"])


def test_a_training_from_another_encoder_asks_at_once(crops):
    start = EncoderTraining(crops[:100], SMALL).model
    further = EncoderTraining(crops[:100], SMALL.model_copy(update={"swap": 0.5}), start)
    assert not further.plain
    assert EncoderTraining(crops[:100], SMALL.model_copy(update={"swap": 0.5})).plain
