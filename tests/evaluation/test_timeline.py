"""Events, shares and conditions of drawn tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from morpholaw.config import TimelineConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.aligned import align
from morpholaw.evaluation.conditions import check_conditions, compare_groups, holm, read_conditions
from morpholaw.evaluation.lineages import follow_cells
from morpholaw.evaluation.timeline import Timeline, build_timeline
from morpholaw.figures.timeline import aligned_values
from simulated_phases import mean_duration, simulate_phases

MOVIES = [f"m{k}" for k in range(6)]
FAST = TimelineConfig(resamples=50)


def conditions(movies: list[str], control: int) -> pd.DataFrame:
    names = ["control"] * control + ["drug"] * (len(movies) - control)
    return pd.DataFrame(
        {"movie": movies, "condition": names, "replicate": [str(k) for k in range(len(movies))]}
    )


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    """Three movies of 8 frames of metaphase beside three of 12, five minutes a frame."""
    rng = np.random.default_rng(0)
    parts = [simulate_phases(rng, 120, 80, 8.0 if k < 3 else 12.0, movie) for k, movie in enumerate(MOVIES)]
    table = pd.concat(parts, ignore_index=True)
    metaphase = table["class"] == "metaphase"
    table = table.assign(score=np.where(metaphase, 1.0, -1.0), probability=0.9)
    return build_timeline(
        table, FAST, check_conditions(conditions(MOVIES, 3), MOVIES), dict.fromkeys(MOVIES, 300.0)
    )


def test_durations_are_in_minutes_beside_the_truth(timeline):
    rows = timeline.durations.set_index(["condition", "class"])
    for condition, frames in (("control", 8.0), ("drug", 12.0)):
        row = rows.loc[(condition, "metaphase")]
        assert row["unit"] == "min"
        assert row["mean"] == pytest.approx(5 * mean_duration(frames), rel=0.05)
        assert row["median_low"] <= 5 * frames <= row["median_high"]
        assert row["per_division"] == pytest.approx(row["mean"], rel=0.1)


def test_conditions_that_differ_are_told_apart_over_replicates(timeline):
    rows = timeline.comparisons.set_index(["quantity", "class"])
    row = rows.loc[("duration", "metaphase")]
    assert (row["replicates"], row["reference_replicates"], row["test"]) == (3, 3, "Welch t")
    assert row["p"] <= row["p_holm"] < 0.05
    assert row["low"] < 5 * (mean_duration(12.0) - mean_duration(8.0)) < row["high"]
    assert rows.loc[("share", "mitotic index"), "difference"] > 0
    assert timeline.notes == ()


def test_shares_are_counts_over_all_cells_with_a_band_around_them(timeline):
    shares = timeline.shares
    index = shares[shares["class"] == "mitotic index"]
    metaphase = shares[shares["class"] == "metaphase"]
    assert (index["share"].to_numpy() == metaphase["share"].to_numpy()).all()
    assert (shares["low"] <= shares["share"] + 1e-9).mean() > 0.95
    assert (shares["share"] == shares["count"] / shares["cells"]).all()
    assert len(timeline.condition_shares["condition"].unique()) == 2


def test_events_say_how_sure_they_are_and_which_score_made_them(timeline):
    events = timeline.events
    assert set(events["event"]) >= {"entry", "division"}
    entries = events[(events["event"] == "entry") & (events["class"] == "metaphase")]
    assert (entries["probability"] == 0.9).all()
    assert (entries["score"] == 1.0).all()
    assert (entries["time"] == 5 * entries["t"]).all()


def test_values_align_at_an_event(timeline):
    aligned = timeline.align("metaphase", ["score"], before=5, after=3)[0]
    assert aligned.mean.tolist() == [-1.0] * 5 + [1.0] * 3
    assert -1 <= aligned.onset.value <= 0
    with pytest.raises(InputError, match="no death"):
        timeline.align("death", ["score"])


def test_the_value_that_moves_first_comes_first():
    rng = np.random.default_rng(1)
    table = simulate_phases(rng, 100, 80, 8.0)
    entry = table[table["class"] == "metaphase"].groupby("track_id")["t"].min()
    left = table["t"] - table["track_id"].map(entry)
    noise = rng.normal(0, 0.2, (2, len(table)))
    table["late"] = np.clip(left + 2, 0, 2).fillna(0) + noise[0]
    table["early"] = np.clip(left + 6, 0, 2).fillna(0) + noise[1]
    found = build_timeline(table, FAST).align("metaphase", ["late", "early"], before=10, after=4)
    assert [one.name for one in found] == ["early", "late"]
    assert found[0].onset.high < found[1].onset.low
    assert found[0].onset.value == pytest.approx(-5.5, abs=0.5)


def test_a_band_covers_the_mean_of_few_families_and_one_family_has_none():
    def of_three_cells_each(families):
        tracks = 3 * families
        images = pd.DataFrame(
            {"track_id": np.repeat(np.arange(tracks), 8), "t": np.tile(np.arange(8), tracks)}
        )
        found = follow_cells(images.assign(value=0.0, parent=-1, **{"class": ""}))
        return replace(found, cells=found.cells.assign(lineage=np.repeat(np.arange(families), 3)))

    def aligned(lineages, seed):
        cells = np.arange(len(lineages.cells))
        family = np.random.default_rng(seed).normal(size=len(cells) // 3)
        value = np.repeat(family, 3)[:, None] + (np.arange(8) >= 4)
        lineages = replace(lineages, images=lineages.images.assign(value=value.ravel()))
        return align(lineages, cells, np.full(len(cells), 4.0), ["value"], 4, 4, resamples=200)[0]

    four = of_three_cells_each(4)
    draws = [aligned(four, seed) for seed in range(60)]
    assert np.mean([one.low[0] <= 0 <= one.high[0] for one in draws]) >= 0.9
    alone = aligned(of_three_cells_each(1), 0)
    assert np.isfinite(alone.mean).all()
    assert np.isnan([*alone.low, *alone.high, alone.onset.low]).all()
    assert "one family" in aligned_values([alone], "metaphase").axes[0].get_title()


def test_mitosis_of_several_stages_is_one_phase_and_long_ones_are_arrested():
    names = ["interphase"] * 5 + ["prometaphase"] * 3 + ["metaphase"] * 4 + ["interphase"] * 5
    usual = pd.concat([pd.DataFrame({"track_id": k, "t": range(17), "class": names}) for k in range(5)])
    long = ["interphase"] * 5 + ["metaphase"] * 40
    table = pd.concat([usual, pd.DataFrame({"track_id": 9, "t": range(45), "class": long})])
    found = build_timeline(table, FAST)
    assert found.mitotic == ("metaphase", "prometaphase")
    assert found.durations.set_index("class").loc["mitosis", "median"] == pytest.approx(7, abs=0.5)
    arrests = found.events[found.events["event"] == "arrest"]
    assert arrests["track_id"].tolist() == [9]
    assert "frames, because the time between frames is not known" in found.notes[0]


def test_a_dying_cell_is_an_event():
    table = pd.DataFrame({"track_id": 1, "t": range(6), "class": ["interphase"] * 4 + ["apoptosis"] * 2})
    events = build_timeline(table, FAST).events
    assert events.loc[events["event"] == "death", "t"].tolist() == [4]


def test_one_replicate_gives_a_warning_and_a_test_over_cells():
    rng = np.random.default_rng(2)
    table = pd.concat(
        [simulate_phases(rng, 100, 60, 6.0 + 3 * k, f"m{k}") for k in range(2)], ignore_index=True
    )
    found = build_timeline(table, FAST, check_conditions(conditions(["m0", "m1"], 1), ["m0", "m1"]))
    assert sum("have one replicate each" in note for note in found.notes) == 1
    row = found.comparisons.set_index("quantity").loc["duration"]
    assert row["test"] == "log-rank over cells"
    assert row["p"] == row["p_log_rank"] < 0.05
    assert np.isnan(found.comparisons.set_index("quantity").loc["share", "p"])


def test_replicates_that_differ_as_much_as_conditions_show_no_difference():
    rng = np.random.default_rng(3)
    p = [compare_groups(*rng.normal(0, 1, (2, 4))).p for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08


def test_few_replicates_take_a_t_test_because_a_permutation_cannot_reach_significance():
    assert compare_groups(np.array([1.0, 1.1, 0.9]), np.array([2.0, 2.1, 1.9])).test == "Welch t"
    many = compare_groups(np.arange(4.0), np.arange(4.0) + 10)
    assert (many.test, many.p) == ("permutation", pytest.approx(2 / 70))
    assert np.isnan(compare_groups(np.array([1.0]), np.array([2.0, 3.0])).p)


def test_holm_corrects_as_statsmodels_does():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    assert holm(p)[[0, 2, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(holm(p)[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("movie,condition\nm0,a\n", "no column replicate"),
        ("movie,condition,replicate\nm0,a,1\nm9,a,2\n", "has the movie m9, which the study does not have"),
        ("movie,condition,replicate\nm0,a,1\nm0,a,2\n", "has the movie m0 twice"),
        ("movie,condition,replicate\nm0,a,1\nm1,,2\n", "empty value in row 2"),
    ],
)
def test_a_bad_table_of_conditions_is_refused_with_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "conditions.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_conditions(path, MOVIES)


def test_a_table_of_conditions_is_read_and_other_movies_are_left_out(tmp_path):
    path = tmp_path / "conditions.csv"
    path.write_text("Movie;Condition;Replicate\nm1;control;1\nm0;drug;1\n")
    read = read_conditions(path, MOVIES)
    assert read.names == ["control", "drug"]
    table = pd.concat(
        [simulate_phases(np.random.default_rng(0), 30, 40, 5.0, name) for name in ("m0", "m1", "m2")]
    )
    found = build_timeline(table, FAST, read)
    assert any("were left out" in note and "m2" in note for note in found.notes)
    assert set(found.phases["movie"]) == {"m0", "m1"}
