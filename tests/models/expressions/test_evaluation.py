"""NumPy and torch give the same values, and torch the true gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.models.expressions import parse

NAMES = ["z3", "z17", "z21", "z29"]
TEXTS = [
    "z29*(z17^2 + z21^2) - exp(exp(z3))",
    "(z29 - z3)*(abs(z17) + square(z21)) - 2.88",
    "sqrt(abs(z17)) + log(square(z21) + 1)/(square(z29) + 0.5) - sin(z3)",
    "4.25",
    "z3",
]
ROWS = st.lists(st.tuples(*[st.floats(-2, 2)] * 4), min_size=1, max_size=8).map(np.array)


def by_hand(z):
    return z[:, 3] * (z[:, 1] ** 2 + z[:, 2] ** 2) - np.exp(np.exp(z[:, 0]))


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_the_papers_law_is_what_it_says(z):
    np.testing.assert_allclose(parse(TEXTS[0], NAMES).evaluate(z), by_hand(z), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("text", TEXTS)
@settings(max_examples=30, deadline=None)
@given(z=ROWS)
def test_torch_and_numpy_agree(text, z):
    expression = parse(text, NAMES)
    values = expression.evaluate_torch(torch.from_numpy(z))
    assert values.shape == (len(z),)
    np.testing.assert_allclose(values.numpy(), expression.evaluate(z), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("text", TEXTS[:3])
def test_torch_gradients_are_those_of_finite_differences(text):
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.uniform(0.2, 1.5, (5, 4))).requires_grad_()
    assert torch.autograd.gradcheck(parse(text, NAMES).evaluate_torch, (z,))


def test_float32_stays_float32():
    z = torch.ones(3, 4)
    assert parse(TEXTS[0], NAMES).evaluate_torch(z).dtype == torch.float32


def test_undefined_rows_are_nan_or_infinite_and_the_others_are_not_touched():
    z = np.array([[-1.0, 0, 0, 0], [4.0, 0, 0, 0], [0.0, 0, 0, 0]])
    values = parse("log(z3)", NAMES).evaluate(z)
    assert np.isnan(values[0])
    assert values[1] == np.log(4)
    assert values[2] == -np.inf
