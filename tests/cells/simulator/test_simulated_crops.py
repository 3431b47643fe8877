"""Simulated crops: the same for the same seed, exactly as many as asked for, and true to their table."""

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.normalise import fit_normalisation
from morpholaw.cells.oriented_shapes import measure_shapes
from morpholaw.cells.simulator import (
    DOMAINS,
    PHASES,
    crops,
    simulate_blocks,
    simulate_crop_set,
    simulate_crops,
    simulated_normalisation,
)
from morpholaw.errors import InputError

TRUTH = [
    "true_phase",
    "true_size",
    "true_aspect",
    "true_diagonality",
    "true_axis_ratio",
    "true_orientation",
    "true_offset_y",
    "true_offset_x",
    "true_neighbours",
    "true_neighbour_distance",
    "true_brightness",
]


@pytest.fixture(scope="module")
def labelled() -> tuple[np.ndarray, pd.DataFrame]:
    return simulate_crops(phases={"interphase": 700, "metaphase": 600}, seed=5)


def test_counts_per_class_are_exact_and_in_order(labelled):
    images, cells = labelled
    assert images.shape == (1300, 64, 64)
    assert images.dtype == np.uint8
    assert list(cells["label"]) == ["interphase"] * 700 + ["metaphase"] * 600
    assert list(cells["crop"]) == list(range(1300))


def test_every_column_of_the_truth_is_there_and_finite(labelled):
    _, cells = labelled
    assert set(TRUTH) <= set(cells.columns)
    alone = cells["true_neighbours"] == 0
    assert cells.loc[alone, "true_neighbour_distance"].isna().all()
    numbers = cells.loc[~alone, TRUTH].drop(columns="true_phase").to_numpy(float)
    assert np.isfinite(numbers).all()
    np.testing.assert_allclose(
        np.hypot(cells["true_aspect"], cells["true_diagonality"]), np.log(cells["true_axis_ratio"]), atol=1e-9
    )


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_seed_gives_the_same_crops_however_they_are_asked_for(domain):
    images, cells = simulate_crops(600, seed=3, domain=domain)
    for few in (7, 300):
        fewer, fewer_cells = simulate_crops(few, seed=3, domain=domain)
        np.testing.assert_array_equal(fewer, images[:few])
        pd.testing.assert_frame_equal(fewer_cells, cells.iloc[:few])
    second, _ = next(simulate_blocks(600, seed=3, domain=domain, blocks=slice(1, None)))
    np.testing.assert_array_equal(second, images[256:512])


def test_another_seed_gives_other_crops():
    assert not np.array_equal(simulate_crops(8, seed=1)[0], simulate_crops(8, seed=2)[0])


def test_a_group_is_one_nucleus_in_successive_frames(labelled):
    _, cells = labelled
    sizes = cells.groupby("group").size()
    assert sizes.max() <= 5
    assert 2 < sizes.mean() < 4
    assert (cells.groupby("group")["label"].nunique() == 1).all()
    assert (cells.groupby("group")["track_id"].nunique() == 1).all()
    assert cells.groupby("track_id")["group"].nunique().max() == 1
    assert (cells.groupby("group")["t"].diff().dropna() == 1).all()
    spread = cells.groupby("group")["true_size"].agg(lambda s: s.max() / s.min())
    assert spread.max() < 1.35


@pytest.mark.parametrize("phase", ["interphase", "metaphase"])
def test_the_picture_shows_what_the_table_says(labelled, phase):
    images, cells = labelled
    chosen = (cells["label"] == phase) & (cells["true_neighbours"] == 0)
    truth, found = cells[chosen], measure_shapes(images[chosen.to_numpy()])
    for measured, true in (
        ("offset_y", "true_offset_y"),
        ("offset_x", "true_offset_x"),
        ("aspect", "true_aspect"),
        ("diagonality", "true_diagonality"),
        ("area", "true_size"),
    ):
        least = 0.7 if measured.startswith("offset") or phase == "metaphase" else 0.85
        assert np.corrcoef(found[measured], truth[true])[0, 1] > least, measured
    if phase == "interphase":
        ratio = found["area"] * 0.333**2 / truth["true_size"].to_numpy()
        # The outline runs where the nucleus is half as bright as its brightest chromatin, inside its blurred edge.
        assert 0.75 < ratio.median() < 1.0


