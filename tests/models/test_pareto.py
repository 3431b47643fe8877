"""The Pareto front keeps what nothing simpler matches, and nothing else."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from morpholaw.models.pareto import pareto_front

POINTS = st.lists(st.tuples(st.integers(1, 9), st.floats(-5, 5)), min_size=1, max_size=30)


@given(POINTS)
def test_the_front_falls_and_covers_every_point(points):
    front = pareto_front(points, key=tuple)
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(front))
    assert all(any(cost <= c and loss <= value for cost, loss in front) for c, value in points)


def test_what_is_not_finite_is_left_out():
    assert pareto_front([(1, math.nan), (2, -math.inf), (3, 0.5), (math.inf, 0.1)], key=tuple) == [(3, 0.5)]


def test_of_equals_the_one_with_the_lowest_further_key_is_kept():
    assert pareto_front([(1, 0.5, "b"), (1, 0.5, "a")], key=tuple) == [(1, 0.5, "a")]
