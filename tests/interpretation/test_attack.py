"""Fast gradient sign attacks: exact gradients, bounds, fixed latents, curves, controls and minimal perturbations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.interpretation.attack import AttackOptions, attack_curve, attack_pairs, perturb
from morpholaw.interpretation.gradients import RandomSigns, fgsm_direction, score_gradients
from morpholaw.interpretation.minimal_perturbation import minimal_perturbation


class TinyEncoder(nn.Module):
    """8 x 8 images to four latents, in double precision where asked."""

    def __init__(self, latents: int = 4) -> None:
        super().__init__()
        self.inward = nn.Sequential(nn.Conv2d(1, 3, 4, 2, 1), nn.Mish(), nn.Flatten(), nn.Linear(48, latents))
        self.outward = nn.Linear(latents, 64)

    def encode(self, x):
        mean = self.inward(x)
        return mean, torch.zeros_like(mean)

    def decode(self, z):
        return torch.sigmoid(self.outward(z)).reshape(-1, 1, 8, 8)


class LatentEnsemble:
    """Schemes 2-4: heads on a shared encoder."""

    scheme = 2

    def __init__(self, members: int = 3, latents: int = 4, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.members = members
        self.encoder = TinyEncoder(latents)
        self.first = torch.randn(members, latents, 5)
        self.last = torch.randn(members, 5)

    def double(self):
        self.encoder.double()
        self.first, self.last = self.first.double(), self.last.double()
        return self

    def score_latents(self, z):
        z = z.expand(self.members, *z.shape[-2:])
        return torch.einsum("mnh,mh->mn", torch.tanh(z @ self.first), self.last)

    def score_images(self, x):
        return self.score_latents(self.encoder.encode(x)[0])


class ImageEnsemble:
    """Scheme 1: one network for each member."""

    scheme = 1

    def __init__(self, members: int = 3) -> None:
        torch.manual_seed(1)
        self.members = members
        self.encoder = nn.ModuleList(
            nn.Sequential(nn.Conv2d(1, 3, 4, 2, 1), nn.Mish(), nn.Flatten(), nn.Linear(48, 1))
            for _ in range(members)
        )

    def score_images(self, x):
        x = x if x.ndim == 5 else x.expand(self.members, *x.shape)
        return torch.stack([net(part)[:, 0] for net, part in zip(self.encoder, x, strict=True)])


@pytest.fixture
def images():
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(2))


TRUTH = np.array([1, 0, 1, 0, 1, 0])
SIGNS = torch.as_tensor(2 * TRUTH - 1)


def classes(scores):
    return (scores >= 0).long()


def finite_difference_sign(loss_of, x, member, crop, places, step=1e-6):
    signs = []
    for place in places:
        ends = []
        for s in (step, -step):
            moved = x.clone()
            moved[(crop, *place)] += s
            ends.append(loss_of(moved)[member, crop].item())
        signs.append(np.sign(ends[0] - ends[1]))
    return signs


@pytest.mark.parametrize("loss", ["bce", "hinge"])
@pytest.mark.parametrize("make", [lambda: LatentEnsemble().double(), ImageEnsemble], ids=["shared", "own"])
def test_image_direction_is_the_sign_of_finite_differences(make, loss, images):
    classifier = make()
    classifier.encoder.double()
    x, y = images.double(), SIGNS.double()

    def loss_of(moved):
        margin = y * classifier.score_images(moved)
        return torch.nn.functional.softplus(-margin) if loss == "bce" else torch.relu(1 - margin)

    direction, _ = fgsm_direction(classifier, x, TRUTH, "image", loss)
    assert direction.shape == (3, 6, 1, 8, 8)
    assert direction.dtype == torch.int8
    places = [(0, 0, 1), (0, 3, 4), (0, 7, 7), (0, 5, 2)]
    for member in range(3):
        for crop in range(6):
            expected = finite_difference_sign(loss_of, x, member, crop, places)
            assert [direction[(member, crop, *p)].item() for p in places] == expected


def test_latent_direction_is_the_sign_of_finite_differences():
    classifier = LatentEnsemble().double()
    z = torch.randn(6, 4, dtype=torch.float64)
    y = SIGNS.double()
    direction, _ = fgsm_direction(classifier, z, TRUTH, "latent")
    for member in range(3):
        for crop in range(6):
            expected = finite_difference_sign(
                lambda m: torch.nn.functional.softplus(-y * classifier.score_latents(m)),
                z,
                member,
                crop,
                [(k,) for k in range(4)],
            )
            assert direction[member, crop].tolist() == expected


def test_fixed_latents_do_not_move():
    classifier = LatentEnsemble()
    z = torch.randn(6, 4)
    direction, _ = fgsm_direction(classifier, z, TRUTH, "latent", fixed=(1, 3))
    moved = perturb(z, direction, 0.5)
    assert torch.equal(moved[..., [1, 3]], z[..., [1, 3]].expand(3, 6, 2))
    assert (moved[..., [0, 2]] - z[..., [0, 2]]).abs().sub(0.5).abs().max() < 1e-6


def test_a_confident_score_is_still_attacked():
    """The sigmoid of a score of 1000 has gradient zero in float32; its sign is known all the same."""
    classifier = LatentEnsemble()
    classifier.last = classifier.last * 1e4
    z = torch.randn(6, 4)
    y = classes(classifier.score_latents(z))
    assert (fgsm_direction(classifier, z, y, "latent")[0] != 0).all()


def test_hinge_leaves_cells_beyond_the_margin_alone():
    classifier = LatentEnsemble()
    z = torch.randn(6, 4)
    margin = classifier.score_latents(z) * SIGNS
    direction, _ = fgsm_direction(classifier, z, TRUTH, "latent", "hinge")
    assert torch.equal((direction != 0).any(dim=-1), margin < 1)


def test_undefined_gradients_move_nothing():
    classifier = LatentEnsemble()
    classifier.score_latents = lambda z: (z * torch.nan).sum(-1).expand(3, -1)
    assert (fgsm_direction(classifier, torch.randn(6, 4), TRUTH, "latent")[0] == 0).all()


def naive_accuracy(classifier, x, y, eps, space, bounds):
    """Member by member, magnitude by magnitude, with autograd on the loss itself."""
    out = np.zeros((classifier.members, len(eps)))
    score = classifier.score_images if space == "image" else classifier.score_latents
    for k in range(classifier.members):
        for e, size in enumerate(eps):
            inputs = x.clone().requires_grad_()
            loss = torch.nn.functional.softplus(-y * score(inputs)[k]).sum()
            moved = x + size * torch.autograd.grad(loss, inputs)[0].sign()
            scores = score(moved.clamp(*bounds) if bounds else moved)[k]
            out[k, e] = ((scores >= 0) == (y > 0)).float().mean()
    return out


@pytest.mark.parametrize(("space", "bounds"), [("image", (0.0, 1.0)), ("image", None), ("latent", None)])
def test_curve_equals_one_attack_at_a_time(space, bounds, images):
    classifier = LatentEnsemble()
    x = images if space == "image" else torch.randn(6, 4)
    eps = (0.0, 0.1, 0.4, 1.0)
    options = AttackOptions(space, bounds=bounds, batch=6)  # two crops at a time
    curve = attack_curve(classifier, x, TRUTH, eps, options)
    expected = naive_accuracy(classifier, x, SIGNS, eps, space, bounds)
    np.testing.assert_allclose(curve.accuracy, expected, atol=1e-7)
    assert curve.crops == 6
    assert curve.mean.shape == curve.deviation.shape == (4,)


def test_curve_of_networks_without_a_shared_encoder(images):
    classifier = ImageEnsemble()
    curve = attack_curve(classifier, images, TRUTH, (0.0, 0.2))
    expected = naive_accuracy(classifier, images, SIGNS, (0.0, 0.2), "image", (0, 1))
    np.testing.assert_allclose(curve.accuracy, expected, atol=1e-7)


def test_an_attack_on_the_predicted_class_can_correct_a_mistake():
    classifier = LatentEnsemble()
    z = torch.randn(40, 4, generator=torch.Generator().manual_seed(4))
    wrong = 1 - classes(classifier.score_latents(z)[0])
    kept = attack_curve(classifier, z, wrong, (0.0, 5.0), AttackOptions("latent", target="label"))
    moved = attack_curve(classifier, z, wrong, (0.0, 5.0), AttackOptions("latent", target="call"))
    assert kept.accuracy[0].tolist() == [0, 0]  # away from the label: mistakes stay mistakes
    assert moved.accuracy[0, 1] > 0.5  # away from the predicted class: mistakes are corrected


def test_bytes_are_read_as_normalised_images(images):
    classifier = LatentEnsemble()
    stored = (images[:, 0] * 255).round().to(torch.uint8)
    by_bytes = attack_curve(classifier, stored.numpy(), TRUTH, (0.1,))
    by_floats = attack_curve(classifier, stored[:, None].float() / 255, TRUTH, (0.1,))
    np.testing.assert_array_equal(by_bytes.accuracy, by_floats.accuracy)


def test_stopping_says_how_many_crops_were_attacked(images):
    answers = iter([False, True])
    curve = attack_curve(
        LatentEnsemble(),
        images,
        TRUTH,
        (0.0,),
        AttackOptions(batch=6),
        monitor=Monitor(should_stop=lambda: next(answers)),
    )
    assert curve.crops == 2
    none = attack_curve(LatentEnsemble(), images, TRUTH, (0.0,), monitor=Monitor(should_stop=lambda: True))
    assert none.crops == 0
    assert np.isnan(none.accuracy).all()


def test_random_signs_depend_on_the_seed_and_not_on_the_batches():
    whole = RandomSigns(5).next((7, 1, 6, 6))
    rows = RandomSigns(5)
    assert torch.equal(whole, torch.cat([rows.next((3, 1, 6, 6)), rows.next((4, 1, 6, 6))]))
    assert not torch.equal(whole, RandomSigns(6).next((7, 1, 6, 6)))
    assert set(whole.unique().tolist()) == {-1, 1}
    assert abs(RandomSigns(0).next((200, 100)).float().mean()) < 0.02


def test_the_control_moves_every_input_by_eps_and_misleads_less_than_the_gradient():
    classifier = LatentEnsemble()
    z = torch.randn(200, 4, generator=torch.Generator().manual_seed(5))
    truth = classes(classifier.score_latents(z)[0]).numpy()
    gradient = attack_curve(classifier, z, truth, (0.0, 0.3), AttackOptions("latent"))
    control = attack_curve(classifier, z, truth, (0.0, 0.3), AttackOptions("latent", direction="random"))
    assert gradient.accuracy[0, 0] == control.accuracy[0, 0] == 1
    assert gradient.accuracy[0, 1] < control.accuracy[0, 1] - 0.1
    assert control.accuracy[0, 1] < 1


@pytest.mark.parametrize("scheme", [1, 3])
def test_the_control_is_the_same_for_any_batch_size_and_reproducible(scheme, images):
    """Fused classifiers read blocks of pixels, others images: the random signs of a pixel are the same."""
    classifier = real_classifier(scheme)
    options = AttackOptions(direction="random", seed=3)
    eps = (0.0, 0.2, 0.5)
    whole = attack_curve(classifier, images, TRUTH, eps, options)
    small = attack_curve(classifier, images, TRUTH, eps, replace(options, batch=2))
    np.testing.assert_array_equal(whole.correct, small.correct)
    signs = RandomSigns(3).next(images.shape)
    moved = (images + 0.5 * signs).clamp(0, 1)
    expected = (classifier.score_images(moved) >= 0).numpy() == (TRUTH > 0)
    np.testing.assert_array_equal(whole.correct[:, 2], expected)


def test_the_control_leaves_fixed_latents_alone():
    options = AttackOptions("latent", fixed=(0, 1, 2, 3), direction="random")
    curve = attack_curve(LatentEnsemble(), torch.randn(6, 4), TRUTH, (0.0, 9.0), options)
    np.testing.assert_array_equal(curve.correct[:, 0], curve.correct[:, 1])


class LinearClassifier:
    """f(z) = w.z: the smallest perturbation along the sign of w is |w.z| / sum |w|."""

    scheme = 4

    def __init__(self) -> None:
        self.members = 2
        self.encoder = TinyEncoder()
        self.w = torch.tensor([[1.0, -2.0, 0.5, 0.0], [0.0, 1.0, 1.0, 3.0]])

    def score_latents(self, z):
        return (z.expand(2, *z.shape[-2:]) * self.w[:, None]).sum(-1)

    def score_images(self, x):
        return self.score_latents(self.encoder.encode(x)[0])


@pytest.mark.parametrize("tolerance", [0.1, 1e-3])
def test_the_minimal_perturbation_of_a_linear_score_is_its_distance(tolerance):
    classifier = LinearClassifier()
    z = torch.randn(50, 4, generator=torch.Generator().manual_seed(3))
    exact = (classifier.score_latents(z).abs() / classifier.w.abs().sum(-1, keepdim=True)).numpy()
    options = AttackOptions("latent", batch=16)
    eps = minimal_perturbation(classifier, z, options, eps_max=0.4, tolerance=tolerance)
    assert np.array_equal(np.isinf(eps), exact > 0.4)
    near = exact <= 0.4
    assert (eps[near] >= exact[near] - 1e-6).all()
    assert (eps[near] <= exact[near] + tolerance + 1e-6).all()


def test_the_class_has_changed_at_the_minimal_perturbation(images):
    classifier = LatentEnsemble()
    eps = minimal_perturbation(classifier, images, eps_max=1.0, tolerance=1e-3)
    before = classes(classifier.score_images(images))
    direction, _ = fgsm_direction(classifier, images, before)
    assert np.isfinite(eps).any()
    for k, n in np.argwhere(np.isfinite(eps)):
        moved = perturb(images, direction, float(eps[k, n]), (0, 1))[k]
        assert classes(classifier.score_images(moved))[k, n] == 1 - before[k, n]


def test_no_perturbation_changes_the_class_if_all_latents_are_fixed():
    options = AttackOptions("latent", fixed=(0, 1, 2, 3))
    eps = minimal_perturbation(LatentEnsemble(), torch.randn(5, 4), options)
    assert np.isinf(eps).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: fgsm_direction(ImageEnsemble(), x, TRUTH, "latent"), "Scheme 1 has no latent space"),
        (lambda x: fgsm_direction(LatentEnsemble(), x, TRUTH, "image", fixed=(1,)), "latent space only"),
        (
            lambda x: fgsm_direction(LatentEnsemble(), torch.zeros(6, 4), TRUTH, "latent", fixed=(4,)),
            "latents 0 to 3",
        ),
        (lambda x: fgsm_direction(LatentEnsemble(), x, TRUTH[:2]), "one per crop"),
        (lambda x: fgsm_direction(LatentEnsemble(), x, TRUTH * 2), "must be 0"),
        (lambda x: fgsm_direction(LatentEnsemble(), x, TRUTH, "pixels"), "expected 'image' or 'latent'"),
        (lambda x: attack_curve(LatentEnsemble(), x, TRUTH, (-0.1,)), "finite, non-negative numbers"),
        (lambda x: attack_curve(LatentEnsemble(), x, TRUTH[:3], (0.1,)), "3 labels for 6 crops"),
        (lambda x: attack_curve(LatentEnsemble(), x[0, 0], TRUTH, (0.1,)), "8 crops|one channel"),
        (lambda x: minimal_perturbation(LatentEnsemble(), x, tolerance=0), "0 < tolerance"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(call, message, images):
    with pytest.raises(InputError, match=message):
        call(images)


def test_agrees_with_torchattacks_to_the_crop(images):
    torchattacks = pytest.importorskip("torchattacks", reason="torchattacks is not installed (extra 'bench')")
    classifier = LatentEnsemble()
    y = torch.as_tensor(TRUTH)
    curve = attack_curve(classifier, images, TRUTH, (0.05, 0.2))

    class TwoLogits(nn.Module):
        """Cross-entropy of (0, f) is the binary cross-entropy of f."""

        def __init__(self, member: int) -> None:
            super().__init__()
            self.encoder, self.member = classifier.encoder, member

        def forward(self, x):
            f = classifier.score_images(x)[self.member]
            return torch.stack([torch.zeros_like(f), f], dim=1)

    for k in range(classifier.members):
        model = TwoLogits(k).eval()
        for e, eps in enumerate((0.05, 0.2)):
            moved = torchattacks.FGSM(model, eps=eps)(images, y)
            right = (classifier.score_images(moved)[k] >= 0) == (y > 0)
            assert curve.accuracy[k, e] == pytest.approx(right.float().mean().item())


def real_classifier(scheme):
    from morpholaw.models.classifier import Classifier
    from morpholaw.models.cnn import CNNEnsemble
    from morpholaw.models.heads import HeadEnsemble
    from morpholaw.models.law import Law
    from morpholaw.models.vae import BetaTCVAE

    torch.manual_seed(scheme)
    small = {"filters": (3, 4), "hidden": 12, "size": 8}
    encoder, classes = BetaTCVAE(5, **small), ("interphase", "metaphase")
    head = HeadEnsemble(2, 5, (4, 4), normalise=scheme == 1)
    if scheme == 1:
        return Classifier.dense_cnn(CNNEnsemble(2, 5, **small), head, classes).eval()
    if scheme == 4:
        texts = ("z1*(square(z0) + 1) - exp(exp(z3))", "sqrt(abs(z2)) + 3*z3 - z1/2 - 0.1")
        laws = [Law.parse(text, ("z0", "z1", "z2", "z3")) for text in texts]
        return Classifier.with_laws(encoder, laws, classes).eval()
    if scheme == 3:
        for mask in head.masks:
            mask &= torch.rand(mask.shape) < 0.6
    return Classifier.with_head(encoder, head, classes, sparse=scheme == 3).eval()


@pytest.mark.parametrize("space", ["image", "latent"])
@pytest.mark.parametrize("scheme", [1, 2, 3, 4])
def test_gradients_of_every_scheme_agree_with_finite_differences(scheme, space, images):
    if (scheme, space) == (1, "latent"):
        pytest.skip("scheme 1 has no latent space")
    classifier = real_classifier(scheme).double()
    x = images.double() if space == "image" else torch.randn(6, 5, dtype=torch.float64)
    score = classifier.score_images if space == "image" else classifier.score_latents
    gradient, scores = score_gradients(classifier, x, space)
    torch.testing.assert_close(scores, score(x).detach())
    rng, step = np.random.default_rng(0), 1e-6
    for _ in range(12):
        place = tuple(int(rng.integers(n)) for n in x.shape)
        up, down = x.clone(), x.clone()
        up[place] += step
        down[place] -= step
        slope = ((score(up) - score(down)) / (2 * step))[:, place[0]].detach()
        torch.testing.assert_close(gradient[(slice(None), *place)], slope, rtol=1e-4, atol=1e-7)


def test_a_law_without_latents_cannot_be_attacked_but_can_be_asked():
    from morpholaw.models.classifier import Classifier
    from morpholaw.models.law import Law

    constant = Classifier.with_laws(real_classifier(4).encoder, [Law.parse("1.5", ("z0",))], ("a", "b"))
    curve = attack_curve(constant, torch.randn(6, 5), TRUTH, (0.0, 1.0), AttackOptions("latent"))
    np.testing.assert_allclose(curve.accuracy, 0.5)


class ThreeClasses(LatentEnsemble):
    """Three scores per input, one per class."""

    def __init__(self) -> None:
        super().__init__()
        self.last = torch.randn(self.members, 5, 3)

    def score_latents(self, z):
        z = z.expand(self.members, *z.shape[-2:])
        return torch.einsum("mnh,mhc->mnc", torch.tanh(z @ self.first), self.last)


THREE = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("loss", ["bce", "hinge"])
@pytest.mark.parametrize("towards", [None, 1])
def test_of_more_classes_the_direction_is_the_sign_of_finite_differences(loss, towards):
    classifier = ThreeClasses().double()
    z = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    moved_for = torch.as_tensor(THREE if towards is None else np.full(6, towards))

    def loss_of(moved):
        scores = classifier.score_latents(moved)
        if loss == "bce":
            return torch.stack(
                [nn.functional.cross_entropy(one, moved_for, reduction="none") for one in scores]
            )
        own = nn.functional.one_hot(moved_for, 3).bool()
        others = scores.masked_fill(own, -torch.inf).amax(-1)
        return (1 - (scores[:, own] - others)).clamp(min=0)

    direction, scores = fgsm_direction(classifier, z, THREE, "latent", loss, towards=towards)
    assert scores.shape == (3, 6, 3)
    away = 1 if towards is None else -1
    for member, crop in ((0, 0), (1, 3), (2, 5)):
        expected = finite_difference_sign(loss_of, z, member, crop, [(k,) for k in range(4)])
        assert direction[member, crop].tolist() == [away * sign for sign in expected]


def test_of_two_classes_towards_one_is_away_from_the_other():
    classifier, z = LatentEnsemble(), torch.randn(6, 4)
    towards, _ = fgsm_direction(classifier, z, None, "latent", towards=1)
    away, _ = fgsm_direction(classifier, z, np.zeros(6, np.int64), "latent")
    assert torch.equal(towards, away)


def test_two_outputs_are_attacked_as_one_output_that_is_their_difference():
    """The softmax of (0, f) is the logistic function of f: both paths must agree."""

    class TwoOutputs(LatentEnsemble):
        def score_latents(self, z):
            f = super().score_latents(z)
            return torch.stack([torch.zeros_like(f), f], dim=-1)

    z = torch.randn(40, 4, generator=torch.Generator().manual_seed(4))
    y = np.arange(40) % 2
    one, two = (
        attack_curve(make(), z, y, (0.0, 0.3, 1.0), AttackOptions("latent"))
        for make in (LatentEnsemble, TwoOutputs)
    )
    np.testing.assert_array_equal(one.predicted, two.predicted)
    smallest = [
        minimal_perturbation(make(), z, AttackOptions("latent")) for make in (LatentEnsemble, TwoOutputs)
    ]
    np.testing.assert_allclose(*smallest)


def test_the_smallest_perturbation_towards_a_class_reaches_it_and_no_other():
    classifier = ThreeClasses()
    z = torch.randn(30, 4, generator=torch.Generator().manual_seed(5))
    options = AttackOptions("latent", towards=2)
    eps = minimal_perturbation(classifier, z, options, eps_max=8.0, tolerance=1e-2)
    direction, scores = fgsm_direction(classifier, z, None, "latent", towards=2)
    found = np.isfinite(eps)
    assert found.any()
    moved = z + torch.as_tensor(np.where(found, eps, 0.0), dtype=torch.float32)[..., None] * direction
    after = classifier.score_latents(moved).argmax(-1).numpy()
    assert (after[found] == 2).all()
    assert (scores.argmax(-1).numpy()[found] != 2).all()
    free = minimal_perturbation(classifier, z, AttackOptions("latent"), eps_max=8.0, tolerance=1e-2)
    assert np.isfinite(free).sum() >= found.sum()


def test_pairs_of_classes_sum_up_attacks_towards_each():
    classifier = ThreeClasses()
    z = torch.randn(60, 4, generator=torch.Generator().manual_seed(6))
    y = np.arange(60) % 3
    found = attack_pairs(classifier, z, y, 3, (0.0, 3.0), AttackOptions("latent"))
    assert found.success.shape == (3, 2, 3, 3)
    assert np.isnan(found.success[:, :, np.arange(3), np.arange(3)]).all()
    towards = attack_curve(classifier, z, y, (3.0,), AttackOptions("latent", towards=2))
    np.testing.assert_allclose(found.success[:, 1, 0, 2], (towards.predicted[:, 0, y == 0] == 2).mean(axis=1))
    assert found.cells.tolist() == [20, 20, 20]
    with pytest.raises(InputError, match="no class 3 to move towards"):
        attack_curve(classifier, z, y, (1.0,), AttackOptions("latent", towards=3))
