"""A formula in the report names its class, and z where the law reads latents alone."""

from __future__ import annotations

import pytest

from morpholaw.interpretation.oriented_law import law_in_words
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


def test_a_screen_reader_says_the_names_that_are_drawn(monkeypatch):
    spoken = []
    monkeypatch.setattr(formula, "typeset_latex", lambda latex, text, size: spoken.append(text))
    law, names = law_in_words(Law.parse("1.8332 * z1 - z3", ["z1", "z3"]), {"z1": "\u2212size"})
    formula.typeset(law, names)
    assert spoken == ["-1 * (1.83 * size + z3)"]
