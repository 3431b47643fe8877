"""What a timeline says of drawn tracks, against the truth that they were drawn with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from morpholaw.config import TimelineConfig
from morpholaw.evaluation.comparisons import difference_text
from morpholaw.evaluation.conditions import Conditions, check_conditions
from morpholaw.evaluation.durations import common_limit, replicate_durations
from morpholaw.evaluation.lineages import follow_cells
from morpholaw.evaluation.population import class_shares, condition_shares
from morpholaw.evaluation.survival import kaplan_meier
from morpholaw.evaluation.timeline import Timeline, build_timeline
from morpholaw.figures.timeline_tables import duration_figure, share_figure
from simulated_phases import mean_duration, simulate_phases

FAST = TimelineConfig(resamples=50)


def in_conditions(*rows: tuple[str, str, str]) -> Conditions:
    table = pd.DataFrame(rows, columns=["movie", "condition", "replicate"])
    return check_conditions(table, table["movie"].tolist())


@pytest.fixture(scope="module")
def arrested() -> Timeline:
    """Two movies of cells that divide after 6 frames of metaphase, and two of cells that stay in it for about 60."""
    rng = np.random.default_rng(0)
    parts, rows = [], []
    for condition, frames in (("drug", 60.0), ("control", 6.0)):
        for k in "12":
            parts.append(simulate_phases(rng, 60, 200, frames, f"{condition}{k}"))
            rows.append((f"{condition}{k}", condition, k))
    return build_timeline(pd.concat(parts, ignore_index=True), FAST, in_conditions(*rows[::-1]))


def test_an_arrest_is_as_long_as_it_is_and_not_cut_at_the_longest_phase_of_the_control(arrested):
    rows = arrested.comparisons.set_index(["quantity", "class"])
    row = rows.loc[("duration", "metaphase")]
    assert row["difference"] == pytest.approx(mean_duration(60.0) - mean_duration(6.0), rel=0.1)


def test_arrest_is_measured_by_the_first_condition_and_not_by_the_first_movie(arrested):
    arrests = arrested.events[arrested.events["event"] == "arrest"]
    assert (arrests["condition"] == "drug").mean() > 0.95
    assert len(arrests) > 50


def test_a_difference_that_is_cut_off_says_where():
    """Metaphases of 40 frames in movies of 30: none ends."""
    rng = np.random.default_rng(1)
    movies = [simulate_phases(rng, 60, 30, frames, name) for name, frames in (("a", 5.0), ("b", 400.0))]
    conditions = in_conditions(("a", "control", "1"), ("b", "drug", "1"))
    found = build_timeline(pd.concat(movies, ignore_index=True), FAST, conditions)
    row = found.comparisons.set_index(["quantity", "class"]).loc[("duration", "metaphase")]
    longest = found.phases.query("`class` == 'metaphase' and condition == 'drug' and not left_censored")
    assert row["limit"] == longest["duration"].max()
    assert f", phases longer than {row['limit']:.3g} frames counted as such, p" in difference_text(row)
    assert any("compared up to a limit: " in note and "metaphase (" in note for note in found.notes)


def test_a_replicate_whose_longest_phase_did_not_end_goes_on_like_its_condition():
    """The limit is 100 in the treated cells; one control replicate was observed for 5 frames only."""
    phases = pd.DataFrame(
        [("control", "1", d, False) for d in (4, 6, 8)]
        + [("control", "2", 4, False), ("control", "2", 5, True)]
        + [("drug", "1", 100, True)],
        columns=["condition", "replicate", "duration", "right_censored"],
    ).assign(**{"class": "m", "left_censored": False, "frames": lambda table: table["duration"]})
    limit, restricted = common_limit(phases, "m")
    assert (limit, restricted) == (100, True)
    means = replicate_durations(phases, "m", limit).set_index(["condition", "replicate"])["mean"]
    assert means[("control", "1")] == 6
    assert means[("control", "2")] == pytest.approx(
        (4 + 7) / 2
    )  # those who last 5 go on to 6 or 8 equally often
    assert means[("drug", "1")] == 100


def test_movies_with_different_intervals_are_drawn_and_summarised_at_their_times():
    rng = np.random.default_rng(2)
    slow = simulate_phases(rng, 200, 40, 4.0, "slow")
    fast = simulate_phases(rng, 100, 160, 16.0, "fast")
    both = pd.concat([slow, fast], ignore_index=True)
    conditions = in_conditions(("slow", "a", "1"), ("fast", "b", "1"))
    found = build_timeline(both, FAST, conditions, {"slow": 240.0, "fast": 60.0})
    medians = found.durations.set_index(["condition", "class"])["median"]
    alone = build_timeline(fast, FAST, None, {"fast": 60.0}).durations.set_index("class")["median"]
    assert medians[("b", "metaphase")] == alone["metaphase"]
    ends = [line.get_xdata().max() for line in share_figure(found, "mitotic index").axes[0].lines]
    assert ends == pytest.approx([39 * 4 / 60, 39 * 4 / 60])  # frame 156 of the fast movie
    by_movie = build_timeline(both, FAST, None, {"slow": 240.0, "fast": 60.0})
    ends = [line.get_xdata().max() for line in share_figure(by_movie, "mitotic index").axes[0].lines]
    assert sorted(ends) == pytest.approx([39 * 4 / 60, 159 / 60])


def test_the_band_of_a_rare_class_contains_its_share():
    """One mitosis in fifty cells: in a third of the frames there is none."""
    rng = np.random.default_rng(3)
    frames, cells = 60, 50
    names = np.where(rng.random(frames * cells) < 0.02, "mitosis", "interphase")
    table = pd.DataFrame(
        {
            "track_id": np.tile(np.arange(cells), frames),
            "t": np.repeat(np.arange(frames), cells),
            "class": names,
        }
    )
    rows = class_shares(follow_cells(table), ("interphase", "mitosis"), resamples=200)
    rows = rows[rows["class"] == "mitosis"]
    assert ((rows["low"] <= 0.02) & (rows["high"] >= 0.02)).mean() > 0.93


@pytest.mark.parametrize("replicates", [2, 3, 8])
def test_the_band_of_a_condition_contains_the_mean_of_all_replicates(replicates):
    rng = np.random.default_rng(4)
    movies = [f"m{k}" for k in range(replicates)]
    share = np.clip(rng.normal(0.1, 0.03, (replicates, 400)), 0, 1)
    shares = pd.DataFrame(
        {
            "movie": np.repeat(movies, 400),
            "t": np.tile(np.arange(400), replicates),
            "class": "m",
            "cells": 2000,
        }
    ).assign(share=share.ravel())
    each = dict(zip(movies, movies, strict=True))
    rows = condition_shares(shares, dict.fromkeys(movies, "a"), each, dict.fromkeys(movies, 1.0))
    assert ((rows["low"] <= 0.1) & (rows["high"] >= 0.1)).mean() > 0.92
    of_one = condition_shares(
        shares, dict.fromkeys(movies, "a"), dict.fromkeys(movies, "1"), dict.fromkeys(movies, 1.0)
    )
    assert of_one["low"].isna().all()  # several movies of one replicate say nothing of another


@pytest.mark.parametrize("count", [3, 6, 20])
def test_the_interval_of_a_mean_of_few_phases_contains_the_mean(count):
    rng = np.random.default_rng(5)
    hits = []
    for _ in range(200):
        mean = kaplan_meier(rng.gamma(4, 2, count), np.ones(count, bool)).mean()
        hits.append(mean.low <= 8 <= mean.high)
    assert 0.9 < np.mean(hits) < 0.99


def test_the_test_over_cells_is_not_drawn_where_replicates_are_tested(arrested):
    figure = duration_figure(arrested, "metaphase")
    assert not any("log-rank" in text.get_text() for text in figure.findobj(Text))


def test_no_test_is_said_to_be_none():
    row = {
        "difference": 0.1,
        "low": np.nan,
        "high": np.nan,
        "unit": "share of cells",
        "p": np.nan,
        "test": "none",
    }
    alone = difference_text(row | {"replicates": 1, "reference_replicates": 3})
    assert alone == "+0.1 share of cells, not tested, because a condition has one replicate"
    alike = difference_text(row | {"replicates": 2, "reference_replicates": 3})
    assert alike == "+0.1 share of cells, not tested, because replicates do not vary"


def test_cells_lost_in_mitosis_are_noted_for_their_condition():
    names = ["interphase"] * 3 + ["metaphase"] * 3
    whole = [
        pd.DataFrame({"movie": "a", "track_id": 3 * k + i, "parent": parent, "t": t, "class": classes})
        for k in range(60)
        for i, parent, t, classes in (
            (0, -1, range(6), names),
            (1, 3 * k, range(6, 20), ["interphase"] * 14),
            (2, 3 * k, range(6, 20), ["interphase"] * 14),
        )
    ]
    lost = [
        pd.DataFrame({"movie": "b", "track_id": k, "parent": -1, "t": range(6), "class": names})
        for k in range(5)
    ]
    stays = pd.DataFrame({"movie": "b", "track_id": 99, "parent": -1, "t": range(20), "class": "interphase"})
    conditions = in_conditions(("a", "control", "1"), ("b", "drug", "1"))
    notes = build_timeline(pd.concat([*whole, *lost, stays]), FAST, conditions).notes
    assert any(note.startswith("5 of 5 cells of drug were lost during mitosis") for note in notes)
