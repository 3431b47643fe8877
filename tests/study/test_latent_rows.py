import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.study.latent_rows import DRAWS, oriented_posteriors, training_latents, training_posteriors
from morpholaw.study.law_rows import training_views
from morpholaw.training.encoder import encode
from morpholaw.training.perturbed_crops import attacked_versions, linear_discriminants


@pytest.fixture(scope="module")
def encoder():
    return BetaTCVAE().eval()


@pytest.fixture(scope="module")
def images():
    return simulate_crops(5, seed=1)[0]


def rows_of(encoder, images, **settings):
    config = ClassifierConfig(**settings)
    return training_latents(*oriented_posteriors(encoder, images, config.augment), config)


def test_without_noise_heads_learn_from_the_means_of_all_orientations(encoder, images):
    rows = rows_of(encoder, images, latent_noise=0)
    np.testing.assert_array_equal(rows, oriented_posteriors(encoder, images)[0])
    np.testing.assert_array_equal(rows[0], encode(encoder, images)[0])
    assert rows_of(encoder, images, latent_noise=0, augment=False).shape == (1, 5, 32)


@pytest.mark.parametrize("times", [1.0, 3.0])
def test_noise_is_as_wide_as_the_posterior_times_the_setting(encoder, images, times):
    noisy = rows_of(encoder, images, latent_noise=times)
    assert noisy.shape == (8 * DRAWS, 5, 32)
    assert noisy.dtype == np.float32
    width = np.exp(0.5 * np.stack([encode(encoder, images)[1]]))
    off = (noisy[::8] - encode(encoder, images)[0]) / width  # every eighth is the orientation as it is
    assert off.std() == pytest.approx(times, rel=0.1)
    assert abs(off.mean()) < 0.2 * times


def test_the_same_seed_gives_the_same_rows_and_another_one_others(encoder, images):
    first, again, other = (rows_of(encoder, images, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_heads_learn_from_swapped_cells_as_well_where_they_are_asked_to(encoder, images):
    plain, targets = oriented_posteriors(encoder, images)[0], np.array([0, 1, 0, 1, 1])
    means, log_variances = training_posteriors(encoder, images, targets, ClassifierConfig(swaps=3))
    assert means.shape == log_variances.shape == (11, 5, 32)
    np.testing.assert_array_equal(means[:8], plain)
    assert all(not np.array_equal(version, plain[k]) for k, version in enumerate(means[8:]))
    varied = ClassifierConfig(microscopes=1.0)
    assert training_posteriors(encoder, images, targets, varied)[0].shape == (16, 5, 32)


@pytest.mark.parametrize("classes", [2, 3])
def test_attacked_versions_lie_nearer_to_another_class(encoder, classes):
    images = simulate_crops(30, seed=3)[0]
    targets = np.arange(30) % classes
    towards = torch.randn(classes, 32, generator=torch.Generator().manual_seed(1))
    discriminants = towards[:, None] - towards[None]
    generator = torch.Generator().manual_seed(0)
    attacked = attacked_versions(encoder, images, targets, discriminants, 0.05, generator)
    assert 0 < np.abs(attacked.astype(int) - images).max() <= round(0.05 * 255)
    moved = encode(encoder, attacked)[0] - encode(encoder, images)[0]
    scores = np.einsum("nl,ncl->nc", moved, discriminants[targets].numpy())
    assert (scores.min(axis=1) < 0).mean() > 0.9


def test_a_discriminant_tells_its_two_classes_apart():
    random = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], (200, 50, 10))
    latents = random.normal(size=(260, 6)) @ random.normal(size=(6, 6)) + np.eye(6)[targets] * 4
    discriminants = linear_discriminants(latents, targets).numpy()
    for own, other in ((0, 1), (1, 2), (2, 0)):
        np.testing.assert_allclose(discriminants[own, other], -discriminants[other, own], rtol=1e-4)
        scores = latents @ discriminants[own, other]
        assert roc_auc_score(targets == own, scores, sample_weight=np.isin(targets, (own, other))) > 0.9


def test_heads_learn_from_attacked_versions_of_swapped_cells_where_they_are_asked_to(encoder, images):
    targets = np.array([0, 1, 0, 1, 1])
    swapped = training_posteriors(encoder, images, targets, ClassifierConfig(swaps=3))[0]
    both = training_posteriors(encoder, images, targets, ClassifierConfig(swaps=3, perturbation=0.05))[0]
    np.testing.assert_array_equal(both[:11], swapped)
    assert both.shape == (14, 5, 32)
    assert all(not np.array_equal(one, other) for one, other in zip(both[11:], swapped[8:], strict=True))


def test_laws_learn_from_the_versions_that_scheme_3_learnt_from(trained_study):
    split = ClassifierConfig(swaps=2)
    cells = labelled_cells(trained_study, split)
    views = training_views(trained_study, cells, LawConfig(latents=(0, 1)), split)
    assert len(views.features) == len(views.targets) == (8 + 2) * len(cells.train)
    np.testing.assert_array_equal(views.targets[-len(cells.train) :], cells.train_targets)
