"""Rendered nuclei have the area, axis ratio, orientation, position and brightness that were asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.cells.simulator.render import KIND_NAMES, Nuclei, blur, draw, draw_masks, expose


def one_nucleus(kind: str = "interphase", **values: float) -> Nuclei:
    fields = {
        "image": 0,
        "kind": KIND_NAMES.index(kind),
        "pattern": 3,
        "y": 50.0,
        "x": 60.0,
        "area": 700.0,
        "axis_ratio": 1.5,
        "orientation": 0.4,
        "brightness": 1.0,
        "mirrored": False,
    } | values
    return Nuclei(**{name: np.array([value]) for name, value in fields.items()})


def moments(mask: np.ndarray) -> tuple[float, np.ndarray, float, float]:
    yx = np.argwhere(mask)
    variance, vectors = np.linalg.eigh(np.cov(yx.T))
    angle = np.arctan2(vectors[0, 1], vectors[1, 1])
    return len(yx), yx.mean(0), np.sqrt(variance[1] / variance[0]), angle


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["interphase", "prometaphase", "metaphase", "anaphase", "polylobed", "folded"]),
    pattern=st.integers(0, 10_000),
    y=st.floats(45, 55),
    x=st.floats(45, 55),
    area=st.floats(250, 1500),
    axis_ratio=st.floats(1.2, 3.0),
    orientation=st.floats(0, np.pi),
    mirrored=st.booleans(),
)
def test_masks_have_the_moments_asked_for(kind, pattern, y, x, area, axis_ratio, orientation, mirrored):
    nucleus = one_nucleus(
        kind,
        pattern=pattern,
        y=y,
        x=x,
        area=area,
        axis_ratio=axis_ratio,
        orientation=orientation,
        mirrored=mirrored,
    )
    mask = draw_masks(nucleus, np.array([7]), (1, 100, 100))[0]
    assert set(np.unique(mask)) == {0, 7}
    size, centre, ratio, angle = moments(mask == 7)
    assert size == pytest.approx(area, rel=0.06, abs=8)
    np.testing.assert_allclose(centre, (y, x), atol=0.35)
    assert ratio == pytest.approx(axis_ratio, rel=0.08)
    # In pixels, a small mask that is nearly round has hardly an orientation.
    assert abs(np.sin(angle - orientation)) < 0.12 + 0.01 / (axis_ratio - 1)


@pytest.mark.parametrize("kind", ["interphase", "metaphase", "anaphase"])
def test_brightness_is_the_mean_over_the_mask(kind):
    nucleus = one_nucleus(kind, brightness=2.5)
    picture = draw(nucleus, (1, 100, 120))[0]
    inside = draw_masks(nucleus, np.array([1]), (1, 100, 120))[0] == 1
    assert picture[inside].mean() == pytest.approx(2.5, rel=0.05)
    assert draw(one_nucleus(kind, brightness=5.0), (1, 100, 120))[0] == pytest.approx(2 * picture)


def test_a_shift_of_a_whole_pixel_shifts_the_picture():
    here = draw(one_nucleus(y=50.3, x=60.7), (1, 100, 120))[0]
    there = draw(one_nucleus(y=53.3, x=58.7), (1, 100, 120))[0]
    np.testing.assert_allclose(np.roll(here, (3, -2), (0, 1)), there, atol=1e-3)


def test_nuclei_across_the_border_are_cut_off_not_moved():
    whole = draw(one_nucleus(y=50.0, x=60.0), (1, 100, 120))[0]
    cut = draw(one_nucleus(y=10.0, x=-2.0), (1, 60, 50))[0]
    np.testing.assert_allclose(cut[:30, :20], whole[40:70, 62:82], atol=1e-3)


def test_nuclei_far_outside_leave_no_trace():
    assert draw(one_nucleus(y=-400.0, x=1e6), (1, 64, 64)).max() == 0


def test_blur_keeps_the_light_and_widens():
    point = np.zeros((2, 64, 64), np.float32)
    point[:, 32, 32] = 1
    seen = blur(point, np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    np.testing.assert_allclose(seen.sum((1, 2)), 1, rtol=1e-4)
    assert seen[0].max() == pytest.approx(1 / (2 * np.pi), rel=0.01)
    assert seen[1].max() == pytest.approx(1 / (2 * np.pi * 9), rel=0.01)


def test_noise_grows_with_the_signal():
    rng = np.random.default_rng(0)
    signal = np.stack([np.zeros((200, 200)), np.full((200, 200), 4.0)]).astype(np.float32)
    seen = expose(rng, signal, np.array([0.1, 0.1]), np.array([100.0, 100.0]))
    assert seen[0].std() == pytest.approx(0.1, rel=0.03)
    assert seen[1].std() == pytest.approx(np.sqrt(0.01 + 0.04), rel=0.03)
    assert seen[1].mean() == pytest.approx(4.0, abs=0.01)
