"""Agreement of calls with labels and of models with each other, and the choice among many models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.evaluation.metrics import accuracy, balanced_accuracy, confusion, roc, roc_auc
from morpholaw.interpretation.rashomon import ModelPoint, model_points, smallest_within


def test_wilson_interval_of_a_known_case():
    """8 of 10: 0.4902 to 0.9433 (Wilson 1927, as in any table)."""
    estimate = accuracy(np.arange(10) < 8)
    assert estimate.value == 0.8
    assert estimate.low == pytest.approx(0.4902, abs=1e-4)
    assert estimate.high == pytest.approx(0.9433, abs=1e-4)
    assert str(estimate) == "0.8 (0.49 to 0.943)"


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_the_interval_holds_the_share_and_stays_inside_0_and_1(hits):
    estimate = accuracy(np.array(hits))
    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value <= estimate.high + 1e-12
    assert estimate.high <= 1


def test_confusion_counts_labels_in_rows():
    table = confusion(np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 1, 0, -1]), 3)
    np.testing.assert_array_equal(table, [[1, 1, 0], [1, 2, 0], [0, 0, 0]])


def test_balanced_accuracy_does_not_reward_the_common_class():
    labels = np.array([0] * 98 + [1] * 2)
    assert balanced_accuracy(labels, np.zeros(100)) == 0.5
    assert balanced_accuracy(labels, labels) == 1


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40).filter(
        lambda pairs: 0 < sum(label for label, _ in pairs) < len(pairs)
    )
)
def test_the_area_is_the_share_of_pairs_in_order_and_that_under_the_curve(pairs):
    labels = np.array([1 if label else -1 for label, _ in pairs])
    scores = np.array([score for _, score in pairs], dtype=float)
    above = scores[labels > 0][:, None] - scores[labels < 0]
    expected = np.mean((above > 0) + 0.5 * (above == 0))
    false, true, thresholds = roc(labels, scores)
    assert roc_auc(labels, scores) == pytest.approx(expected)
    assert np.trapezoid(true, false) == pytest.approx(expected)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert len(thresholds) == len(false) == len(np.unique(scores)) + 1


def test_the_smallest_model_that_is_good_enough():
    points = [
        *model_points(2, [0.99, 0.991], [8641, 8641]),
        *model_points(3, [0.97, 0.985], [180, 170]),
        *model_points(4, [0.974, 0.97], [11, 9]),
    ]
    assert smallest_within(points, 0.0) == ModelPoint(2, 1, 0.991, 8641)
    assert smallest_within(points, 0.01) == ModelPoint(3, 1, 0.985, 170)
    assert smallest_within(points, 0.02) == ModelPoint(4, 0, 0.974, 11)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy(np.array([])), "no predicted classes to count"),
        (lambda: balanced_accuracy(np.array([]), np.array([])), "no predicted classes to count"),
        (lambda: confusion(np.array([0, 3]), np.array([0, 1]), 2), "0 to 1"),
        (lambda: confusion(np.array([0]), np.array([0, 1]), 2), "2 predictions for 1 labels"),
        (lambda: roc(np.ones(3), np.ones(3)), "both classes"),
        (lambda: roc_auc(np.array([1, -1]), np.array([np.nan, 1])), "scores without NaN"),
        (lambda: smallest_within([]), "no models to choose from"),
        (lambda: model_points(1, [0.9], []), "1 accuracies for 0 sizes"),
    ],
)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()
