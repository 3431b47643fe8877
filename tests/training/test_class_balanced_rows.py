"""Rows of a law search: the shares of the classes are those asked for, and no picture is left out for nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.training.class_balanced_rows import MAX_ROWS, class_balanced_rows, training_rows


def of_sizes(*sizes):
    return np.split(np.random.default_rng(0).permutation(sum(sizes)), np.cumsum(sizes)[:-1])


@pytest.mark.parametrize(("negative", "positive", "each"), [(300, 40, 300), (5_000, 3_000, 2_000)])
def test_two_classes_have_as_many_rows(negative, positive, each):
    groups = of_sizes(negative, positive)
    rows = class_balanced_rows(groups, (0.5, 0.5), seed=0)
    assert [np.isin(rows, group).sum() for group in groups] == [each, each]
    assert len(set(rows) & set(groups[1])) == min(positive, each)
    assert (np.diff(rows) >= 0).all()


@given(st.lists(st.integers(1, 3_000), min_size=2, max_size=6), st.integers(0, 100))
def test_one_class_against_the_rest_has_half_of_the_rows(sizes, seed):
    groups = of_sizes(*sizes)
    shares = [0.5] + [0.5 / (len(sizes) - 1)] * (len(sizes) - 1)
    rows = class_balanced_rows(groups, shares, seed)
    drawn = np.array([np.isin(rows, group).sum() for group in groups])
    assert drawn.sum() == len(rows) <= MAX_ROWS + len(sizes)
    assert np.abs(drawn - np.multiply(shares, len(rows))).max() <= len(sizes)
    if max(np.divide(sizes, shares)) <= MAX_ROWS:
        assert set(rows) == set(range(sum(sizes)))


def test_all_rows_are_used_once_where_all_are_asked_for():
    rows = training_rows(of_sizes(5_000, 30), (0.5, 0.5), 0, "all")
    assert rows.tolist() == list(range(5_030))
