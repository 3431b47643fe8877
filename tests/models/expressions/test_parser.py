"""Text becomes a tree or one clear error; nothing in it is ever run."""

import contextlib
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.models.expressions import Expression, parse
from morpholaw.models.expressions.operators import BINARY, UNARY
from random_laws import random_laws

NAMES = ["z3", "z17", "z21", "z29"]

HOSTILE = [
    "__import__('os').system('touch pwned')", "().__class__", "z3.__class__", "exp(z3, z3)", "exp(*z3)",
    "exp(**z3)", "z3 if 1 else 0", "lambda: 1", "[z3]", "{z3}", "z3**9999", "9**9**9", "1e999", "True", "None",
    "'a'", "z99", "z3 @ z17", "(" * 400 + "z3" + ")" * 400, "-" * 900 + "z3", "z3 ; z3", "z3:=1", "f'{z3}'",
    "exp(x=z3)", "1j", "9" * 400, "sin", "", " ", "z3 +", "exp()", "exp(exp)(z3)", "z3(z3)", "z3 z17", "z3[0]",
    "open(z3)", "eval(z3)", "exp.exp(z3)", "z3 == z17", "z3 and z17", "not z3", "~z3", "z3 % 2", "z3 // 2",
    "z3 ** z17", "z3 ** 2.5", "z3 ** -2", "z3 ** True", "2 ** 2 ** 2", "z3\n", "z3\x00", "ｚ3", "z3#", "\\", "...",
    "_", "z3._", "1if z3 else 2", "0x", "1_", "exp(z3)" * 50, "+".join(["z3"] * 150), "z" * 3000,
    "yield", "await z3", "(z3,)", "(z3, z17)", "inf", "nan", "square", "z3 ^ 3", "(lambda)(z3)",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_ends_in_one_sentence(text):
    with pytest.raises(InputError) as caught:
        parse(text, NAMES)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize("value", [None, 3, b"z3", ["z3"]])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(InputError, match="must be text"):
        parse(value, NAMES)


FRAGMENTS = [
    *UNARY,
    *BINARY,
    *NAMES,
    "(",
    ")",
    "**",
    "^",
    "2",
    "1.5",
    ",",
    ".",
    "e",
    "_",
    "if",
    "lambda",
    "or",
    " ",
    "=",
]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(alphabet=string.printable, max_size=40),
        st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join),
        st.text(max_size=20),
    )
)
def test_any_text_is_an_expression_or_one_error(text):
    with contextlib.suppress(InputError):
        assert isinstance(parse(text, NAMES), Expression)


TREES = random_laws(NAMES[:4], st.floats(allow_nan=False, allow_infinity=False), BINARY, UNARY, max_leaves=15)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_the_text_of_a_tree_reads_back_to_that_tree(tree):
    assert parse(tree.text(), NAMES) == tree


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("z3^2", "square(z3)"),
        ("z3**2.0", "square(z3)"),
        ("2*z3^2", "2*square(z3)"),
        ("-z3^2", "-1*square(z3)"),
        ("+z3", "z3"),
        ("--1.5", "1.5"),
        ("z3 - z17 - z21", "(z3 - z17) - z21"),
        ("z3 / z17 * z21", "(z3 / z17) * z21"),
        (" z3 ", "z3"),
        ("1e-3*z3", "0.001*z3"),
    ],
)
def test_usual_notation_is_understood(text, same):
    assert parse(text, NAMES) == parse(same, NAMES)


def test_an_unknown_name_is_named_with_those_known():
    with pytest.raises(InputError, match=r"'z4' is not one of its variables \(z3, z17, z21, z29\)"):
        parse("z3 + z4", NAMES)
