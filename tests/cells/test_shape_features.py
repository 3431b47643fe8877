"""Features with units against scikit-image, on drawn shapes, and in all orientations."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.measure import perimeter, regionprops
from skimage.morphology import convex_hull_image

from morpholaw.cells.convex_hull import hull_pixels
from morpholaw.cells.orientations import orient
from morpholaw.cells.segmentation import nucleus_masks
from morpholaw.cells.shape_features import (
    NEIGHBOURHOOD_NAMES,
    SHAPE_NAMES,
    choose_features,
    measure_features,
    shape_features,
)
from morpholaw.cells.simulator import simulate_crops
from morpholaw.errors import InputError

UM = 0.33


@pytest.fixture(scope="module")
def crops():
    return simulate_crops(phases={"interphase": 30, "metaphase": 20, "anaphase": 10}, seed=3)[0]


def draw(inside, level=180):
    return np.uint8(level * inside)[np.newaxis]


def test_shapes_are_those_that_scikit_image_measures_in_the_same_mask(crops):
    masks, measured = nucleus_masks(crops), measure_features(crops, UM)
    for mask, image, one in zip(masks, crops, measured.itertuples(), strict=True):
        region = regionprops(mask.astype(int), image / 255)[0]
        assert one.area == pytest.approx(region.area * UM**2)
        # A pixel has an extent here and none there: 1/12 of a pixel squared in each second moment.
        assert one.length == pytest.approx(UM * np.sqrt(region.axis_major_length**2 + 16 / 12))
        assert one.width == pytest.approx(UM * np.sqrt(region.axis_minor_length**2 + 16 / 12))
        assert one.brightness == pytest.approx(region.intensity_mean)
        assert one.brightness_spread == pytest.approx(region.intensity_std / region.intensity_mean)
        assert one.solidity == pytest.approx(
            region.area / convex_hull_image(mask, offset_coordinates=False).sum()
        )
        assert one.roundness == pytest.approx(4 * np.pi * region.area / perimeter(mask) ** 2)


@pytest.mark.parametrize("neighbours", [20, 45, 120, 255])
def test_what_is_measured_does_not_depend_on_how_bright_the_neighbours_are(neighbours):
    y, x = np.mgrid[-31.5:32, -31.5:32]
    nucleus = np.hypot(x / 10, y / 4) < 1
    around = (np.hypot(x - 25, y) < 7) | (np.hypot(x + 22, y + 22) < 9) | (np.hypot(x, y - 27) < 6)
    random = np.random.default_rng(0)
    crops = [
        (
            gaussian_filter(90.0 * nucleus, 1.5)
            + gaussian_filter(grey * around, 1.5)
            + random.normal(4, 1, nucleus.shape)
        )
        .clip(0, 255)
        .astype(np.uint8)
        for grey in (0.0, neighbours)
    ]
    alone, crowded = measure_features(np.stack(crops), UM).to_numpy()
    np.testing.assert_allclose(crowded, alone, rtol=0.02)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_hulls_of_scattered_pixels_are_those_of_scikit_image(share):
    masks = np.random.default_rng(0).random((60, 17, 13)) < share
    expected = [convex_hull_image(mask, offset_coordinates=False).sum() for mask in masks]
    assert hull_pixels(masks).tolist() == expected


def test_hulls_without_an_area_are_lines_points_and_nothing():
    masks = np.zeros((4, 17, 13), bool)
    masks[1, 4, 6] = True
    masks[2, 4, 2:9:3] = True
    masks[3, range(1, 13, 2), range(1, 13, 2)] = True
    assert hull_pixels(masks).tolist() == [0, 1, 7, 11]


def test_contrast_is_the_difference_of_pixels_one_micrometre_apart():
    y, x = np.mgrid[:64, :64]
    inside = np.hypot(y - 31.5, x - 31.5) < 15
    striped = np.where(inside, np.where(x // 2 % 2, 200, 120), 0).astype(np.uint8)[np.newaxis]
    mask = nucleus_masks(striped)[0]
    value = striped[0] / 255
    down = (value[2:] - value[:-2])[mask[2:] & mask[:-2]]
    across = (value[:, 2:] - value[:, :-2])[mask[:, 2:] & mask[:, :-2]]
    expected = np.sqrt(np.mean(np.concatenate([down, across]) ** 2)) / value[mask].mean()
    assert measure_features(striped, 0.5).contrast[0] == pytest.approx(expected)


def test_lengths_scale_with_the_pixel_and_ratios_do_not(crops):
    small, large = measure_features(crops, UM), measure_features(crops)
    for feature in shape_features(UM):
        power = {"µm": 1, "µm²": 2, "1/µm": -1, "": 0}[feature.unit]
        if feature.name != "contrast":  # its distance in pixels depends on the scale
            assert np.allclose(small[feature.name], large[feature.name] * UM**power), feature.name


def test_features_are_the_same_in_all_orientations(crops):
    expected = measure_features(crops, UM, neighbourhood=True).to_numpy()
    for k in range(1, 8):
        turned = np.stack([orient(image, k) for image in crops])
        assert np.allclose(measure_features(turned, UM, neighbourhood=True), expected), k


def test_a_sharper_edge_is_sharper():
    distance = np.hypot(*np.mgrid[-31.5:32, -31.5:32])
    sharp, blurred = (draw(np.clip((12 - distance) / width, 0, 1)) for width in (2, 8))
    assert measure_features(sharp).edge_sharpness[0] > 1.5 * measure_features(blurred).edge_sharpness[0]


def test_neighbours_are_counted_measured_and_left_out_unless_asked_for():
    y, x = np.mgrid[:64, :64]
    image = draw(
        (np.hypot(y - 31, x - 31) < 8) | (np.hypot(y - 31, x - 51) < 5) | (np.hypot(y - 5, x - 5) < 4)
    )
    one = measure_features(image, 0.5, neighbourhood=True).iloc[0]
    assert one.neighbours == 2
    assert one.neighbour_distance == pytest.approx(10)
    assert one.neighbour_area == pytest.approx(0.25 * np.pi * (25 + 16), rel=0.15)
    assert list(measure_features(image).columns) == list(SHAPE_NAMES)
    abouts = {feature.name: feature.about for feature in shape_features(neighbourhood=True)}
    assert {name for name, about in abouts.items() if about == "neighbourhood"} == set(NEIGHBOURHOOD_NAMES)


def test_a_crop_without_a_nucleus_has_no_shape():
    blank = np.zeros((2, 64, 64), np.uint8)
    assert measure_features(blank, UM, neighbourhood=True).isna().all(axis=None)
    assert measure_features(blank[:0], UM).shape == (0, len(SHAPE_NAMES))


def test_units_follow_from_whether_the_scale_is_known():
    assert [feature.unit for feature in choose_features(["area", "width", "solidity"], UM)] == [
        "µm²",
        "µm",
        "",
    ]
    assert [feature.unit for feature in choose_features(["area", "width"])] == ["px²", "px"]
    with pytest.raises(InputError, match="no shape 'girth'; the shapes are area, length"):
        choose_features(["girth"])
    with pytest.raises(InputError, match="positive number of micrometres"):
        measure_features(np.zeros((1, 64, 64), np.uint8), 0.0)
    with pytest.raises(InputError, match="crops of type uint8"):
        measure_features(np.zeros((1, 64, 64)))
