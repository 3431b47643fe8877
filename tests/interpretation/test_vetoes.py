"""Bounds over boxes hold for every point in them, and vetoes are those of the paper's laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.interpretation.interval_arithmetic import bound_expression
from morpholaw.interpretation.vetoes import Veto, find_vetoes, in_words
from morpholaw.models.law import Law
from random_laws import random_laws

NAMES = ("z3", "z17", "z21", "z29")
H1 = "z29*(square(z17) + square(z21)) - exp(exp(z3))"
H3 = "(z29 - z3)*(abs(z17) + square(z21)) - 2.88"
M1 = "2.32*abs(z17) + square(z21) + 4.46*z29 - 3.16*square(0.56*z3 + 1) - 6.15"

LAWS = random_laws(NAMES, st.floats(-5, 5), "+-*/")


@given(expression=LAWS, seed=st.integers(0, 2**31))
@settings(max_examples=200, deadline=None)
def test_no_point_of_a_box_is_outside_its_bounds(expression, seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(-4, 4, (1, 4))
    high = low + rng.uniform(0, 3, (1, 4)) * rng.integers(0, 2, (1, 4))
    box = bound_expression(expression, low, high)
    values = expression.evaluate(rng.uniform(low, high, (200, 4)))
    values = values[np.isfinite(values)]
    assert (values >= box.low).all()
    assert (values <= box.high).all()


@pytest.mark.parametrize("text", ["log(z3)", "sqrt(z3)", "1/z3"])
def test_nothing_is_claimed_where_the_law_may_be_undefined(text):
    box = bound_expression(
        Law.parse(text, NAMES).expression, np.array([[-1.0, 0, 0, 0]]), np.array([[1.0, 0, 0, 0]])
    )
    assert box.low == -np.inf
    assert box.high == np.inf


def test_bounds_of_a_small_box_are_tight():
    expression = Law.parse(H1, NAMES).expression
    point = np.array([[0.1, 0.5, -0.7, 1.2]])
    box = bound_expression(expression, point - 1e-6, point + 1e-6)
    assert box.high[0] - box.low[0] < 1e-4
    assert box.low[0] <= expression.evaluate(point)[0] <= box.high[0]


def single(vetoes, name, excluded):
    return [v for v in vetoes if v.latents == (name,) and v.excluded == excluded]


def test_large_size_vetoes_metaphase_in_the_paper_s_first_hinge_law():
    """e^e^z3 passes 3 * (9 + 9) = 54 at z3 = log(log 54) = 1.384; z29 < 0 makes the law negative, too."""
    vetoes = find_vetoes(Law.parse(H1, NAMES))
    (size,) = single(vetoes, "z3", 1)
    ((low, high),) = size.ranges
    assert high == 3.0
    assert np.log(np.log(54)) <= low <= np.log(np.log(54)) + 0.11
    (other,) = single(vetoes, "z29", 1)
    assert other.ranges[0][0] == -3.0
    assert -0.11 <= other.ranges[0][1] <= 0.051
    assert not [v for v in vetoes if v.excluded == -1 and len(v.latents) == 1]
    words = in_words(size, "interphase", "metaphase", {"z3": "size"})
    assert words == f"z3 (size) above {low:.2f} excludes metaphase, whatever the other latents are."


def test_hinge_laws_can_veto_by_roundness_and_additive_laws_cannot():
    """Paper, 6.4: zero eccentricity excludes metaphase in H3, and only size can exclude interphase in M1."""
    roundness = [("z17", "z21")]
    (h3,) = find_vetoes(Law.parse(H3, NAMES), groups=roundness)
    assert h3.excluded == 1
    assert 0 < h3.share < 0.2
    assert not [v for v in find_vetoes(Law.parse(M1, NAMES), groups=roundness) if v.excluded == 1]
    size = find_vetoes(Law.parse(M1, NAMES), groups=[("z3", "z29")])
    assert {v.excluded for v in size} == {-1, 1}
    assert "z3 and z29 together exclude" in in_words(size[0], "interphase", "metaphase")


def test_vetoes_hold_for_every_cell_in_the_range():
    rng = np.random.default_rng(0)
    for text in (H1, H3, M1):
        law = Law.parse(text, NAMES)
        z = rng.uniform(-3, 3, (20_000, 4))
        score = law.expression.evaluate(z)
        for veto in find_vetoes(law):
            for low, high in veto.ranges:
                column = z[:, NAMES.index(veto.latents[0])]
                inside = score[(column >= low) & (column <= high)]
                assert (inside < 0).all() if veto.excluded > 0 else (inside >= 0).all()


def test_a_law_of_one_latent_is_decided_by_it_alone():
    vetoes = find_vetoes(Law.parse("z17 - 0.99", ("z17",)))
    assert [v.excluded for v in vetoes] == [1, -1]
    assert in_words(vetoes[0], "a", "b") == "z17 below 0.95 excludes b, whatever the other latents are."
    shifted = replace(vetoes[0], ranges=((-2.5, -0.001), (-3.0, -2.75)))
    assert in_words(shifted, "a", "b").startswith(
        "z17 between \u22122.50 and \u22120.01 or below \u22122.75 excludes b"
    )
    assert "in 43 % of their range" in in_words(Veto(("z1", "z2"), 1, 0.43), "a", "b")
    assert "in less than 1 % of their range" in in_words(Veto(("z1", "z2"), 1, 0.004), "a", "b")
    assert in_words(vetoes[1], "a", "b") == "z17 above 1.00 excludes a, whatever the other latents are."


def test_a_constant_law_has_no_vetoes():
    assert find_vetoes(Law.parse("1.5", NAMES)) == []


def test_other_ranges_give_other_vetoes():
    law = Law.parse("z3 + z17", NAMES)
    assert not single(find_vetoes(law), "z3", 1)
    (veto,) = single(find_vetoes(law, ranges={"z17": (-1, 1)}), "z3", 1)
    assert veto.ranges[0] == pytest.approx((-3.0, -1.1), abs=0.11)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ranges": {"z3": (1, 1)}}, "range of 'z3'"),
        ({"ranges": {"z3": (0, np.inf)}}, "range of 'z3'"),
        ({"groups": [("z8",)]}, "no latent 'z8'; it has z3, z17, z21, z29"),
    ],
)
def test_bad_input_is_told_in_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        find_vetoes(Law.parse(H1, NAMES), **arguments)
