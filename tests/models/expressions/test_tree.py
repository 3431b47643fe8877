"""Size and complexity as the paper counts them, and constants that can be read and replaced."""

import dataclasses

import pytest

from morpholaw.models.expressions import Call, Constant, Variable, parse

NAMES = ["z3", "z17", "z21", "z29"]

# Expression, expression size (paper, tables 2 and 3, where the text says without doubt how it is built)
TABLES = [
    ("z29*(z17^2 + z21^2) - exp(exp(z3))", 11),
    ("(z29 - z3)*(abs(z17) + z21^2) - 2.88", 11),
    ("0.74*(z29 - 0.62*z3)*(z17^2 + z21^2) - 2.11", 15),
    ("(z17^2 + z21^2)*(z29 - sin(z3)) - 2.86", 12),
    ("(z17^2 + z21^2)*(z29 - exp(z3) + 0.71) - 2.03", 14),
    ("(z29 - 0.44*z3)*(z17^2 + z21^2) - 2.56", 13),
    ("z17^2 + z21^2 + z29 - 6.00*exp(sin(z3))", 13),
]


@pytest.mark.parametrize(("text", "size"), TABLES)
def test_expression_sizes_are_those_of_the_papers_tables(text, size):
    assert parse(text, NAMES).size == size


def test_complexity_weighs_sin_three_exp_and_log_two():
    assert parse("sin(z3) + exp(z17) - log(abs(z21)) * sqrt(2)", NAMES).complexity() == 4 + 3 + 4 + 2 + 3
    assert parse("z29*(z17^2 + z21^2) - exp(exp(z3))", NAMES).complexity() == 13


def test_costs_can_be_others():
    assert parse("sin(z3) + 2", NAMES).complexity({"sin": 1, "+": 5}, constant=7, variable=2) == 15


def test_variables_come_in_the_order_of_their_columns():
    assert parse("z29 - z3 + z29", NAMES).variables() == ("z3", "z29")


def test_constants_are_replaced_from_left_to_right():
    expression = parse("1.5*z3 - (2 + exp(0.25))", NAMES)
    assert expression.constants() == (1.5, 2.0, 0.25)
    assert expression.with_constants([9, 8, 7]) == parse("9*z3 - (8 + exp(7))", NAMES)
    with pytest.raises(ValueError, match="3 constants"):
        expression.with_constants([1.0])


def test_a_tree_cannot_change():
    expression = Call("+", (Constant(1.0), Variable("z3", 0)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        expression.operator = "-"
    assert hash(expression) == hash(parse("1 + z3", NAMES))
