import numpy as np
import pytest
import torch

from morpholaw.cells.cell_pixels import cell_pixels
from morpholaw.cells.normalise import peak
from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import EncoderConfig
from morpholaw.models.symmetry import cell_latents, kinds, transform_latents
from morpholaw.training.augment import (
    CellMasks,
    another_microscope,
    deform,
    exchange_surroundings,
    other_surroundings,
)
from morpholaw.training.encoder import EncoderTraining, train_encoder
from morpholaw.training.encoder_batches import Batch, mixed, swapped_cells
from morpholaw.training.training_crops import changed_versions

SMALL = EncoderConfig(
    latents=8,
    filters=(4, 8, 8, 8),
    hidden=32,
    epochs=1,
    epoch_crops=0,
    batch_size=16,
    precision="float32",
    swap=0,
    perturbation=0,
)


@pytest.fixture(scope="module")
def images():
    return simulate_crops(48, seed=5)[0]


def as_tensor(images):
    return torch.from_numpy(images).unsqueeze(1).float() / 255


def test_a_cell_keeps_its_pixels_and_gets_all_others_from_the_donor(images):
    pixels, cells = as_tensor(images), torch.from_numpy(cell_pixels(images)).unsqueeze(1)
    donors, donor_cells = pixels.roll(1, 0), cells.roll(1, 0)
    shown = exchange_surroundings(pixels, cells, donors, donor_cells, torch.Generator().manual_seed(0))
    assert torch.equal(shown[cells], pixels[cells])
    around = ~cells & ~donor_cells
    assert torch.equal(shown[around], donors[around])
    rim = ~cells & donor_cells
    assert shown[rim].mean() < 0.5 * donors[rim].mean()  # the donor's own cell is gone


def test_microscopes_change_grey_levels_and_nothing_at_strength_zero(images):
    pixels = as_tensor(images)
    same = another_microscope(pixels, 0.0, torch.Generator().manual_seed(0))
    assert torch.allclose(same, pixels, atol=1e-5)
    changed = another_microscope(pixels, 1.0, torch.Generator().manual_seed(0))
    assert changed.min() >= 0
    assert changed.max() <= 1
    off = (changed - pixels).square().mean((1, 2, 3)).sqrt()
    assert 0.005 < off.median() < 0.1
    correlation = np.corrcoef(changed.flatten().numpy(), pixels.flatten().numpy())[0, 1]
    assert correlation > 0.9  # it is still the same cell


def test_what_is_drawn_lies_on_the_device_of_the_crops():
    """The device "meta" computes nothing, but refuses tensors of another device, as a GPU does."""
    pixels = torch.empty(6, 1, 64, 64, device="meta")
    cells, drawn = torch.empty_like(pixels, dtype=torch.bool), torch.Generator().manual_seed(0)
    assert other_surroundings(pixels, cells, pixels, cells, drawn).is_meta
    assert another_microscope(pixels, 1.0, drawn).is_meta
    training = EncoderTraining(
        np.zeros((16, 64, 64), np.uint8), SMALL.model_copy(update={"perturbation": 0.1})
    )
    training.model.to("meta")
    batch = Batch(pixels, torch.arange(6), cells, drawn, torch.empty(6, 0, device="meta"))
    assert training._encoded(batch).is_meta
    assert swapped_cells(pixels, cells, 0.5, drawn).is_meta
    assert all(made.is_meta for made in mixed(batch))


def test_masks_are_those_of_the_segmentation_whenever_they_are_asked_for(images):
    masks = CellMasks(len(images), 64)
    expected = cell_pixels(images)
    some = np.array([3, 17, 40])
    assert np.array_equal(masks.of(some, images[some]).numpy(), expected[some])
    everyone = np.arange(len(images))
    assert np.array_equal(masks.of(everyone, images).numpy(), expected)


@pytest.mark.parametrize("latents", [4, 8, 32, 33])
def test_the_split_gives_both_sides_latents_and_keeps_pairs_together(latents):
    cell = cell_latents(latents)
    assert len(cell) == latents
    assert 0 < sum(cell) < latents
    direction = [own for own, kind in zip(cell, kinds(latents), strict=True) if kind == "direction"]
    assert direction[::2] == direction[1::2]
    own = torch.tensor(cell)
    z = torch.randn(2, latents) * own
    assert all(not transform_latents(z, k)[:, ~own].any() for k in range(8))


@pytest.mark.parametrize(
    "settings",
    [
        {"swap": 0.5},
        {"swap": 0.5, "split": True},
        {"split": True},
        {"microscopes": 1.0},
        {"perturbation": 0.05},
        {"grain_smoothing": True},
    ],
    ids=str,
)
def test_each_lever_changes_the_training_and_the_same_seed_repeats_it(images, settings):
    config = SMALL.model_copy(update=settings)
    plain, first, again = (
        train_encoder(images, one)[0].state_dict()["mean.weight"] for one in (SMALL, config, config)
    )
    assert torch.equal(first, again)
    assert torch.isfinite(first).all()
    assert not torch.equal(first, plain)


def test_what_is_decoded_stays_clean_where_what_is_encoded_is_changed(images):
    changed = {"microscopes": 2.0, "perturbation": 0.1, "plain_share": 0.0}
    training, plain = (
        EncoderTraining(images, SMALL.model_copy(update=changed)),
        EncoderTraining(images, SMALL),
    )
    batch, as_it_is = (
        one.loader.load(np.arange(16), torch.Generator().manual_seed(0), 0, one.plain)
        for one in (training, plain)
    )
    assert torch.equal(batch.images, as_it_is.images)
    assert not torch.equal(training._encoded(batch), batch.images)


def test_changed_versions_differ_from_each_other_and_repeat_with_the_seed(images):
    one, two = changed_versions(images, 2, True, 1.0, seed=3)
    again, _ = changed_versions(images, 2, True, 1.0, seed=3)
    assert one.dtype == np.uint8
    assert one.shape == images.shape
    assert np.array_equal(one, again)
    assert not np.array_equal(one, two)
    unchanged = next(iter(changed_versions(images, 1, False, 0.0)))
    assert np.array_equal(unchanged, images)


def test_swapped_surroundings_leave_the_cell_its_shape_and_the_crop_its_scale(images):
    pixels, cells = as_tensor(images), torch.from_numpy(cell_pixels(images)).unsqueeze(1)
    drawn = torch.Generator().manual_seed(1)
    shown = other_surroundings(pixels, cells, pixels.roll(5, 0), cells.roll(5, 0), drawn)
    for before, after, cell in zip(pixels, shown, cells, strict=True):
        ratio = after[cell] / before[cell].clamp_min(1e-3)
        assert ratio.max() <= 1.0 + 1e-5
        bright = before[cell] > 0.1
        assert ratio[bright].std() < 1e-4  # one factor for the whole cell
    brightest = peak(np.rint(255 * shown[:, 0].numpy()).astype(np.uint8))
    assert (brightest <= peak(images) + 2).all()


def test_deformed_crops_keep_their_brightness_and_repeat_with_the_seed(images):
    pixels = as_tensor(images)
    changed, again, other = (deform(pixels, 1.0, torch.Generator().manual_seed(k)) for k in (0, 0, 1))
    assert changed.shape == pixels.shape
    assert torch.equal(changed, again)
    assert not torch.allclose(changed, other)
    assert not torch.allclose(changed, pixels, atol=0.05)
    middle = (slice(None), slice(None), slice(24, 40), slice(24, 40))
    assert float(changed[middle].mean()) == pytest.approx(float(pixels[middle].mean()), rel=0.15)
    assert changed.min() >= 0
    assert changed.max() <= 1
