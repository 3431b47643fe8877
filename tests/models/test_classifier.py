import json

import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.models.classifier import Classifier
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.heads import HeadEnsemble
from morpholaw.models.law import Law
from morpholaw.models.vae import BetaTCVAE

CLASSES = ("interphase", "metaphase")


def encoder():
    torch.manual_seed(0)
    return BetaTCVAE(latents=32)


def build(scheme):
    torch.manual_seed(scheme)
    if scheme == 1:
        return Classifier.dense_cnn(CNNEnsemble(2), HeadEnsemble(2, normalise=True), CLASSES).eval()
    if scheme == 4:
        laws = [Law.parse("z29*(square(z17)+square(z21)) - exp(exp(z3))", ["z3", "z17", "z21", "z29"])]
        return Classifier.with_laws(encoder(), [*laws, Law.parse("z29 - z3", ["z3", "z29"])], CLASSES).eval()
    head = HeadEnsemble(2)
    if scheme == 3:
        head.masks[0][:, 4:] = False
    return Classifier.with_head(encoder(), head, CLASSES, sparse=scheme == 3).eval()


@pytest.mark.parametrize("scheme", [1, 2, 3, 4])
def test_every_scheme_scores_crops_and_comes_back_from_disk_the_same(scheme, tmp_path):
    classifier = build(scheme)
    images = torch.rand(5, 1, 64, 64)
    scores = classifier.score_images(images)
    assert scores.shape == (2, 5)
    classifier.save(tmp_path)
    loaded = Classifier.load(tmp_path)
    assert torch.equal(loaded.score_images(images), scores)
    assert (loaded.scheme, loaded.negative, loaded.positive) == (scheme, *CLASSES)
    assert torch.allclose(loaded.select(1).score_images(images)[0], scores[1], atol=1e-5)


def test_heads_have_the_papers_weights_and_sizes():
    assert build(1).head_weights == build(2).head_weights == [1040, 1040]
    assert build(1).expression_sizes == [9697, 9697]
    assert build(2).expression_sizes == [8641, 8641]
    assert build(4).expression_sizes == [11, 3]
    assert build(4).head_weights is None


def test_kept_latents_are_those_a_model_reads():
    assert build(3).kept_latents(0) == (0, 1, 2, 3)
    assert build(4).kept_latents(0) == (3, 17, 21, 29)
    assert build(4).kept_latents(1) == (3, 29)
    assert build(1).kept_latents(0) == ()


def test_scores_of_images_are_scores_of_their_mean_latents():
    classifier = build(2)
    images = torch.rand(3, 1, 64, 64)
    means, _ = classifier.encoder.encode(images)
    assert torch.equal(classifier.score_latents(means), classifier.score_images(images))


@pytest.mark.parametrize("scheme", [1, 2, 3, 4])
def test_scores_are_differentiable_in_the_image(scheme):
    images = torch.rand(2, 1, 64, 64, requires_grad=True)
    build(scheme).score_images(images).sum().backward()
    assert images.grad.abs().sum() > 0


def test_scheme_1_has_no_latents_and_says_so():
    with pytest.raises(InputError, match="Scheme 1 has no latent space"):
        build(1).score_latents(torch.zeros(1, 32))


def test_a_law_of_a_latent_that_the_encoder_lacks_is_refused():
    with pytest.raises(InputError, match="uses the latent z40, but the encoder has 32"):
        Classifier.with_laws(encoder(), [Law.parse("z40", ["z40"])], CLASSES)


def test_parameters_are_counted_as_in_the_paper(trained_study):
    # One encoder without its decoder, and one head, however many were trained together.
    encoder, dense = trained_study.encoder, trained_study.classifier(2)
    without_decoder = sum(p.numel() for p in encoder.parameters()) - sum(
        p.numel() for p in encoder.decoder.parameters()
    )
    head = 32 * 16 + 16 + 2 * (16 * 16 + 16) + 16 + 1
    assert dense.members == 2
    assert dense.parameters_per_model == without_decoder + head == 304_321


def test_laws_that_are_not_one_for_each_class_are_refused(tmp_path):
    build(4).save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    description["classes"] = ["interphase", "metaphase", "apoptosis"]
    (tmp_path / "model.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(InputError, match="2 laws for 3 classes"):
        Classifier.load(tmp_path)
