import numpy as np
import pytest
import torch

from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Metrics, Monitor, Preview, Progress
from morpholaw.training.augment import orient_batch
from morpholaw.training.encoder import EncoderTraining, encode, train_encoder
from morpholaw.training.reconstruction import ReconstructionError, grain

TINY = EncoderConfig(
    latents=4,
    filters=(4, 4),
    hidden=16,
    epochs=2,
    epoch_crops=0,
    batch_size=16,
    threads=1,
    precision="float32",
)


def crops(n=64, size=16, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    radius = rng.uniform(2, 6, (n, 1, 1))
    return (255 * np.exp(-((y**2 + x**2) / radius**2))).astype(np.uint8)


def test_training_lowers_the_error_and_reports_what_it_does():
    events = []
    config = TINY.model_copy(update={"epochs": 40})
    before = EncoderTraining(crops(), config)
    start = float(before.advance(np.arange(16))["reconstruction"])
    _, history = train_encoder(crops(), config, monitor=Monitor(events.append))
    assert history["reconstruction"][-1] < start / 2
    assert {"mutual information", "total correlation", "dimension-wise KL"} <= set(history)
    assert any(isinstance(event, Metrics) for event in events)
    assert any(isinstance(event, Preview) and event.images.shape[0] == 2 for event in events)
    done = [event for event in events if isinstance(event, Progress)][-1]
    assert done.done == done.total == 160


def test_the_first_steps_do_not_undo_an_encoder_that_training_starts_from():
    wider = TINY.model_copy(update={"epochs": 60, "filters": (8, 16), "hidden": 128})
    model, history = train_encoder(crops(), wider)
    fast = wider.model_copy(update={"learning_rate": 5e-3})
    again = EncoderTraining(crops(), fast, model.train().requires_grad_(True))
    batches = again.batches()
    worst = max(float(again.advance(next(batches))["reconstruction"]) for _ in range(12))
    assert worst < 2 * history["reconstruction"][-1]


def test_a_constant_schedule_has_the_same_rate_at_every_step():
    def rates(schedule):
        training = EncoderTraining(crops(), TINY.model_copy(update={"schedule": schedule}))
        found = []
        for index in training.batches():
            training.advance(index)
            found.append(training.optimiser.param_groups[0]["lr"])
        return found

    assert set(rates("constant")) == {TINY.learning_rate}
    rising = rates("warm-up")
    assert rising[0] < max(rising) > rising[-1]


def test_the_same_seed_gives_the_same_weights():
    first, second = (train_encoder(crops(), TINY)[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = train_encoder(crops(), TINY.model_copy(update={"seed": 1}))[0].state_dict()
    assert not torch.equal(first["mean.weight"], other["mean.weight"])


def test_a_stopped_and_resumed_training_ends_bit_for_bit_like_one_that_was_not(tmp_path):
    whole = train_encoder(crops(), TINY)[0].state_dict()
    asked = iter([False] * 5 + [True] * 1000)
    train_encoder(crops(), TINY, checkpoint=tmp_path, monitor=Monitor(should_stop=lambda: next(asked)))
    resumed = train_encoder(crops(), TINY, checkpoint=tmp_path, resume=True)[0].state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_resuming_with_other_settings_is_refused(tmp_path):
    train_encoder(crops(), TINY, checkpoint=tmp_path)
    with pytest.raises(InputError, match="made with a different beta"):
        train_encoder(crops(), TINY.model_copy(update={"beta": 9.0}), checkpoint=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (crops(80), "began with 64 crops and continues with the 80"),
        (crops(seed=1), "crops have changed"),
        (crops(), ""),
    ],
)
def test_resuming_with_other_crops_says_so(tmp_path, images, sentence):
    train_encoder(crops(), TINY, checkpoint=tmp_path)
    events = []
    train_encoder(images, TINY, checkpoint=tmp_path, resume=True, monitor=Monitor(events.append))
    warnings = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert bool(warnings) == bool(sentence)
    assert sentence in " ".join(warnings)


def test_an_epoch_sees_every_crop_once_in_an_order_of_its_own():
    training = EncoderTraining(crops(64), TINY)
    seen = list(training.batches())
    assert len(seen) == 8
    first, second = np.concatenate(seen[:4]), np.concatenate(seen[4:])
    assert sorted(first) == sorted(second) == list(range(64))
    assert not np.array_equal(first, second)


def test_a_small_study_is_repeated_up_to_the_length_of_an_epoch():
    assert EncoderTraining(crops(64), TINY.model_copy(update={"epoch_crops": 640})).epoch_steps == 40


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path, monkeypatch):
    nan = {name: torch.tensor(float("nan")) for name in ("loss", "reconstruction")}

    def broken(self, index):
        self.step += 1
        return nan

    monkeypatch.setattr(EncoderTraining, "advance", broken)
    with pytest.raises(InputError, match=r"no longer finite at step .* Lower the learning rate"):
        train_encoder(crops(), TINY, checkpoint=tmp_path)


def test_one_crop_is_too_few():
    with pytest.raises(InputError, match="at least 2 crops; the study has 1"):
        train_encoder(crops(1), TINY)


def test_blank_saturated_and_noise_crops_encode_to_finite_numbers():
    model, _ = train_encoder(crops(), TINY)
    odd = np.stack(
        [np.zeros((16, 16)), np.full((16, 16), 255), np.random.default_rng(0).integers(0, 256, (16, 16))]
    )
    means, log_variances = encode(model, odd.astype(np.uint8))
    assert np.isfinite(means).all()
    assert np.isfinite(log_variances).all()


def test_encoding_in_batches_is_encoding_at_once():
    model, _ = train_encoder(crops(), TINY)
    np.testing.assert_allclose(
        encode(model, crops(), batch=7)[0], encode(model, crops(), batch=64)[0], atol=1e-5
    )


def test_the_eight_orientations_are_all_there_and_all_different():
    one = torch.arange(16.0).reshape(1, 4, 4).expand(8, 4, 4)
    turned = {tuple(crop.flatten().tolist()) for crop in orient_batch(one)}
    assert len(turned) == 8
    assert all(sorted(crop) == list(range(16)) for crop in turned)


def test_without_levers_the_error_is_the_papers_summed_square():
    a, b = torch.rand(3, 1, 16, 16), torch.rand(3, 1, 16, 16)
    expected = (a - b).square().sum() / 3
    assert float(ReconstructionError(16)(a, b)) == pytest.approx(float(expected), rel=1e-5)


def test_the_edge_weight_counts_corners_less_and_texture_counts_blurring():
    picture = torch.zeros(1, 1, 16, 16)
    corner, centre = picture.clone(), picture.clone()
    corner[..., 0, 0] = centre[..., 8, 8] = 1
    error = ReconstructionError(16, edge_weight=0.1)
    assert float(error(picture, corner)) < 0.3 * float(error(picture, centre))


def test_the_texture_term_asks_for_the_amount_of_grain_not_for_the_grains():
    error = ReconstructionError(16, texture=1.0)
    grains, others = torch.rand(2, 1, 1, 16, 16)
    flat = torch.full_like(grains, 0.5)
    right = torch.full_like(grains, float(grain(grains, flat).mean()))
    with_grain, without = (torch.cat([flat, second], 1) for second in (right, torch.zeros_like(flat)))
    assert float(error(with_grain, others)) < float(error(without, others)) - 5


def test_what_the_first_picture_shows_is_no_grain_and_grain_does_not_pull_at_it():
    picture = torch.from_numpy(crops(1)).unsqueeze(0).float() / 255
    assert float(grain(picture, picture).max()) == 0
    assert float(grain(picture, torch.zeros_like(picture)).max()) > 0.3
    drawn = torch.zeros(1, 2, 16, 16, requires_grad=True)
    with_grain, plain = ReconstructionError(16, texture=5.0), ReconstructionError(16)
    pulls = [torch.autograd.grad(error(drawn, picture), drawn)[0][:, :1] for error in (with_grain, plain)]
    torch.testing.assert_close(*pulls)
