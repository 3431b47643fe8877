import numpy as np
import pytest

from morpholaw.evaluation.paired import paired_difference


def cells(rng, groups, errors):
    """Whether two classifiers are right about the cells of some groups, each of which is hard or easy for both."""
    size = rng.integers(3, 12, groups)
    group = np.repeat(np.arange(groups), size)
    truth = rng.integers(0, 2, len(group))
    truth[:2] = 0, 1
    hard = np.repeat(rng.uniform(0, 2, groups), size)
    first, second = (rng.random(len(group)) > hard * share for share in errors)
    return first, second, truth, group


def test_equally_good_classifiers_differ_by_chance_only():
    rng = np.random.default_rng(0)
    p = np.array([paired_difference(*cells(rng, rng.integers(4, 30), (0.1, 0.1))).p for _ in range(400)])
    assert np.mean(p < 0.05) < 0.08  # four standard errors above 0.05 at most


def test_a_better_classifier_is_told_from_a_worse_one():
    rng = np.random.default_rng(0)
    found = [paired_difference(*cells(rng, 40, (0.2, 0.05))) for _ in range(20)]
    assert np.mean([one.p < 0.05 for one in found]) > 0.9
    assert all(one.difference > 0 and one.only_second > one.only_first for one in found)


def test_the_difference_is_that_of_the_balanced_accuracies():
    first, second, truth, group = cells(np.random.default_rng(1), 20, (0.2, 0.1))
    found = paired_difference(first, second, truth, group)
    balanced = [np.mean([right[truth == k].mean() for k in (0, 1)]) for right in (first, second)]
    assert found.difference == pytest.approx(balanced[1] - balanced[0])
    assert (found.cells, found.groups) == (len(truth), 20)
    assert found.only_first - found.only_second == first.sum() - second.sum()


def test_one_group_or_equal_predictions_are_no_evidence():
    first, second, truth, group = cells(np.random.default_rng(1), 1, (0.5, 0.0))
    assert paired_difference(first, second, truth, group).p == 1
    assert paired_difference(first, first, truth, group).p == 1
