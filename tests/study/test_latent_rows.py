import numpy as np
import pytest

from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.study import law_step
from morpholaw.study.latent_rows import (
    DRAWS,
    oriented_posteriors,
    training_latents,
    training_posteriors,
)
from morpholaw.training.encoder import encode


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
    plain = oriented_posteriors(encoder, images)[0]
    means, log_variances = training_posteriors(encoder, images, ClassifierConfig(swaps=3))
    assert means.shape == log_variances.shape == (11, 5, 32)
    np.testing.assert_array_equal(means[:8], plain)
    assert all(not np.array_equal(version, plain[k]) for k, version in enumerate(means[8:]))
    assert training_posteriors(encoder, images, ClassifierConfig(microscopes=1.0))[0].shape == (16, 5, 32)


def test_laws_learn_from_the_versions_that_scheme_3_learnt_from(trained_study):
    split = ClassifierConfig(swaps=2)
    cells = labelled_cells(trained_study, split)
    views = law_step.training_views(trained_study, cells, LawConfig(latents=(0, 1)), split)
    assert len(views.features) == len(views.targets) == (8 + 2) * len(cells.train)
    np.testing.assert_array_equal(views.targets[-len(cells.train) :], cells.train_targets)
