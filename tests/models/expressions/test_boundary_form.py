"""The simplest inequality with the same classes: no outer function, no hidden sign, the same truth."""

import numpy as np
import pytest
from hypothesis import given, settings

from morpholaw.models.expressions import boundary_form, parse, parse_rule
from random_laws import random_laws, rounded

NAMES = ["a", "b", "c"]
ROWS = np.random.default_rng(0).normal(0, 2, (300, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("29*exp((a*(0.641 + c) - b)*(1.51 - c)) - 9.58", None),
        ("4*exp(a - b) - 2", "a - b >= -0.693"),
        ("-13.9 * (c - (a - b)) + (-2.11)", "a - b - c >= 0.152"),
        ("exp(c) * (a - b)", "a - b >= 0"),
        ("0.5 * (log(exp(a)) + 3)", "a >= -3"),
        ("sqrt(square(a)) - 2", "abs(a) >= 2"),
        ("-5 * a + 10", "a <= 2"),
        ("a / 3 - -(-b)", None),
        ("1 - exp(exp(a))", None),
        ("a - a + 3", "a - a + 3 >= 0"),
        ("exp(a) + 1", "exp(a) >= -1"),
        ("sqrt(a + 1) - 2", "sqrt(1 + a) >= 2"),
        ("abs(a) / a", "a >= 0"),
        ("2 * abs(a) / a - 1", "a >= 0"),
        ("b * abs(a) / a", "a * b >= 0"),
        ("(a - b) / square(c)", "a - b >= 0"),
        ("(a - b) / c", "(a - b) * c >= 0"),
        ("1 / abs(a) - 0", "1 / abs(a) >= 0"),
        ("min(9 - a, b - 1.9)", "a <= 9 and b >= 1.9"),
        ("3 - 2 * max(a, b + 1)", "a <= 1.5 and b <= 0.5"),
        ("max(min(a, b - 1), c)", "c >= 0 or (a >= 0 and b >= 1)"),
        ("max(min(a, b), a)", "a >= 0"),
        ("138000000*a - square(exp(9.13*b)) - 31100000", "a - exp(18.3 * b - 18.7) >= 0.225"),
    ],
)
def test_known_laws(text, expected):
    expression = parse(text, NAMES)
    found = boundary_form(expression)
    if expected is not None:
        assert found.text() in (expected, expected.replace("1 + a", "a + 1"))
    assert_same_classes(expression, found)
    if text.startswith("29"):
        assert "exp" not in found.text()


def assert_same_classes(expression, found):
    f, g = expression.evaluate(ROWS), found.expression.evaluate(ROWS)
    with np.errstate(all="ignore"):
        clear = np.isfinite(f) & np.isfinite(g) & (np.abs(f) > 1e-6) & (np.abs(g) > 1e-6)
    assert np.array_equal(f[clear] >= 0, g[clear] >= 0)
    left = found.left.evaluate(ROWS)
    holds = left >= found.threshold if found.at_least else left <= found.threshold
    assert np.array_equal(holds[clear], g[clear] >= 0)
    assert np.isfinite(g[np.isfinite(f)]).all()


@settings(max_examples=300)
@given(random_laws(NAMES, rounded(-3, 3)))
def test_random_laws_keep_their_classes(expression):
    assert_same_classes(expression, boundary_form(expression))


def test_an_inequality_has_as_many_digits_as_it_takes_to_say_the_same_of_every_row():
    found = boundary_form(parse("a - 1.23456", NAMES))
    rows, holds = np.array([[1.2344, 0, 0], [1.2347, 0, 0]]), np.array([False, True])
    assert found.digits_needed(rows, holds) == 5
    assert found.text(5) == "a >= 1.2346"
    assert found.digits_needed(np.array([[1.2, 0, 0], [1.3, 0, 0]]), holds) == 3
    assert found.digits_needed(rows, ~holds) == 9  # nothing says this


def test_digits_are_counted_over_all_parts_of_a_rule():
    rule = boundary_form(parse_rule("a < 1.23456 and b > 2", NAMES))
    rows = np.array([[1.2345, 3, 0], [1.2345, 1, 0], [1.2346, 3, 0]])
    assert rule.digits_needed(rows, np.array([True, False, False])) == 6