def test_the_neighbourhood_is_a_shortcut_to_the_class(labelled):
    _, cells = labelled
    mean = cells.groupby("label")["true_neighbours"].mean()
    assert mean["interphase"] > 2.2
    assert mean["metaphase"] < 1.4
    guess = np.where(cells["true_neighbours"] <= 1, "metaphase", "interphase")
    assert (guess == cells["label"]).mean() > 0.68


def test_crowded_interphase_nuclei_are_smaller(labelled):
    _, cells = labelled
    interphase = cells[cells["label"] == "interphase"]
    assert interphase["true_neighbours"].corr(interphase["true_size"], method="spearman") < -0.15


def test_metaphase_is_smaller_longer_and_brighter(labelled):
    _, cells = labelled
    typical = cells.groupby("label")[["true_size", "true_axis_ratio", "true_brightness"]].median()
    one, other = typical.loc["metaphase"], typical.loc["interphase"]
    assert one["true_size"] < 0.6 * other["true_size"]
    assert one["true_axis_ratio"] > 1.5 * other["true_axis_ratio"]
    assert one["true_brightness"] > 2 * other["true_brightness"]


def test_wide_crops_vary_more_and_leave_odd_nuclei_unlabelled():
    _, narrow = simulate_crops(512, seed=0)
    images, wide = simulate_crops(512, seed=0, domain="wide")
    assert images.max() > 200
    assert set(narrow["label"]) <= set(PHASES)
    odd = ~wide["true_phase"].isin(PHASES)
    assert 0.05 < odd.mean() < 0.5
    assert (wide.loc[odd, "label"] == "").all()
    assert np.log(wide["true_size"]).std() > np.log(narrow["true_size"]).std()


def test_half_the_pixel_size_shows_nuclei_twice_as_wide():
    coarse, _ = simulate_crops(phases={"metaphase": 200}, pixel_size=0.333)
    fine, _ = simulate_crops(phases={"metaphase": 200}, pixel_size=0.1665, size=128)
    ratio = measure_shapes(fine)["area"].median() / measure_shapes(coarse)["area"].median()
    assert 3.4 < ratio < 4.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least 1, not 0"),
        ({}, "at least 1, not None"),
        ({"n": 5, "domain": "yeast"}, "no simulated domain 'yeast'; the domains are mdck, wide"),
        ({"phases": {"telophase": 3}}, "no simulated phase 'telophase'; the phases are interphase"),
        ({"phases": {"metaphase": -1}}, "must be 0 or more"),
        ({"phases": {"metaphase": 0}}, "not all 0"),
        ({"n": 4, "phases": {"metaphase": 3}}, "4, is not the sum"),
    ],
)
def test_unusable_requests_say_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        simulate_crops(**arguments)


@pytest.mark.parametrize("domain", ["mdck", "wide"])
def test_the_grey_scale_is_the_one_that_real_crops_get(monkeypatch, domain):
    used = simulated_normalisation(DOMAINS[domain])

    class Raw:
        def apply(self, raw: np.ndarray, brightness: np.ndarray) -> np.ndarray:
            return raw

        def brightness(self, raw: np.ndarray) -> np.ndarray:
            return np.ones(len(raw))

    monkeypatch.setattr(crops, "simulated_normalisation", lambda *_: Raw())
    fitted = fit_normalisation(simulate_crops(512, domain=domain)[0])
    assert fitted.scale == pytest.approx(used.scale, rel=0.08)
    assert fitted.background == pytest.approx(used.background, abs=0.04)


def test_a_set_on_disk_holds_the_same_crops_with_or_without_labels(tmp_path):
    phases = {"interphase": 3, "metaphase": 2}
    images, cells = crops.simulate_crops(phases=phases, seed=4)
    labelled = simulate_crop_set(tmp_path / "labelled", seed=4, phases=phases)
    unlabelled = simulate_crop_set(tmp_path / "unlabelled", seed=4, phases=phases, labels=False)
    assert np.array_equal(labelled.images, images)
    assert labelled.cells["label"].tolist() == cells["label"].tolist()
    assert set(unlabelled.cells["label"]) == {""}
    assert unlabelled.normalisation.per == "cell"
