"""What a law is fitted to when it learns from a network."""

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.training.symbolic.distillation import distil

OUTPUTS = np.r_[np.linspace(-50, -0.5, 50), np.linspace(0.5, 100, 50)]


@pytest.mark.parametrize("how", ["censored", "clipped", "tanh"])
def test_targets_keep_their_side_and_lose_their_tails(how):
    targets, loss = distil(OUTPUTS, how)
    assert loss == ("censored" if how == "censored" else "mse")
    assert np.abs(targets).max() <= 1
    np.testing.assert_array_equal(np.sign(targets), np.sign(OUTPUTS))


def test_raw_outputs_are_left_alone():
    targets, loss = distil(OUTPUTS, "raw")
    assert loss == "mse"
    np.testing.assert_array_equal(targets, OUTPUTS)


@pytest.mark.parametrize("outputs", [np.zeros(10), np.ones(10), -np.ones(10)])
def test_outputs_without_two_sides_are_refused(outputs):
    with pytest.raises(InputError, match="both signs"):
        distil(outputs)


def test_an_unknown_way_is_refused_with_those_known():
    with pytest.raises(InputError, match="censored, clipped, tanh, raw"):
        distil(OUTPUTS, "ranked")
