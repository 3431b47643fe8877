"""A refit moves only the constants, towards the best, and never for the worse."""

import numpy as np
import pytest

from morpholaw.models.expressions import parse, skeleton
from morpholaw.training.symbolic.refit import measured, refit

NAMES = ["z3", "z17"]
X = np.random.default_rng(0).standard_normal((500, 2))


def test_a_regression_is_recovered():
    y = 2.5 * X[:, 0] ** 2 - 1.25 * X[:, 1] + 0.5
    fitted = refit(parse("1.0*z3^2 - 1.0*z17 + 0.1", NAMES), X, y, "mse")
    np.testing.assert_allclose(fitted.constants(), [2.5, 1.25, 0.5], atol=1e-4)


def test_hinge_crosses_its_kinks_from_wrong_constants():
    y = np.where(X[:, 0] - 2 * X[:, 1] ** 2 + 0.7 >= 0, 1.0, -1.0)
    shape = parse("1.0*z3 - 1.0*z17^2 + 0.1", NAMES)
    fitted = refit(shape, X, y)
    assert skeleton(fitted) == skeleton(shape)
    assert fitted.complexity() == shape.complexity()
    assert np.mean((fitted.evaluate(X) >= 0) == (y > 0)) > 0.98


@pytest.mark.parametrize("kind", ["hinge", "mse", "censored"])
@pytest.mark.parametrize(
    "text", ["z3 - z17", "log(abs(0.3*z3)) - 1.5", "2.0*sqrt(z3 + 9.0) - 5.0", "1.0/(z3 + 50.0) + 0.1"]
)
def test_never_worse(kind, text):
    y = np.sign(X[:, 0] + 0.3)
    before = parse(text, NAMES)
    after = refit(before, X, y, kind)
    assert measured(after, X, y, kind) <= measured(before, X, y, kind) + 1e-12


def test_a_law_that_is_undefined_somewhere_has_an_infinite_loss():
    assert measured(parse("log(z3)", NAMES), X, np.sign(X[:, 0]), "hinge") == np.inf
