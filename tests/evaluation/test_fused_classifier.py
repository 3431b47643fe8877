"""A fused classifier has the scores, gradients and accuracy under attack of the classifier."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.fused_classifier import FusedClassifier, fuse, to_blocks, to_pixels
from morpholaw.evaluation.scoring import member_scores
from morpholaw.interpretation.attack import AttackOptions, attack_curve
from morpholaw.interpretation.gradients import fgsm_direction, score_gradients
from morpholaw.models.classifier import Classifier
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE

EPS = (0.0, 0.05, 0.1, 0.25)


def dense_cnn() -> Classifier:
    """Scheme 1 with batch statistics that are not those of a fresh network."""
    cnn = CNNEnsemble(3, filters=(4, 6), hidden=20, size=16)
    for layer in cnn.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.3, 0.3)
    head = HeadEnsemble(3, hidden=(8,), normalise=True)
    return Classifier.dense_cnn(cnn, head, ("a", "b")).eval()


def heads() -> Classifier:
    encoder = BetaTCVAE(6, (4, 6), 20, 16)
    return Classifier.with_head(encoder, HeadEnsemble(3, 6, (8,)), ("a", "b"), sparse=False).eval()


def laws() -> Classifier:
    texts = ("z0*z1 - z2", "z3 + 0.1", "0.5")
    encoder = BetaTCVAE(6, (4, 6), 20, 16)
    return Classifier.with_laws(
        encoder, [Law.parse(text, names=("z0", "z1", "z2", "z3")) for text in texts], ("a", "b")
    ).eval()


@pytest.fixture(params=[dense_cnn, heads, laws])
def classifier(request):
    torch.manual_seed(3)
    return request.param()


@pytest.fixture
def images():
    return torch.rand(9, 1, 16, 16, generator=torch.Generator().manual_seed(4))


def test_scores_and_gradients_are_those_of_the_classifier(classifier, images):
    fast = fuse(classifier)
    assert isinstance(fast, FusedClassifier)
    blocks = prepare_inputs(fast, images, "image")
    gradient, scores = score_gradients(fast, blocks, "image")
    expected_gradient, expected_scores = score_gradients(classifier, images, "image")
    torch.testing.assert_close(scores, expected_scores, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(to_pixels(gradient), expected_gradient, atol=1e-7, rtol=1e-4)
    different = torch.rand(3, 9, 1, 16, 16)
    torch.testing.assert_close(
        member_scores(fast, to_blocks(different), "image"),
        member_scores(classifier, different, "image"),
        atol=1e-6,
        rtol=1e-5,
    )


def test_blocks_convert_back_to_pixels(images):
    assert torch.equal(to_pixels(to_blocks(images)), images)
    both = images.expand(2, *images.shape)
    assert torch.equal(to_pixels(to_blocks(both)), both)


def test_a_classifier_in_training_or_with_other_layers_is_not_fused(images):
    training = heads().train()
    assert fuse(training) is training
    other = heads()
    other.encoder.encoder[0] = nn.Conv2d(1, 4, 5, stride=2, padding=2)
    assert fuse(other) is other
    assert attack_curve(other, images, np.ones(9, int), EPS).correct.shape == (3, 4, 9)


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0), (0.1, 0.9)])
def test_a_curve_is_the_same_within_any_bounds(classifier, images, bounds, monkeypatch):
    truth = np.arange(9) % 2
    fast = attack_curve(classifier, images, truth, EPS, AttackOptions(bounds=bounds)).correct
    monkeypatch.setattr("morpholaw.interpretation.attack.fuse_members", lambda classifier: [classifier])
    slow = attack_curve(classifier, images, truth, EPS, AttackOptions(bounds=bounds)).correct
    assert np.mean(fast == slow) > 0.98  # where a gradient is nearly zero, its sign may differ


def test_a_curve_agrees_with_torchattacks_to_the_crop(classifier, images):
    torchattacks = pytest.importorskip("torchattacks", reason="the bench extra is not installed")
    truth = np.arange(9) % 2
    correct = attack_curve(classifier, images, truth, EPS).correct
    targets = torch.from_numpy(truth)
    for k in range(classifier.members):
        model = _TwoLogits(classifier.select(k)).eval()
        for column, eps in enumerate(EPS):
            moved = torchattacks.FGSM(model, eps=eps)(images, targets)
            called = model(moved).argmax(1)
            assert torch.equal(called == targets, torch.from_numpy(correct[k, column]))


class _TwoLogits(nn.Module):
    """f(x) >= 0 is the positive class, as cross-entropy over (-f, f) has it."""

    def __init__(self, one: Classifier) -> None:
        super().__init__()
        self.one = one

    def forward(self, images):
        score = self.one.score_images(images)[0]
        score = score + 0 * images.flatten(1).sum(1)
        return torch.stack([-score, score], dim=1)


def test_a_fused_classifier_is_attacked_in_the_same_direction(classifier, images):
    truth = np.arange(9) % 2
    fast = fuse(classifier)
    direction, _ = fgsm_direction(fast, prepare_inputs(fast, images, "image"), truth)
    expected, _ = fgsm_direction(classifier, images, truth)
    assert (to_pixels(direction) == expected).float().mean() > 0.999
