"""Disentanglement scores on constructions whose answer is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.errors import InputError

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from disentanglement import discretise, entropy, mutual_information, mutual_information_gap, within


@pytest.fixture(scope="module")
def factors():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.uniform(-1, 1, (4000, 3)), columns=["size", "aspect", "diagonality"])


def noise(n, columns, seed=1):
    return np.random.default_rng(seed).normal(size=(n, columns))


def test_axis_aligned_latents_score_one(factors):
    latents = np.column_stack(
        [noise(4000, 2), -2 * factors["aspect"], factors["size"], factors["diagonality"]]
    )
    gap = mutual_information_gap(latents, factors)
    assert gap.score > 0.95
    assert gap.best.tolist() == [3, 2, 4]
    assert gap.factors == ["size", "aspect", "diagonality"]
    assert gap.information.shape == (3, 5)


def test_a_nonlinear_but_aligned_latent_scores_high(factors):
    """Mutual information sees any relation; a monotonic one keeps the score high."""
    latents = np.column_stack([noise(4000, 1), np.tanh(2 * factors["size"])])
    assert mutual_information_gap(latents, factors[["size"]]).score > 0.7


def test_rotated_latents_score_low(factors):
    turn = np.array([[1, 1, 0], [1, -1, 0], [0, 0, 1]]) / np.sqrt([[2], [2], [1]])
    aligned = mutual_information_gap(factors.to_numpy(), factors)
    rotated = mutual_information_gap(factors.to_numpy() @ turn.T, factors)
    assert rotated.gaps[:2].max() < 0.05
    assert rotated.gaps[2] > 0.95
    assert aligned.score > 0.95 > rotated.score


def test_a_latent_and_its_copy_leave_no_gap(factors):
    latents = np.column_stack([factors["size"], factors["size"]])
    assert mutual_information_gap(latents, factors[["size"]]).score == 0


@given(scale=st.floats(0.1, 100), shift=st.floats(-50, 50), order=st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_the_gap_ignores_scale_shift_sign_and_order(scale, shift, order):
    rng = np.random.default_rng(5)
    values = rng.uniform(size=(500, 2))
    latents = values @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(500, 4))
    plain = mutual_information_gap(latents, values).score
    moved = mutual_information_gap((shift + scale * latents)[:, order], values).score
    assert moved == pytest.approx(plain, abs=0.02)  # a value on a bin's edge may fall either way


def test_information_of_a_variable_with_itself_is_its_entropy():
    a = np.array([0, 0, 1, 2, 2, 2])
    assert mutual_information(a, a) == pytest.approx(entropy(a))
    assert mutual_information(a, np.zeros(6, dtype=int)) == 0
    assert entropy(np.array([0, 1])) == pytest.approx(np.log(2))


def test_within_classes_a_latent_that_only_knows_the_class_knows_nothing_of_a_factor_that_differs_between_them():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, 4000)
    factor, latent = 3 * classes + rng.integers(0, 3, 4000), 2 * classes + rng.integers(0, 2, 4000)
    assert mutual_information(factor, latent) == pytest.approx(np.log(2), abs=0.02)
    assert within(classes, mutual_information, factor, latent) == pytest.approx(0, abs=0.01)
    assert within(classes, mutual_information, factor, factor) == pytest.approx(
        within(classes, entropy, factor)
    )


def test_an_outlier_does_not_squeeze_the_bins():
    values = np.append(np.random.default_rng(0).normal(size=3000), 1e6)[:, None]
    assert len(np.unique(discretise(values))) == 20


@pytest.mark.parametrize(
    ("latents", "factors", "message"),
    [
        (np.zeros((5, 1)), np.arange(5.0), "two or more latents"),
        (np.zeros((5, 2)), np.arange(4.0), "equally many rows"),
        (np.zeros((5, 2)), np.ones(5), "'factor 0' does not vary"),
        (np.zeros((5, 2)), np.array([0, 1, 2, 3, np.nan]), "not finite; leave those cells out"),
        (np.full((5, 2), np.inf), np.arange(5.0), "latents hold values that are not finite"),
    ],
)
def test_bad_input_is_told_in_one_sentence(latents, factors, message):
    with pytest.raises(InputError, match=message):
        mutual_information_gap(latents, factors)
