"""The performance of ensembles on cells of two and of more classes."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.evaluation.calibration import Temperature
from morpholaw.evaluation.class_performance import class_performance
from morpholaw.evaluation.metrics import roc_auc
from morpholaw.evaluation.performance import margins, measure, median_score

TRUTH = np.array([0] * 6 + [1] * 3 + [2] * 3)


def logits(predicted: np.ndarray, classes: int = 3, size: float = 2.0) -> np.ndarray:
    """One model's scores that predict these classes, (1, n, classes)."""
    return size * np.eye(classes)[predicted][None]


def test_each_class_is_counted_by_itself():
    predicted = np.array([0, 0, 0, 0, 1, 2, 1, 1, 0, 2, 2, 2])
    measured = measure(logits(predicted), TRUTH)
    np.testing.assert_array_equal(measured.confusion, [[4, 1, 1], [1, 2, 0], [0, 0, 3]])
    assert measured.ensemble.value == pytest.approx(9 / 12)
    assert measured.balanced.value == pytest.approx((4 / 6 + 2 / 3 + 1) / 3)
    first, second, third = measured.by_class
    assert (first.cells, second.cells, third.cells) == (6, 3, 3)
    assert (first.precision.value, first.recall.value) == pytest.approx((4 / 5, 4 / 6))
    assert second.f1.value == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert third.f1.low < third.f1.value < third.f1.high
    areas = [roc_auc(c == TRUTH, predicted == c) for c in range(3)]
    assert measured.area == pytest.approx(np.mean(areas))


def test_two_classes_have_the_sign_of_one_score():
    truth, scores = np.array([0, 0, 1, 1]), np.array([[-1.0, 2.0, 0.0, np.nan]])
    measured = measure(scores, truth)
    assert measured.accuracy == [0.5]
    assert measured.undefined == 1
    np.testing.assert_array_equal(measured.confusion, [[1, 1], [0, 1]])
    assert measured.area == roc_auc(truth, [-1, 2, 0, 0])
    assert measured.calibration is not None
    assert measured.temperature is None


def test_models_of_other_scales_count_the_same():
    """Two models that are right outvote one whose outputs are a thousand times larger."""
    right, wrong = logits(TRUTH), logits((TRUTH + 1) % 3, size=2000.0)
    assert measure(np.concatenate([right, right, wrong]), TRUTH).ensemble.value == 1
    np.testing.assert_allclose(median_score(right + 7.0), median_score(right))


def test_a_model_without_a_finite_score_predicts_no_class():
    scores = logits(TRUTH)
    scores[0, 0] = np.nan
    scores[0, 1, 2] = np.nan
    measured = measure(scores, TRUTH)
    assert measured.undefined == 1
    assert measured.ensemble.value == pytest.approx(11 / 12)
    assert np.isfinite([one.area for one in measured.by_class]).all()
    assert np.isnan(margins(median_score(scores))[0])


def test_a_class_that_is_never_predicted_has_no_precision():
    never = class_performance(TRUTH, np.zeros(12, int), logits(np.zeros(12, int))[0])[1]
    assert np.isnan(never.precision.value)
    assert never.recall.value == never.f1.value == 0


def test_the_temperature_makes_shares_of_probabilities():
    """Scores three times too large get a temperature of three, and cells of probability p are right p of the time."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (6000, 4))
    shares = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in shares])
    fitted = Temperature.fit(3 * honest, truth)
    assert fitted.temperature == pytest.approx(3, rel=0.1)
    probability = fitted.probabilities(3 * honest)
    np.testing.assert_allclose(probability.sum(1), 1)
    sure = probability.max(1) > 0.8
    assert np.mean(probability.argmax(1)[sure] == truth[sure]) == pytest.approx(
        probability.max(1)[sure].mean(), abs=0.04
    )


def test_an_undefined_class_has_probability_zero():
    found = Temperature(1.0).probabilities(np.array([[np.nan, 0.0, 0.0], [np.nan] * 3]))
    np.testing.assert_allclose(found[0], [0, 0.5, 0.5])
    assert np.isnan(found[1]).all()


def test_cells_of_one_class_calibrate_nothing():
    with pytest.raises(InputError, match="two classes or more"):
        Temperature.fit(logits(np.zeros(5, int))[0], np.zeros(5, int))
