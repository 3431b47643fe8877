import numpy as np
import pytest
import torch

from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.training.encoder import EncoderTraining, encode, train_encoder
from morpholaw.training.joint_objective import UNLABELLED, EncoderLabels, JointObjective

TINY = EncoderConfig(
    latents=4,
    filters=(4, 4),
    hidden=16,
    epochs=2,
    epoch_crops=0,
    batch_size=16,
    threads=1,
    precision="float32",
    task=30.0,
)


def textured(n=96, size=16, seed=0):
    """Blobs of any place and size; every other one is chequered, which is the class."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    place_y, place_x = rng.uniform(-4, 4, (2, n, 1, 1))
    blobs = np.exp(-((y - place_y) ** 2 + (x - place_x) ** 2) / rng.uniform(2, 5, (n, 1, 1)) ** 2)
    classes = np.arange(n) % 2
    chequers = 0.75 * ((y // 2 + x // 2) % 2 - 0.5)
    return np.clip(200 * blobs * (1 + classes[:, None, None] * chequers), 0, 255).astype(np.uint8), classes


def labels_of(classes, count=24):
    return EncoderLabels(np.arange(count), classes[:count].astype(np.int64), ("smooth", "grainy"))


def separability(model, images, classes):
    """Accuracy of the best linear cut, by least squares, in the latents' means."""
    z = np.c_[encode(model, images)[0], np.ones(len(images))]
    weights = np.linalg.lstsq(z[::3], 2.0 * classes[::3] - 1, rcond=None)[0]
    return np.mean((z @ weights > 0) == (classes == 1))


def test_a_texture_that_an_unsupervised_encoder_drops_becomes_separable_in_the_latents():
    images, classes = textured(192)
    levers = {"latents": 3, "filters": (8, 16, 32), "hidden": 32, "batch_size": 32, "epochs": 40}
    weights = {
        "learning_rate": 3e-3,
        "reconstruction": 300.0,
        "texture": 0.0,
        "shape_weight": 0.0,
        "perturbation": 0.0,
        "plain_share": 0.0,
        "task": 3000.0,
    }
    config = TINY.model_copy(update=levers | weights)
    with_task, history = train_encoder(images, config, labels=labels_of(classes, 48))
    without, _ = train_encoder(images, config.model_copy(update={"task": 0.0}))
    unseen = slice(48, None)
    assert separability(with_task, images[unseen], classes[unseen]) > 0.9
    assert separability(without, images[unseen], classes[unseen]) < 0.6
    assert history["class cross-entropy"][-1] < 0.1


def test_a_stopped_and_resumed_joint_training_ends_bit_for_bit_like_one_that_was_not(tmp_path):
    images, classes = textured()
    labels = labels_of(classes)
    whole = train_encoder(images, TINY, labels=labels)[0].state_dict()
    asked = iter([False] * 5 + [True] * 1000)
    train_encoder(
        images, TINY, labels=labels, checkpoint=tmp_path, monitor=Monitor(should_stop=lambda: next(asked))
    )
    resumed = train_encoder(images, TINY, labels=labels, checkpoint=tmp_path, resume=True)[0].state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    with pytest.raises(InputError, match="The labels have changed since the checkpoint"):
        train_encoder(images, TINY, labels=labels_of(classes, 22), checkpoint=tmp_path, resume=True)


def test_weight_0_is_the_unsupervised_training_to_the_bit():
    images, classes = textured()
    config = TINY.model_copy(update={"task": 0.0})
    with_labels = train_encoder(images, config, labels=labels_of(classes))[0].state_dict()
    without = train_encoder(images, config)[0].state_dict()
    assert all(torch.equal(with_labels[name], without[name]) for name in without)


@pytest.mark.parametrize(("classes", "share"), [(2, 0.25), (3, 0.25), (5, 0.01), (2, 1.0)])
def test_each_batch_has_its_share_of_labelled_crops_as_many_of_each_class(classes, share):
    rng = np.random.default_rng(0)
    targets = np.r_[
        np.arange(classes),
        rng.choice(classes, 80, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2)),
    ]
    crops = rng.permutation(1000)[: len(targets)]
    task = JointObjective(EncoderLabels(crops, targets, tuple("abcde"[:classes])), 4, share, seed=3)
    for step in range(20):
        index, got = task.draw(np.arange(64), step)
        assert len(index) == len(got) == 64
        drawn = got.numpy() != UNLABELLED
        assert drawn.sum() == max(classes, round(64 * share))
        assert np.ptp(np.bincount(got[drawn].numpy(), minlength=classes)) <= 1
        known = dict(zip(crops.tolist(), targets.tolist(), strict=True))
        assert [known[crop] for crop in index[drawn].tolist()] == got[drawn].tolist()
        assert len(np.unique(index[~drawn])) == np.sum(~drawn)
        assert np.isin(index[~drawn], np.arange(64)).all()


def test_the_targets_follow_their_crops_through_the_turning():
    classes = np.arange(96) % 2
    images = np.repeat(np.uint8(250 * classes), 256).reshape(96, 16, 16)
    training = EncoderTraining(images, TINY.model_copy(update={"swap": 0.0}), labels=labels_of(classes))
    index, targets = training.joint.draw(np.arange(16), 0)
    batch = training.loader.load(index, torch.Generator().manual_seed(0), 0, training.plain)
    loaded, order = batch.images, batch.order
    drawn = targets[order] != UNLABELLED
    assert 0 < drawn.sum() < 16
    assert torch.equal(loaded[drawn, 0, 0, 0] > 0.5, targets[order][drawn] == 1)


def test_labels_of_one_class_are_no_task():
    with pytest.raises(InputError, match="two classes or more"):
        EncoderLabels(np.arange(3), np.zeros(3, np.int64), ("a",))
    with pytest.raises(InputError, match="needs labelled crops"):
        EncoderTraining(textured()[0], TINY)
