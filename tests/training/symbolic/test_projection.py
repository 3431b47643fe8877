"""Scale and offset are found exactly: against a linear programme, a regression and a general optimiser."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from morpholaw.training.symbolic.losses import CensoredError
from morpholaw.training.symbolic.projection import (
    CensoredErrorProjector,
    HingeProjector,
    SquaredErrorProjector,
)


def outputs(seed, positives=30, negatives=25, tail=0.0):
    """Outputs that tell two classes apart, somewhat; the positives first."""
    rng = np.random.default_rng(seed)
    y = np.repeat([1.0, -1.0], [positives, negatives])
    g = rng.normal(y * rng.uniform(-2, 2), 1.0)
    return (g + tail * np.exp(rng.normal(0, 3, len(y))) * y).astype(np.float32), y


def least_hinge(g, y):
    """The same problem as a linear programme."""
    n = len(y)
    result = linprog(
        np.r_[0, 0, np.full(n, 1 / n)],
        A_ub=np.c_[-y * g, -y, -np.eye(n)],
        b_ub=-np.ones(n),
        bounds=[(None, None)] * 2 + [(0, None)] * n,
    )
    return result.fun


def hinge(fit, g, y):
    f = fit.scale * g.astype(float) + fit.offset
    return np.mean(np.maximum(1 - y * f, 0))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 40), st.integers(5, 40), st.sampled_from([0.0, 1.0]))
def test_the_hinge_is_the_least_there_is(seed, positives, negatives, tail):
    g, y = outputs(seed, positives, negatives, tail)
    least = least_hinge(g, y)
    constant = 2 * min(positives, negatives) / len(y)  # no margin at all: not a law, but it may be best
    fit = HingeProjector(y).fit(g)
    if np.isfinite(fit.loss):
        assert fit.loss == pytest.approx(hinge(fit, g, y), rel=1e-3, abs=1e-6)
    assert min(fit.loss, constant) == pytest.approx(least, rel=1e-3, abs=1e-6)


def test_the_direction_does_not_matter():
    g, y = outputs(5)
    up, down = HingeProjector(y).fit(g), HingeProjector(y).fit(-g)
    assert up.loss == pytest.approx(down.loss)
    assert up.scale == pytest.approx(-down.scale)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_squared_error_is_a_regression(seed):
    g, y = outputs(seed)
    fit = SquaredErrorProjector(y).fit(g)
    scale, offset = np.polyfit(g.astype(float), y, 1)
    assert (fit.scale, fit.offset) == (
        pytest.approx(scale, rel=1e-3, abs=1e-4),
        pytest.approx(offset, rel=1e-3, abs=1e-4),
    )
    assert fit.loss == pytest.approx(np.mean((scale * g + offset - y) ** 2), rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_the_censored_error_is_nearly_the_least(seed):
    g, y = outputs(seed, 100, 100)
    targets = np.clip(y * np.abs(np.random.default_rng(seed).normal(1.5, 0.5, len(y))), -1, 1)
    loss = CensoredError(targets)
    fit = CensoredErrorProjector(targets).fit(g)
    best = minimize(lambda v: loss.value(v[0] * g + v[1]), [fit.scale, fit.offset], method="Nelder-Mead")
    assert fit.loss == pytest.approx(loss.value(fit.scale * g + fit.offset), rel=1e-3)
    assert fit.loss <= 1.05 * best.fun + 1e-4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_or_does_not_vary_has_no_fit(bad):
    g, y = outputs(0)
    targets = np.clip(y * 0.9, -1, 1)
    projectors = [
        HingeProjector(y),
        SquaredErrorProjector(y),
        CensoredErrorProjector(targets),
    ]
    for projector in projectors:
        assert projector.fit(np.ones_like(g)).loss == np.inf
        broken = g.copy()
        broken[3] = bad
        with np.errstate(all="ignore"):
            assert projector.fit(broken).loss == np.inf
