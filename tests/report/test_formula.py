"""A formula in the report names its class, and z where the law reads latents alone."""

from __future__ import annotations

import pytest

from morpholaw.models.law import Law
from morpholaw.report import formula


@pytest.mark.parametrize(
    ("inputs", "class_name", "left"),
    [
        (("z1", "z12"), "", "f(z) = "),
        (("z1", "z12"), "metaphase", r"f_{\mathrm{metaphase}}(z) = "),
        (("area", "contrast"), "", "f = "),
        (("area", "z3"), "early $G_1$", r"f_{\mathrm{early\ G\_1}} = "),
    ],
)
def test_the_left_side_says_the_class_and_what_is_read(monkeypatch, inputs, class_name, left):
    shown = []
    monkeypatch.setattr(formula, "typeset_latex", lambda latex, spoken, size: shown.append(latex))
    formula.typeset(Law.parse(f"{inputs[0]} - {inputs[1]}", inputs), class_name=class_name)
    assert shown[0].startswith(left)
