"""What a score is worth, by held-out cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.evaluation.calibration import Calibration


def held_out(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two classes, normal and a unit wide around -1 and 1, three in four of them negative; their targets."""
    rng = np.random.default_rng(seed)
    targets = (np.arange(n) % 4 == 0).astype(int)
    return 2 * targets - 1 + rng.standard_normal(n), targets


def test_the_odds_are_those_of_the_densities_whatever_the_classes_shares() -> None:
    fitted = Calibration.fit(*held_out())
    x = np.array([-0.5, 0.0, 0.5])
    np.testing.assert_allclose(
        np.log(fitted.likelihood_ratio(x)), 2 * x, atol=0.15
    )  # of normals at -1 and 1: exp(2 x)


def test_no_score_is_worth_more_than_the_calls_are() -> None:
    scores, targets = held_out()
    fitted = Calibration.fit(scores, targets)
    right, wrong = np.mean(scores[targets > 0] >= 0), np.mean(scores[targets == 0] >= 0)
    assert (
        fitted.likelihood_ratio(np.array([1e9]))[0] == fitted.most == pytest.approx(right / wrong, rel=0.02)
    )
    assert (
        fitted.likelihood_ratio(np.array([-1e9]))[0]
        == fitted.least
        == pytest.approx((1 - right) / (1 - wrong), rel=0.02)
    )


@given(st.floats(1e-6, 1e6))
def test_the_unit_of_the_scores_does_not_matter(unit: float) -> None:
    scores, targets = held_out(200)
    x = np.linspace(-3, 3, 13)
    expected = Calibration.fit(scores, targets).likelihood_ratio(x)
    np.testing.assert_allclose(
        Calibration.fit(scores * unit, targets).likelihood_ratio(x * unit), expected, rtol=1e-2
    )


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(0, 2**16))
@example([0.0, 888.0, 5e-306], 0)  # most scores next to nothing
def test_a_higher_score_never_speaks_less_for_the_positive_class(scores: list[float], seed: int) -> None:
    targets = np.random.default_rng(seed).choice([0, 1], len(scores))
    targets[:2] = 0, 1
    odds = Calibration.fit(np.array(scores), targets).likelihood_ratio(np.sort(scores))
    assert np.isfinite(odds).all()
    assert (np.diff(odds) >= 0).all()


def test_classes_told_apart_wholly_have_no_steepest_slope() -> None:
    scores = np.repeat([-2.0, 2.0], 40)
    fitted = Calibration.fit(scores, scores > 0)
    assert 1 < fitted.likelihood_ratio(np.array([0.2]))[0] < 0.5 * fitted.most


@pytest.mark.parametrize("far", [(1e6, 1), (-1e6, 1), (1e300, -1)])
def test_one_score_far_out_does_not_blunt_the_others(far: tuple[float, int]) -> None:
    scores, targets = held_out(200)
    x = np.array([-1.0, 1.0])
    expected = np.log(Calibration.fit(scores, targets).likelihood_ratio(x))
    found = np.log(Calibration.fit(np.append(scores, far[0]), np.append(targets, far[1])).likelihood_ratio(x))
    np.testing.assert_allclose(found, expected, atol=0.35)


def test_scores_that_tell_the_classes_the_wrong_way_round_say_nothing() -> None:
    scores, targets = held_out(200)
    fitted = Calibration.fit(-scores, targets)
    assert fitted.slope == 0
    np.testing.assert_allclose(fitted.likelihood_ratio(np.linspace(-3, 3, 7)), 1, atol=0.01)


def test_a_score_that_is_no_number_says_nothing() -> None:
    scores, targets = held_out(200)
    fitted = Calibration.fit(np.append(scores, np.nan), np.append(targets, 1))
    assert fitted == Calibration.fit(scores, targets)
    np.testing.assert_array_equal(fitted.likelihood_ratio(np.array([np.nan, np.inf])), 1)


def test_one_class_alone_is_a_sentence() -> None:
    with pytest.raises(InputError, match="both classes"):
        Calibration.fit(np.array([1.0, 2.0]), np.array([1, 1]))
