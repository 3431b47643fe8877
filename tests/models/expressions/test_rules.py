"""Rules that a person writes become expressions that are 0 or more where the rule holds."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.models.expressions import parse, parse_rule, simplify, to_latex, to_python

NAMES = ["width", "axis_ratio", "z3"]
ROWS = np.random.default_rng(0).normal(3, 3, (400, 3))


@pytest.mark.parametrize(
    "rule",
    [
        "width < 2 and axis_ratio > 1.9",
        "width < 2 or axis_ratio >= 1.9 or z3 < 0",
        "not (width < 2 and axis_ratio > 1.9)",
        "not width < 2 and z3 > 1",
        "1 < width < 4",
        "width*2 > axis_ratio - z3^2",
        "(width < 2 or z3 > 4) and abs(axis_ratio) <= 3",
        "min(width, axis_ratio) > 2",
    ],
)
def test_a_rule_holds_where_python_says_so(rule):
    expression = parse_rule(rule, NAMES)
    python = compile(rule.replace("^", "**"), "rule", "eval")
    holds = [eval(python, {}, dict(zip(NAMES, row, strict=True))) for row in ROWS]
    assert np.array_equal(expression.evaluate(ROWS) >= 0, holds)
    assert np.array_equal(parse(expression.text(), NAMES).evaluate(ROWS), expression.evaluate(ROWS))
    assert simplify(expression).complexity() <= expression.complexity()
    scope: dict = {}
    exec(to_python(expression, NAMES), scope)
    assert np.allclose([scope["law"](*row) for row in ROWS], expression.evaluate(ROWS))
    assert to_latex(expression)


def test_plain_expressions_stay_as_they_are():
    assert parse_rule("z3 - 0.8*width", NAMES) == parse("z3 - 0.8*width", NAMES)
    assert parse_rule("width > 0", NAMES).text() == "width"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("width < 2 and z3", "join comparisons"),
        ("not z3 + 1 < 2 and width", "join comparisons"),
        ("1 + (width < 2)", "only"),
        ("(width < 2) < 3", "only"),
        ("width == 2", "compared with <"),
        ("width in z3", "compared with <"),
        ("girth < 2", "'girth' is not one"),
        ("__import__('os')", "characters"),
        ("min(width)", "only"),
        ("min(width, z3, 1)", "only"),
        ("width < 1e999", "out of range"),
        ("(lambda: 0)()", "characters"),
        ("width if z3 else 1", "only"),
        ("width := 3", "characters"),
    ],
)
def test_what_is_no_rule_is_refused_in_a_sentence(rule, reason):
    with pytest.raises(InputError, match=reason):
        parse_rule(rule, NAMES)


def test_files_hold_no_comparisons():
    with pytest.raises(InputError):
        parse("width < 2", NAMES)


@given(st.text(alphabet="<>=andornot wz3().,+-*/^12", max_size=40))
def test_no_text_does_anything_but_become_an_expression(text):
    with suppress(InputError):
        assert parse_rule(text, NAMES).evaluate(ROWS).shape == (400,)
