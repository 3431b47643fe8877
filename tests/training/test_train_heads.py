"""Heads trained together are the heads trained alone, and a resumed training is the uninterrupted one."""

import numpy as np
import pytest
import torch

from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.events import Metrics, Monitor, Progress
from morpholaw.models.heads import HeadEnsemble
from morpholaw.training import heads
from morpholaw.training.checkpointing import Checkpointing
from morpholaw.training.heads import HeadTraining, accuracies, train_heads
from morpholaw.training.rigl import RigL, RigLSettings, active_counts

SETTINGS = RigLSettings((0.9, 0.95, 0.93, 0.8), (5, 7, 9, 12), (0.5, 0.3, 0.9, 0.7))
SEEDS = (3, 1, 4, 15)


def two_classes(n: int = 300, inputs: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Latents in 8 orientations; the class depends on the first two inputs alone."""
    random = np.random.default_rng(0)
    z = random.standard_normal((8, n, inputs)).astype(np.float32)
    z[:, :, :2] = z[0, :, :2]
    return z, (z[0, :, 0] ** 2 + z[0, :, 1] > 0.5).astype(int)


def config(**values: object) -> ClassifierConfig:
    defaults = {"epochs": 8, "warmup_epochs": 2, "batch_size": 32, "threads": 1}
    return ClassifierConfig.model_validate(defaults | values)


def assert_same(one: HeadEnsemble, other: HeadEnsemble, **tolerance: float) -> None:
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(tensor, other.state_dict()[name], **tolerance)


@pytest.mark.parametrize("sparse", [False, True])
def test_members_train_as_they_would_alone_step_for_step(
    sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "BLOCK", 3)  # so that the members are not all in one block
    z, y = two_classes()
    together = HeadTraining(z, y, config(), seeds=SEEDS, rigl=RigL(settings=SETTINGS) if sparse else None)
    alone = [
        HeadTraining(z, y, config(), seeds=[seed], rigl=RigL(settings=SETTINGS.take([k])) if sparse else None)
        for k, seed in enumerate(SEEDS)
    ]
    while not together.finished:
        together.step_epoch()
        ensemble = together.head()
        for k, single in enumerate(alone):
            single.step_epoch()
            assert_same(ensemble.member(k), single.head(), rtol=1e-3, atol=1e-5)


def test_the_gradients_and_adam_are_torchs_own() -> None:
    z, y = two_classes(96)
    values = config(dropout=0.0, learning_rate=0.01)
    training = HeadTraining(z[0], y, values, seeds=[5, 6])
    peer = HeadEnsemble(2, 8, seeds=[5, 6])
    adam = torch.optim.Adam(peer.parameters(), lr=0.01)
    balance = len(y) / (2 * np.bincount(y))
    rows, targets, weights = (torch.as_tensor(a, dtype=torch.float32) for a in (z[0], y, balance[y]))
    for epoch in range(3):
        training.step_epoch()
        orders = torch.stack(
            [torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(96)) for seed in (5, 6)]
        )
        for batch in orders.split(32, dim=1):
            losses = torch.nn.functional.binary_cross_entropy_with_logits(
                peer(rows[batch]), targets[batch], weights[batch], reduction="none"
            )
            adam.zero_grad()
            losses.mean(1).sum().backward()
            adam.step()
        assert_same(training.head(), peer, rtol=1e-3, atol=1e-4)


def test_inactive_weights_and_their_moments_stay_exactly_zero() -> None:
    z, y = two_classes()
    training = HeadTraining(z, y, config(), seeds=SEEDS, rigl=RigL(settings=SETTINGS))
    while not training.finished:
        training.step_epoch()
        if training.epoch <= 2:
            assert training.head().active_weights().tolist() == [8 * 16 + 512 + 16] * 4
            continue
        head, state = training.head(), training.state()
        for k, sparsity in enumerate(SETTINGS.sparsity):
            counts = [int(mask[k].sum()) for mask in head.masks]
            allowed = active_counts((8, 16, 16, 16, 1), sparsity, "density")
            if training.epoch == 3:
                assert counts == list(allowed)
            assert all(count <= most for count, most in zip(counts, allowed, strict=True))
        for name in ("parameters", "first_moment", "second_moment"):
            assert (state[f"0.{name}"][state["0.mask"] == 0] == 0).all()


@pytest.mark.parametrize("sparse", [False, True])
def test_a_resumed_training_is_the_uninterrupted_one_bit_for_bit(sparse: bool) -> None:
    z, y = two_classes()
    values, rigl = config(models=4, seed=3), RigL() if sparse else None
    whole = train_heads(z, y, values, rigl=rigl)
    saved: list[dict[str, torch.Tensor]] = []
    batches = 0

    def stop_in_the_fifth_epoch() -> bool:
        nonlocal batches
        batches += 1
        return batches > 45

    train_heads(
        z,
        y,
        values,
        rigl=rigl,
        checkpointing=Checkpointing(saved.append),
        monitor=Monitor(should_stop=stop_in_the_fifth_epoch),
    )
    assert int(saved[-1]["epoch"]) == 4
    resumed = train_heads(z, y, values, rigl=rigl, checkpointing=Checkpointing(resume=saved[-1]))
    assert_same(resumed, whole, rtol=0, atol=0)


def test_a_checkpoint_of_other_layers_is_refused() -> None:
    z, y = two_classes()
    state = HeadTraining(z, y, config(), seeds=[1]).state()
    other = HeadTraining(z, y, config(hidden=(4, 4)), seeds=[1])
    with pytest.raises(InputError, match="has other layers or another number of models"):
        other.load_state(state)


def test_a_branch_goes_on_as_its_members_would_have() -> None:
    z, y = two_classes()
    training = HeadTraining(z, y, config(), seeds=SEEDS, rigl=RigL(settings=SETTINGS))
    for _ in range(2):
        training.step_epoch()
    branch = training.branch([2, 0, 2], SETTINGS.take([2, 0, 2]))
    while not training.finished:
        training.step_epoch()
        branch.step_epoch()
    with pytest.raises(ValueError, match="only change during the warm-up"):
        training.branch([0], SETTINGS.take([0]))
    for place, k in enumerate([2, 0, 2]):
        assert_same(branch.head().member(place), training.head().member(k), rtol=1e-3, atol=1e-5)


def test_sparse_heads_keep_the_inputs_that_decide_and_no_other() -> None:
    random = np.random.default_rng(0)
    z = random.standard_normal((1, 2000, 12)).astype(np.float32)
    y = (z[0, :, 3] ** 2 + z[0, :, 7] > 0.7).astype(int)
    values = config(
        epochs=60, warmup_epochs=15, sparsity=0.93, update_every=50, learning_rate=0.003, models=4
    )
    head = train_heads(z, y, values, rigl=RigL())
    assert [head.kept_inputs(k) for k in range(4)] == [(3, 7)] * 4
    assert (accuracies(head, z[0], y) > 0.97).all()
    assert (head.active_weights() < round(0.07 * (12 * 16 + 512 + 16))).all()


def test_classes_that_come_apart_leave_a_network_that_tells_them_apart() -> None:
    """Without errors no weight seems to carry anything, and yet they must not all be trimmed."""
    random = np.random.default_rng(0)
    z = random.standard_normal((1, 2000, 12)).astype(np.float32)
    y = (random.random(2000) > 0.5).astype(int)
    z[0, :, 3] += np.where(y, 6, -6)
    head = train_heads(z, y, config(epochs=60, warmup_epochs=10, models=3), rigl=RigL())
    assert (accuracies(head, z[0], y) > 0.99).all()
    assert all(3 in head.kept_inputs(k) for k in range(3))


def test_events_say_how_far_and_how_good() -> None:
    z, y = two_classes()
    events: list[object] = []
    threads = torch.get_num_threads()
    head = train_heads(
        z, y, config(models=2, seed=1), rigl=RigL(), test=(z[0], y), monitor=Monitor(events.append)
    )
    assert torch.get_num_threads() == threads
    assert [event for event in events if isinstance(event, Progress)][-1] == Progress(8, 8, "sparse heads")
    last = [event for event in events if isinstance(event, Metrics)][-1]
    assert last.step == 8 * 10
    assert set(last.values) == {"loss", "accuracy", "test_accuracy"}
    assert last.values["test_accuracy"] == pytest.approx(float(accuracies(head, z[0], y).mean()))


def test_uneven_classes_count_alike() -> None:
    """With 19 to 1 and overlapping classes, an unweighted loss would call nearly everything negative."""
    random = np.random.default_rng(0)
    y = np.r_[np.zeros(1900, int), np.ones(100, int)]
    z = (random.standard_normal((2000, 1)) + 2 * y[:, None]).astype(np.float32)
    values = config(epochs=30, dropout=0.0, learning_rate=0.003, models=1)
    head = train_heads(z, y, values)
    with torch.no_grad():
        called = head(torch.from_numpy(z))[0].numpy() >= 0
    assert called[y == 1].mean() > 0.75
    assert called[y == 0].mean() < 0.25
    head = train_heads(z, y, values.model_copy(update={"class_balance": False}))
    with torch.no_grad():
        called = head(torch.from_numpy(z))[0].numpy() >= 0
    assert called[y == 1].mean() < 0.5


def test_more_than_two_classes_get_an_output_each() -> None:
    random = np.random.default_rng(0)
    y = np.arange(300) % 3
    z = (random.standard_normal((300, 4)) + 3 * np.eye(4)[y]).astype(np.float32)
    head = train_heads(z, y, config(epochs=30, learning_rate=0.01, models=2))
    assert head.outputs == 3
    assert (accuracies(head, z, y) > 0.9).all()


@pytest.mark.parametrize(
    ("latents", "targets", "message"),
    [
        (np.zeros((8, 4, 3)), [0, 1, 0], "do not fit targets of shape"),
        (np.full((2, 3), np.nan), [0, 1], "not finite"),
        (np.zeros((2, 3)), [1, 1], "each at least once"),
        (np.zeros((2, 3)), [-1, 1], "whole numbers 0 to 1"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused(
    latents: np.ndarray, targets: list[int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        HeadTraining(latents, np.array(targets), config(), seeds=[0])


def test_a_warm_up_that_takes_all_epochs_is_refused() -> None:
    z, y = two_classes()
    with pytest.raises(InputError, match="'warmup_epochs' is 8"):
        HeadTraining(z, y, config(warmup_epochs=8), rigl=RigL())
