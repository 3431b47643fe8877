"""The domain constraints as numbers, odd crops, and attacked cells beside the originals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import bootstrap
from morpholaw.events import Monitor
from morpholaw.interpretation.attack import AttackOptions
from morpholaw.interpretation.constraints import (
    LabelledCrops,
    domain_constraints,
    energy_inside,
    neighbourhood_correct,
    orientation_invariant,
    shift_invariant,
)
from morpholaw.interpretation.counterfactuals import counterfactuals
from morpholaw.interpretation.out_of_distribution import mahalanobis, odd_crops, probe_odd_crops


class PatchEncoder:
    """Latents: brightness of the centre, of the rest, of the upper half; all of 8 x 8 images."""

    def __init__(self) -> None:
        centre = torch.zeros(8, 8, dtype=torch.bool)
        centre[3:5, 3:5] = True
        upper = torch.zeros(8, 8, dtype=torch.bool)
        upper[:4] = True
        self.patches = torch.stack([centre, ~centre, upper]).float()

    def encode(self, x):
        mean = torch.einsum("nij,kij->nk", x[:, 0], self.patches) / self.patches.sum((1, 2))
        return mean, torch.full_like(mean, -2.0)

    def decode(self, z):
        return torch.einsum("nk,kij->nij", z, self.patches)[:, None]


class PatchClassifier:
    """Members that read the centre alone, the neighbourhood too, and the upper half (which way is up)."""

    scheme, members = 2, 3
    encoder = PatchEncoder()
    weights = torch.tensor([[1.0, 0.0, 0.0], [1.0, -1.0, 0.0], [0.0, -1.0, 1.0]])

    def score_latents(self, z):
        z = z.expand(3, *z.shape[-2:])
        return torch.einsum("mnk,mk->mn", z, self.weights) - torch.tensor([[0.5], [0.0], [0.0]])

    def score_images(self, x):
        return self.score_latents(self.encoder.encode(x)[0])


class PixelClassifier(PatchClassifier):
    scheme, encoder = 1, None

    def score_images(self, x):
        x = x if x.ndim == 5 else x.expand(3, *x.shape)
        return x[:, :, 0, 0, 0] - 0.5


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)


@pytest.fixture
def labels(images):
    x = torch.as_tensor(images)[:, None].float() / 255
    return (PatchClassifier().score_images(x)[0] >= 0).long().numpy()


def test_only_the_model_that_reads_the_neighbourhood_is_hurt(images, labels):
    kept = neighbourhood_correct(PatchClassifier(), images, labels, morphology=[0])
    assert kept.shape == (3, 40)
    assert kept[0].all()  # reads only the fixed latent
    assert not kept[1].any()  # a step of 1 in the rest outweighs the centre
    assert neighbourhood_correct(PatchClassifier(), images, labels, morphology=[0, 1, 2])[0].all()


def test_energy_is_where_the_model_looks(images):
    centre = np.zeros((40, 8, 8), dtype=bool)
    centre[:, 3:5, 3:5] = True
    inside = energy_inside(PatchClassifier(), images, centre, batch=9)
    np.testing.assert_allclose(inside[0], 1)
    # The centre's four pixels have gradient 1/4, the sixty others 1/60.
    np.testing.assert_allclose(inside[1], (4 / 16) / (4 / 16 + 60 / 3600), rtol=1e-5)


def test_only_the_model_that_reads_the_upper_half_depends_on_orientation(images):
    same = orientation_invariant(PatchClassifier(), images)
    assert same.shape == (3, 40)
    assert same[:2].all()  # the centre and the rest look alike from all sides
    assert not same[2].all()


def test_a_uniform_picture_does_not_change_when_shifted(images):
    flat = np.full((4, 8, 8), 200, dtype=np.uint8)
    assert shift_invariant(PatchClassifier(), flat).all()
    assert not shift_invariant(PatchClassifier(), images)[0].all()


def test_all_constraints_come_with_intervals(images, labels):
    masks = np.zeros((40, 8, 8), dtype=bool)
    masks[:, 3:5, 3:5] = True
    table = domain_constraints(
        PatchClassifier(), LabelledCrops(images, labels, masks, np.arange(40) // 4), [0]
    )
    assert [c.name for c in table] == [
        "neighbourhood",
        "inside",
        "smallest perturbation",
        "orientation",
        "shift",
    ]
    for constraint in table:
        assert constraint.reason == ""
        assert constraint.estimate.low <= constraint.estimate.value <= constraint.estimate.high


def test_a_constraint_that_all_of_a_few_crops_meet_is_not_certain():
    flat = np.tile(np.arange(40, 240, 5, dtype=np.uint8)[:, None, None], (1, 8, 8))
    crops = LabelledCrops(flat, np.zeros(40, int), groups=np.arange(40) // 10)
    by_name = {one.name: one.estimate for one in domain_constraints(PixelClassifier(), crops)}
    for name in ("orientation", "shift"):
        assert by_name[name].value == by_name[name].high == 1
        assert by_name[name].low < 0.6  # four groups


def test_what_cannot_be_measured_says_why(images, labels):
    crops = LabelledCrops(images, labels)
    by_name = {c.name: c for c in domain_constraints(PixelClassifier(), crops, [0])}
    assert by_name["neighbourhood"].estimate is None
    assert by_name["neighbourhood"].reason == "it applies only to classifiers that read latents"
    assert by_name["inside"].reason == "no nucleus masks are given"
    assert by_name["orientation"].estimate.value < 1
    stopped = Monitor(should_stop=lambda: True)
    assert domain_constraints(PixelClassifier(), crops, monitor=stopped) == []


def test_masks_must_fit(images):
    with pytest.raises(InputError, match="do not fit the crops"):
        energy_inside(PatchClassifier(), images, np.zeros((40, 7, 7), dtype=bool))


def test_the_interval_covers_the_mean_of_independent_cells():
    rng = np.random.default_rng(0)
    hits = 0
    for k in range(100):
        estimate = bootstrap(rng.uniform(size=(1, 60)) < 0.7, resamples=300, seed=k)
        hits += estimate.low <= 0.7 <= estimate.high
    assert 85 <= hits <= 100


def test_cells_of_one_track_are_not_independent():
    values = np.repeat(np.random.default_rng(0).normal(size=20), 10)
    alone = bootstrap(values, seed=1)
    grouped = bootstrap(values, groups=np.repeat(np.arange(20), 10), seed=1)
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_an_infinite_median_stays_infinite():
    estimate = bootstrap(np.array([[np.inf, np.inf, 0.1]]), np.nanmedian)
    assert estimate.value == np.inf
    assert estimate.high == np.inf


def test_intervals_need_groups_that_fit():
    with pytest.raises(InputError, match="2 groups for 3 cells"):
        bootstrap(np.zeros(3), groups=np.zeros(2))


def test_odd_crops_are_encoded_scored_and_far(images):
    dim = (images // 4 + 60).astype(np.uint8)
    results = {r.kind: r for r in probe_odd_crops(PatchClassifier(), dim)}
    assert set(results) == {"blank", "saturated", "empty", "noise", "defocused"}
    blank = results["blank"]
    assert not blank.images.any()
    assert blank.scores.shape == (3, 1)
    np.testing.assert_allclose(blank.means, 0)
    np.testing.assert_allclose(blank.variances, np.exp(-2), rtol=1e-6)
    assert blank.distance[0] > blank.distance_limit
    assert results["saturated"].distance[0] > blank.distance_limit
    assert np.isfinite(results["defocused"].scores).all()


def test_odd_crops_without_a_latent_space_are_scored_only(images):
    results = probe_odd_crops(PixelClassifier(), images)
    assert results[0].means is None
    assert results[0].scores.tolist() == [[-0.5]] * 3


def test_odd_crops_are_the_same_for_the_same_seed(images):
    first, second = odd_crops(images, seed=3), odd_crops(images, seed=3)
    for kind, crops in first.items():
        assert crops.dtype == np.uint8
        np.testing.assert_array_equal(crops, second[kind])
    with pytest.raises(InputError, match="uint8"):
        odd_crops(images.astype(float))


def test_mahalanobis_counts_standard_deviations():
    cloud = np.random.default_rng(0).normal(size=(5000, 2)) * [1, 10]
    np.testing.assert_allclose(mahalanobis(np.array([[3.0, 0], [0, 30.0]]), cloud), 3, rtol=0.05)


@pytest.mark.parametrize("space", ["image", "latent"])
def test_counterfactuals_show_what_the_scores_say(space, images):
    classifier = PatchClassifier()
    shown = counterfactuals(classifier, images[:5], 0.6, 1, AttackOptions(space))
    assert shown.perturbed.shape == shown.difference.shape == (5, 8, 8)
    before = classifier.score_images(torch.as_tensor(shown.images)[:, None])[1]
    np.testing.assert_allclose(shown.scores, before, atol=1e-6)
    assert shown.flipped.all()
    if space == "image":
        after = classifier.score_images(torch.as_tensor(shown.perturbed)[:, None])[1]
        np.testing.assert_allclose(shown.perturbed_scores, after, atol=1e-6)
        assert shown.perturbed.min() >= 0
        np.testing.assert_allclose(shown.difference, shown.perturbed - shown.images)
    else:
        np.testing.assert_allclose(shown.difference, shown.perturbed - shown.reconstruction)


def test_counterfactuals_of_scheme_one_have_no_reconstruction(images):
    shown = counterfactuals(PixelClassifier(), images[:2], 0.1)
    assert shown.reconstruction is None
    assert shown.perturbed_reconstruction is None
    with pytest.raises(InputError, match="no latent space"):
        counterfactuals(PixelClassifier(), images[:2], 0.1, options=AttackOptions("latent"))
    with pytest.raises(InputError, match="models 0 to 2"):
        counterfactuals(PixelClassifier(), images[:2], 0.1, member=3)
