"""Intervals over groups of cells: as wide as the groups say, and Wilson's where each cell is its own group."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.evaluation import bootstrap
from morpholaw.evaluation.bootstrap import accuracy_interval, precision_interval
from morpholaw.evaluation.metrics import accuracy


def test_cells_that_are_their_own_groups_have_wilsons_interval():
    correct = np.arange(40) < 36
    assert accuracy_interval(correct) == accuracy(correct)
    assert accuracy_interval(correct, np.arange(40)) == accuracy(correct)


def test_movies_that_differ_make_the_interval_wider_than_their_cells_would():
    groups = np.repeat(np.arange(8), 12)
    correct = np.ones(96, bool)
    correct[groups == 3] = False  # one movie is all wrong
    over_movies, over_cells = accuracy_interval(correct, groups), accuracy(correct)
    assert over_movies.value == pytest.approx(over_cells.value)
    assert over_movies.high - over_movies.low > 2 * (over_cells.high - over_cells.low)


def test_all_right_is_not_certain():
    few = accuracy_interval(np.ones(100, bool), np.repeat(np.arange(5), 20))
    many = accuracy_interval(np.ones(100, bool))
    assert few.value == few.high == 1
    assert few.low < 0.6 < 0.95 < many.low


def test_balanced_accuracy_weighs_the_classes_alike():
    targets = np.array([0] * 90 + [1] * 10)
    correct = targets == 0  # everything is called class 0
    found = accuracy_interval(correct, targets=targets)
    assert found.value == 0.5
    assert accuracy_interval(correct).value == 0.9


def test_a_rare_class_of_few_groups_is_not_certain_because_the_other_has_many():
    targets = np.array([0] * 900 + [1] * 30)
    groups = np.concatenate([np.arange(900) // 9, 100 + np.arange(30) // 10])  # 100 groups, and 3 of class 1
    right = np.ones(930, bool)
    all_right = accuracy_interval(right, groups, targets)
    lowest = accuracy(np.ones(3, bool)).low
    assert all_right.value == all_right.high == 1
    assert all_right.low == pytest.approx(1 - (1 - lowest) / 2, abs=0.01)
    right[:30] = False  # some groups of class 0 are wrong, which says nothing about class 1
    some_wrong = accuracy_interval(right, groups, targets)
    assert some_wrong.low < 1 - (1 - lowest) / 2
    assert some_wrong.high < 1


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    groups, hits = np.repeat(np.arange(25), 8), 0
    for trial in range(100):
        rate = rng.beta(8, 2, 25)  # each group has its own accuracy; their mean is 0.8
        correct = rng.random(200) < rate[groups]
        found = accuracy_interval(correct, groups, seed=trial)
        hits += found.low <= 0.8 <= found.high
    assert 86 <= hits <= 100


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(
    ("groups", "cells", "truth", "alike"), [(2, 16, 0.5, 0.3), (3, 16, 0.5, 0.1), (5, 16, 0.8, 0.1)]
)
def test_intervals_over_a_few_movies_hold_the_true_accuracy(
    groups, cells, truth, alike, balanced, monkeypatch
):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 300)
    random = np.random.default_rng(3)
    rest = 1 / alike - 1
    names, hits = np.repeat(np.arange(groups), cells), 0
    targets = np.arange(groups * cells) % 2 if balanced else None
    for _ in range(100):
        share = random.beta(truth * rest, (1 - truth) * rest, groups)
        right = random.random((groups, cells)) < share[:, None]
        found = accuracy_interval(right.ravel(), names, targets)
        hits += found.low <= truth <= found.high
    assert hits >= 88  # 55 to 85 by resampling alone


def test_no_interval_is_narrower_than_for_as_many_independent_cells():
    correct = np.arange(32) % 16 < 7  # two movies of 16 cells that happen to be equally accurate
    found, alone = accuracy_interval(correct, np.repeat([0, 1], 16)), accuracy(correct)
    assert found.low <= alone.low < alone.high <= found.high


def test_a_single_movie_says_little_about_others():
    found = accuracy_interval(np.arange(400) < 360, np.zeros(400, int))
    assert found.value == 0.9
    assert found.low < 0.3


def test_precision_from_two_movies_is_not_well_known():
    targets, groups = np.tile([0, 1], 100), np.repeat([0, 1], 100)
    correct = np.ones(200, bool)
    correct[:20:2] = False  # false positives in one of the movies only
    found = precision_interval(correct, groups, targets, 0.1)
    assert found.low < 0.2 < found.value < found.high == 1


def test_groups_must_fit_the_cells():
    with pytest.raises(InputError, match="for 3 cells"):
        accuracy_interval(np.ones(3), np.arange(2))
    with pytest.raises(InputError, match="at least one"):
        accuracy_interval(np.ones(0))


def test_precision_at_a_prevalence_follows_bayes_rule():
    targets = np.repeat([0, 1], 100)
    correct = np.ones(200, bool)
    correct[:10] = False  # a tenth of class 0 is called class 1
    correct[100:120] = False  # and a fifth of class 1 is missed
    found = precision_interval(correct, None, targets, 0.02)
    assert found.value == pytest.approx(0.02 * 0.8 / (0.02 * 0.8 + 0.98 * 0.1))
    assert found.low < found.value < found.high
    assert precision_interval(correct, None, targets, 0.5).value == pytest.approx(0.8 / 0.9)


def test_no_false_positive_among_few_groups_does_not_make_a_rare_class_certain():
    targets, groups = np.repeat([0, 1], 100), np.arange(200) // 10
    found = precision_interval(np.ones(200, bool), groups, targets, 0.02)
    assert found.value == found.high == 1
    assert found.low < 0.1  # 0 of 10 groups leave room for a false positive rate of 28 %


def test_precision_needs_two_classes_and_a_share():
    with pytest.raises(InputError, match="between 0 and 1"):
        precision_interval(np.ones(4), None, np.array([0, 0, 1, 1]), 2)
    with pytest.raises(InputError, match="two classes"):
        precision_interval(np.ones(4), None, np.zeros(4, int), 0.02)


@pytest.mark.parametrize("balanced", [False, True])
def test_an_error_does_not_make_a_high_accuracy_look_better_known(balanced):
    groups = np.arange(780) // 3
    targets = np.arange(780) % 2 if balanced else None
    lows = []
    for errors in (0, 1, 2, 4, 8, 16):
        correct = np.ones(780)
        correct[np.linspace(3, 776, errors).astype(int)] = 0
        lows.append(accuracy_interval(correct, groups, targets).low)
    assert all(later <= earlier + 0.005 for earlier, later in pairwise(lows))


@pytest.mark.parametrize(
    ("groups", "cells", "truth", "alike"), [(200, 3, 0.99, 0.3), (20, 30, 0.98, 0.05), (20, 30, 0.9, 0.05)]
)
def test_intervals_hold_the_true_accuracy_about_as_often_as_they_say(
    groups, cells, truth, alike, monkeypatch
):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 300)
    random = np.random.default_rng(2)
    rest = 1 / alike - 1
    names, hits = np.repeat(np.arange(groups), cells), 0
    for _ in range(100):
        share = random.beta(truth * rest, (1 - truth) * rest, groups)
        right = random.random((groups, cells)) < share[:, None]
        found = accuracy_interval(right.ravel(), names)
        hits += found.low <= truth <= found.high
    assert hits >= 90  # 79 to 88 by resampling alone
