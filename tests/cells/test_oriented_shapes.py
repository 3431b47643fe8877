"""Measured shapes: what was drawn is what is measured; signs follow flips and turns; nothing is ever NaN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.cells.import_crops import import_crops
from morpholaw.cells.orientations import COUNT, orient
from morpholaw.cells.oriented_shapes import COLUMNS, measure_shapes
from morpholaw.cells.segmentation import nucleus_masks

SHARED = Path(__file__).parents[3] / "shared" / "data"


def ellipse(
    y: float = 0, x: float = 0, major: float = 14, minor: float = 8, theta: float = 0, level: int = 100
) -> np.ndarray:
    """A bright ellipse at (y, x) from the centre, its major semi-axis at theta from x towards y (down)."""
    down, right = np.mgrid[:64, :64] - 31.5
    along = (right - x) * np.cos(theta) + (down - y) * np.sin(theta)
    across = (down - y) * np.cos(theta) - (right - x) * np.sin(theta)
    edge = 1 - np.hypot(along / major, across / minor)
    return (level * np.clip(edge * minor + 0.5, 0, 1)).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(
    y=st.floats(-3, 3),
    x=st.floats(-3, 3),
    major=st.floats(11, 15),
    ratio=st.floats(0.45, 1),
    theta=st.floats(0, np.pi),
    level=st.integers(60, 255),
)
def test_an_ellipse_is_measured_as_it_was_drawn(y, x, major, ratio, theta, level):
    minor = ratio * major
    shape = measure_shapes(ellipse(y, x, major, minor, theta, level)[np.newaxis]).iloc[0]
    assert shape.area == pytest.approx(np.pi * major * minor, rel=0.15)
    assert shape.axis_ratio == pytest.approx(1 / ratio, rel=0.15)
    assert shape.aspect == pytest.approx(-np.log(ratio) * np.cos(2 * theta), abs=0.12)
    assert shape.diagonality == pytest.approx(-np.log(ratio) * np.sin(2 * theta), abs=0.12)
    assert (shape.offset_y, shape.offset_x) == pytest.approx((y, x), abs=0.3)
    assert shape.brightness == pytest.approx(level / 255, rel=0.15)
    assert shape.neighbours == shape.neighbour_area == 0


def test_elongation_and_offset_follow_flips_and_turns():
    image = ellipse(2, -3, 14, 7, 0.4)
    one = measure_shapes(image[np.newaxis]).iloc[0]
    for k in range(COUNT):
        turned = measure_shapes(orient(image, k)[np.newaxis]).iloc[0]
        swapped, mirrored = bool(k & 4), (k & 1) ^ (k >> 1 & 1)
        assert turned.area == one.area
        assert turned.aspect == pytest.approx(-one.aspect if swapped else one.aspect)
        assert turned.diagonality == pytest.approx(-one.diagonality if mirrored else one.diagonality)
        y, x = one.offset_y * (-1 if k & 2 else 1), one.offset_x * (-1 if k & 1 else 1)
        assert (turned.offset_y, turned.offset_x) == pytest.approx((x, y) if swapped else (y, x))


def test_neighbours_are_counted_and_left_out_of_the_nucleus():
    image = np.maximum.reduce([ellipse(), ellipse(-24, -22, 8, 6), ellipse(25, 20, 7, 7, level=180)])
    image[2, 60] = 255  # a hot pixel is no neighbour
    shape = measure_shapes(image[np.newaxis]).iloc[0]
    alone = measure_shapes(ellipse()[np.newaxis]).iloc[0]
    assert shape.neighbours == 2
    assert shape.neighbour_area == pytest.approx(np.pi * (8 * 6 + 7 * 7), rel=0.2)
    assert shape.area == pytest.approx(alone.area, rel=0.1)


def test_a_dim_nucleus_among_bright_neighbours_is_found():
    bright = [ellipse(-24, -22, 8, 6, level=250), ellipse(25, 20, 8, 8, level=250)]
    image = np.maximum.reduce([ellipse(level=45), *bright])
    shape = measure_shapes(image[np.newaxis]).iloc[0]
    assert shape.area == pytest.approx(np.pi * 14 * 8, rel=0.15)
    assert shape.neighbours == 2


def test_texture_tells_a_mottled_nucleus_from_a_smooth_one():
    smooth = ellipse()
    mottled = smooth.copy()
    mottled[::4, :] //= 2
    shapes = measure_shapes(np.stack([smooth, mottled]))
    assert shapes.texture[1] > 1.5 * shapes.texture[0]


def test_a_hole_belongs_to_the_nucleus():
    ring = ellipse(major=16, minor=16) - np.minimum(ellipse(major=5, minor=5), 90)
    assert measure_shapes(ring[np.newaxis]).area[0] == pytest.approx(np.pi * 256, rel=0.1)
    assert nucleus_masks(ring[np.newaxis])[0, 31, 31]


def test_crops_without_a_nucleus_give_finite_numbers():
    random = np.random.default_rng(0)
    crops = [
        np.zeros((64, 64)),
        np.full((64, 64), 255),
        np.full((64, 64), 17),
        random.normal(6, 2, (64, 64)).clip(0),
        np.pad(np.full((8, 64), 200), ((0, 56), (0, 0))),
        random.integers(0, 256, (64, 64)),
    ]
    images = np.stack(crops).astype(np.uint8)
    shapes = measure_shapes(images)
    assert np.isfinite(shapes.to_numpy(float)).all()
    assert list(shapes.area[:5]) == [0] * 5
    assert (shapes.axis_ratio[:5] == 1).all()
    assert not nucleus_masks(images)[:5].any()
    assert list(measure_shapes(images[:0]).columns) == list(shapes.columns) == list(COLUMNS)


def test_masks_and_measurements_are_of_the_same_nucleus_in_any_batch():
    random = np.random.default_rng(1)
    drawn = zip(random.uniform(-4, 4, (600, 2)), random.uniform(6, 15, (600, 2)), strict=True)
    images = np.stack([ellipse(*place, *axes, 0.7) for place, axes in drawn])
    shapes = measure_shapes(images)
    assert np.array_equal(nucleus_masks(images).sum(axis=(1, 2)), shapes.area)
    assert measure_shapes(images[570:571]).iloc[0].equals(shapes.iloc[570])


def test_real_nuclei_are_found_and_metaphases_are_small_and_long(tmp_path):
    root = SHARED / "mitocheck_hela"
    if not root.exists():
        pytest.skip(f"the MitoCheck crops are not at {root}")
    crops = import_crops(root, tmp_path / "set")
    shapes = measure_shapes(crops.images)
    assert (shapes.area > 0).mean() > 0.99
    medians = shapes.groupby(crops.cells.label.to_numpy()).median()
    assert medians.area["metaphase"] < 0.6 * medians.area["interphase"]
    assert medians.axis_ratio["metaphase"] > 1.2 * medians.axis_ratio["interphase"]
