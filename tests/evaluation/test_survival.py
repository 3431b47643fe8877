"""Durations with censoring: against lifelines' numbers, and against the truth of drawn tracks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from morpholaw.cells.simulator import without_links
from morpholaw.errors import InputError
from morpholaw.evaluation.lineages import follow_cells
from morpholaw.evaluation.phases import find_phases
from morpholaw.evaluation.survival import Survival, kaplan_meier, log_rank
from simulated_phases import mean_duration, simulate_phases


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sixty durations in three groups, the last one longer, a third of them censored."""
    rng = np.random.default_rng(1)
    length, seen = np.ceil(rng.gamma(4, 2, 60)), np.ceil(rng.uniform(2, 25, 60))
    group = np.arange(60) % 3
    return np.minimum(length, seen) + 2 * (group == 2), length <= seen, group


def curve(table: pd.DataFrame) -> Survival:
    """Metaphase's curve, in frames."""
    return kaplan_meier(*metaphases(table), step=1.0)


def metaphases(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    phases = find_phases(follow_cells(table))
    whole = phases[(phases["class"] == "metaphase") & ~phases["left_censored"]]
    return whole["frames"].to_numpy(), ~whole["right_censored"].to_numpy()


def test_curve_median_and_mean_are_those_of_lifelines(sample):
    found = kaplan_meier(sample[0], sample[1])
    assert found.share[:5] == pytest.approx([0.96666667, 0.91666667, 0.86666667, 0.81666667, 0.67765957])
    assert found.low[:3] == pytest.approx([0.8732248, 0.8113098, 0.75102594])
    assert found.high[:3] == pytest.approx([0.9915577, 0.96444108, 0.93097572])
    assert (found.median.value, found.median.low, found.median.high) == (9, 7, 10)
    assert found.mean(12).value == pytest.approx(8.202463541018624)


def test_log_rank_is_that_of_lifelines_and_of_scipy(sample):
    time, ended, group = sample
    parts = [(time[group == k], ended[group == k]) for k in range(3)]
    assert log_rank(*zip(*parts, strict=True)) == pytest.approx(0.00021123552461307994)
    assert log_rank(*zip(*parts[:2], strict=True)) == pytest.approx(0.33033119494069274)
    censored = [stats.CensoredData(uncensored=t[e], right=t[~e]) for t, e in parts[:2]]
    assert log_rank(*zip(*parts[:2], strict=True)) == pytest.approx(stats.logrank(*censored).pvalue)


def test_nothing_ends_nothing_is_known_and_says_so():
    found = kaplan_meier(np.array([3.0, 4.0]), np.array([False, False]))
    assert found.median.value == np.inf
    empty = kaplan_meier(np.array([]), np.array([], bool))
    assert np.isnan(empty.median.value)
    assert np.isnan(log_rank([np.array([1.0])], [np.array([True])]))
    with pytest.raises(InputError, match="one end for each"):
        kaplan_meier(np.array([3.0]), np.array([True, False]))


def test_durations_that_are_no_number_are_refused():
    with pytest.raises(InputError, match="finite numbers"):
        kaplan_meier(np.array([np.nan]), np.array([True]))


@pytest.mark.parametrize("median", [4.3, 8.0])
def test_the_true_median_is_inside_its_interval_and_the_mean_within_five_per_cent(median):
    found = [curve(simulate_phases(np.random.default_rng(seed), 150, 100, median)) for seed in range(100)]
    assert sum(one.median.low <= median <= one.median.high for one in found) >= 93
    assert np.mean([one.mean().value for one in found]) == pytest.approx(mean_duration(median), rel=0.02)
    large = curve(simulate_phases(np.random.default_rng(0), 1500, 100, median))
    assert large.mean().value == pytest.approx(mean_duration(median), rel=0.05)


def test_without_a_difference_the_log_rank_test_finds_one_in_a_twentieth_of_cases():
    p = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        groups = [metaphases(simulate_phases(rng, 100, 60, 6.0)) for _ in range(2)]
        p.append(log_rank(*zip(*groups, strict=True)))
    assert 3 <= np.sum(np.array(p) < 0.05) <= 7


def test_with_half_of_the_links_of_divisions_lost_the_estimates_stay_within_ten_per_cent():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        table = simulate_phases(rng, 300, 100, 8.0)
        found = curve(without_links(table, 0.5, rng))
        assert found.median.value == pytest.approx(8.0, rel=0.1)
        assert found.mean().value == pytest.approx(mean_duration(8.0), rel=0.1)
