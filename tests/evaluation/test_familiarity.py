"""Crops that are not made like those of the training cells are marked; held-out cells of the same kind hardly ever."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from morpholaw.cells.simulator import simulate_crops
from morpholaw.evaluation.familiarity import QUANTILE, Familiarity, picture_statistics
from morpholaw.interpretation.out_of_distribution import odd_crops


@pytest.fixture(scope="module")
def training():
    images, table = simulate_crops(600, seed=1)
    return images, Familiarity.fit(images, table["group"].to_numpy(str))


def test_held_out_cells_are_marked_about_as_rarely_as_the_limit_says(training):
    images, _ = simulate_crops(600, seed=2)
    assert training[1].unusual(images).mean() < 3 * (1 - QUANTILE)


def test_blank_saturated_noisy_and_defocused_crops_are_marked(training):
    images, cloud = training
    for kind, odd in odd_crops(images).items():
        assert cloud.unusual(odd).all(), kind


def test_a_slight_blur_and_stronger_noise_are_marked(training):
    images, cloud = training
    blurred = np.stack([ndimage.gaussian_filter(crop.astype(float), 2.5) for crop in images[:60]])
    noisy = images[:60] + np.random.default_rng(0).normal(0, 25, (60, 64, 64))
    for changed in (blurred, noisy):
        assert cloud.unusual(np.clip(changed, 0, 255).astype(np.uint8)).mean() > 0.9


def test_orientation_does_not_matter(training):
    images = training[0][:20]
    turned = picture_statistics(np.rot90(images, axes=(1, 2)).copy())
    np.testing.assert_allclose(turned, picture_statistics(images), rtol=1e-3, atol=1e-4)


def test_few_training_cells_say_nothing():
    images, table = simulate_crops(12, seed=1)
    assert Familiarity.fit(images, table["group"].to_numpy(str)) is None


def test_no_crop_has_no_statistics(training):
    assert training[1].unusual(np.zeros((0, 64, 64), np.uint8)).shape == (0,)
