"""A law over named quantities is the law over latents."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.interpretation.oriented_law import law_in_words
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law

NAMES = ("z1", "z2", "z3")


def in_words(text):
    law, names = law_in_words(Law.parse(text, NAMES), {"z1": "−size", "z2": "neighbours", "z3": "-age"})
    assert names == {"z1": "size", "z2": "neighbours", "z3": "age"}
    return law


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5.57 * (z2 + z1)", "-5.57 * (z2 - z1)"),
        ("z1 + z3", "-1 * (z1 + z3)"),
        ("2 * z1 - z2", "-1 * (2 * z1 + z2)"),
        ("2 * z1", "-2 * z1"),
        ("z1 * z3 + 1", "z1 * z3 + 1"),
        ("square(z1) - exp(z3)", "square(z1) - exp(-1 * z3)"),
        ("sin(z1) / z2", "-1 * (sin(z1) / z2)"),
        ("abs(z1 - 1)", "abs(z1 + 1)"),
        ("log(z2 - z1)", "log(z2 + z1)"),
        ("z2", "z2"),
    ],
)
def test_signs_go_where_a_reader_expects_them(text, expected):
    assert in_words(text).text() == expected


@pytest.mark.parametrize(
    "text",
    [
        "z1 * (square(z2) + exp(z3 - 2)) - sqrt(abs(z1)) / (z3 + 4)",
        "sin(z1 * z3) - 3 * (z1 - z2) + log(square(z3) + 1)",
        "0.5 / z1 - abs(z3) * z1",
    ],
)
def test_the_function_is_the_same(text):
    z = np.random.default_rng(0).normal(size=(50, 3))
    oriented = z * np.array([-1, 1, -1])
    np.testing.assert_allclose(
        in_words(text).score(FeatureTable(oriented, NAMES)),
        Law.parse(text, NAMES).score(FeatureTable(z, NAMES)),
        rtol=1e-12,
    )
