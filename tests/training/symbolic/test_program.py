"""Programs are expressions in another coat: same values, exact gradients by the constants."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.models.expressions import parse
from morpholaw.training.symbolic.engine import SearchSpec
from morpholaw.training.symbolic.losses import make_loss
from morpholaw.training.symbolic.program import (
    constants,
    decode,
    depth,
    encode,
    evaluate,
    start,
    value_and_gradient,
    with_constants,
)
from morpholaw.training.symbolic.variation import Variation, fold, strip_affine

NAMES = ("z3", "z17", "z21", "z29")
X = np.random.default_rng(0).uniform(0.5, 1.5, (4, 40))
programs = st.tuples(st.integers(0, 10**6), st.integers(0, 9)).map(
    lambda pair: Variation(SearchSpec(NAMES), random.Random(pair[0])).random_program(pair[1])
)


def value(program):
    with np.errstate(all="ignore"):
        return np.broadcast_to(evaluate(program, X), X.shape[1])


@settings(max_examples=150, deadline=None)
@given(programs)
def test_trees_and_programs_are_the_same(program):
    tree = decode(program, NAMES)
    assert encode(tree) == program
    np.testing.assert_allclose(tree.evaluate(X.T), value(program), rtol=1e-12)
    assert start(program, len(program) - 1) == 0
    assert len(program) == tree.size


@settings(max_examples=150, deadline=None)
@given(programs, st.integers(0, 10**6))
def test_every_mutation_and_crossover_is_a_whole_program(program, seed):
    vary = Variation(SearchSpec(NAMES), random.Random(seed))
    children = [vary.mutate(program, 0.5), *vary.cross(program, vary.random_program(3))]
    for child in children:
        if child is not None:
            assert encode(decode(child, NAMES)) == child
            assert depth(child) <= len(child)


def test_a_grammar_without_some_operators_never_makes_them():
    vary = Variation(SearchSpec(NAMES, binary=("+",), unary=("abs",)), random.Random(1))
    program = vary.random_program(3)
    for _ in range(300):
        program = vary.mutate(program, 1.0) or program
        program = program if len(program) < 30 else vary.random_program(3)
        assert {n.operator for n in decode(program, NAMES).nodes() if n.arguments} <= {"+", "abs"}


@settings(max_examples=100, deadline=None)
@given(programs)
def test_folding_keeps_the_value(program):
    np.testing.assert_allclose(value(fold(program)), value(program), rtol=1e-9)


def test_a_scale_and_offset_at_the_top_are_stripped():
    shape = encode(parse("z3*z17", NAMES))
    for text in ("z3*z17 + 2", "2 - z3*z17", "3*(z3*z17)/4 - 1", "-z3*z17"):
        assert strip_affine(encode(parse(text.replace("-z3*z17", "-1*(z3*z17)"), NAMES))) == shape
    assert strip_affine(encode(parse("2/z3", NAMES))) == encode(parse("2/z3", NAMES))


@pytest.mark.parametrize("kind", ["hinge", "mse", "censored"])
@pytest.mark.parametrize(
    "text",
    [
        "1.3*z29*(z17^2 + 0.5*z21^2) - exp(0.7*exp(0.4*z3)) + 0.2",
        "sqrt(z3 + 0.5)/(z17 + 1.5) - 0.3*log(z21 + 2.0)",
        "sin(2.1*z3) - abs(z17 - 1.02) - 0.8",
    ],
)
def test_gradients_are_those_of_finite_differences(kind, text):
    rng = np.random.default_rng(1)
    y = rng.choice([-1.0, 1.0], X.shape[1])
    y = np.clip(y * rng.uniform(0.2, 1.5, len(y)), -1, 1) if kind == "censored" else y
    loss = make_loss(kind, y)
    program = encode(parse(text, NAMES))
    where = constants(program)
    found, gradient = value_and_gradient(program, X, loss.value_and_derivative)
    assert found == pytest.approx(loss.value(value(program)))
    base = np.array([program[i] for i in where])
    for k in range(len(where)):
        step = np.zeros(len(where))
        step[k] = 1e-6
        up, down = (loss.value(value(with_constants(program, where, base + sign * step))) for sign in (1, -1))
        assert gradient[k] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-6)
