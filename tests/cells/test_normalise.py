import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.cells.normalise import CEILING, FAINTEST, Normalisation, fit_normalisation
from morpholaw.errors import InputError


def nuclei(seed=0, n=40):
    """Raw crops in arbitrary units: a disc of brightness 1 on a background of 0, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64] - 31.5
    disc = (np.hypot(y, x) < 12.6).astype(float)
    return disc * rng.uniform(0.8, 1.2, (n, 1, 1)) + 0.02 * rng.standard_normal((n, 64, 64))


@pytest.mark.parametrize(
    ("gain", "offset", "dtype"),
    [(60, 20, np.uint8), (900, 32768, np.uint16), (5000, 100, np.int32), (3.3, -7, float)],
)
def test_cameras_agree(gain, offset, dtype):
    raw = nuclei()
    reference = fit_normalisation(raw).apply(raw)
    camera = (
        (raw * gain + offset).astype(dtype) if dtype is float else np.rint(raw * gain + offset).astype(dtype)
    )
    crops = fit_normalisation(camera).apply(camera)
    assert np.abs(crops.astype(int) - reference.astype(int)).max() <= 4


def test_a_cells_brightest_chromatin_comes_out_at_one_unit():
    raw = nuclei() * np.linspace(0.2, 5, 40)[:, None, None]
    scale = fit_normalisation(raw)
    crops = scale.apply(raw, scale.brightness(raw))
    assert np.percentile(crops[:, 22:42, 22:42], 90, axis=(1, 2)) == pytest.approx(255 / CEILING, rel=0.1)


@given(st.floats(-1e4, 1e5), st.floats(1e-3, 1e4))
def test_inverting_gives_the_raw_value_back_to_half_a_level(background, scale):
    normalisation = Normalisation(background, scale)
    raw = background + scale * np.linspace(0, CEILING, 200)
    back = normalisation.invert(normalisation.apply(raw))
    step = scale * CEILING / 255 / 2
    assert np.abs(back - raw).max() <= step * 1.02 + 1e-5 * abs(background)


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_blank_crops_give_finite_numbers(value):
    blank = np.full((3, 64, 64), value, np.uint16)
    normalisation = fit_normalisation(blank)
    assert np.all(normalisation.apply(blank) == 0)
    assert np.isfinite(normalisation.invert(normalisation.apply(blank))).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_pixels_are_counted_in_the_message(value):
    raw = nuclei()
    raw[0, 0, :3] = value
    with pytest.raises(InputError, match=r"the movie contain 3 pixels that are NaN or infinite"):
        fit_normalisation(raw, "the movie")


def test_no_crop_is_an_input_error():
    with pytest.raises(InputError, match="contain no cells"):
        fit_normalisation(np.zeros((0, 64, 64)))


def test_json_round_trip_and_its_refusal():
    normalisation = Normalisation(32768.5, 410.0)
    assert Normalisation.from_json(normalisation.to_json()) == normalisation
    with pytest.raises(InputError, match="expected background, scale, ceiling"):
        Normalisation.from_json({"background": "x"})


def test_expression_does_not_matter_and_shape_does():
    y, x = np.mgrid[:64, :64] - 31.5
    disc = (np.hypot(y, x) < 12.6).astype(float)
    plate = ((np.abs(y) < 12) & (np.abs(x) < 4)).astype(float)
    raw = np.stack([disc, 3 * disc, 2.5 * plate, 0.1 * plate])
    scale = fit_normalisation(raw)
    interphase, bright, metaphase, dim_metaphase = scale.apply(raw, scale.brightness(raw)).astype(int)
    assert np.array_equal(bright, interphase)
    assert np.array_equal(dim_metaphase, metaphase)
    assert (metaphase > 40).sum() < 0.5 * (interphase > 40).sum()


def test_a_faint_crop_is_not_amplified_into_noise():
    raw = nuclei()
    raw[0] = -0.03
    scale = fit_normalisation(raw)
    brightness = scale.brightness(raw)
    assert brightness[0] == FAINTEST
    assert scale.apply(raw, brightness)[0].max() <= 5


@given(st.integers(0, 9))
def test_each_cell_comes_back_in_its_own_camera_units(seed):
    raw = nuclei(seed, 6) * 900 + 32768
    scale = fit_normalisation(raw)
    own = scale.brightness(raw)
    back = scale.invert(scale.apply(raw, own), own)
    assert np.abs(back - raw)[raw > scale.background].max() <= scale.scale * own.max() * CEILING / 255


def test_one_scale_for_a_source_leaves_expression_in():
    raw = nuclei() * np.linspace(0.5, 3, 40)[:, None, None]
    assert np.all(fit_normalisation(raw, per="source").brightness(raw) == 1)
    assert fit_normalisation(raw).brightness(raw)[-1] > 4 * fit_normalisation(raw).brightness(raw)[0]
