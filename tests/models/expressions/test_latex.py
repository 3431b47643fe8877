"""LaTeX that reads as the formula does, and that matplotlib can set."""

import pytest
from matplotlib.mathtext import MathTextParser

from morpholaw.models.expressions import parse, to_latex

NAMES = ["z3", "z17", "z21", "z29"]
CASES = [
    (
        "z29*(z17^2 + z21^2) - exp(exp(z3))",
        r"z_{29} \, \left(z_{17}^{2} + z_{21}^{2}\right) - e^{e^{z_{3}}}",
    ),
    (
        "(z29 - z3)*(abs(z17) + z21^2) - 2.876",
        r"\left(z_{29} - z_{3}\right) \, \left(\left|z_{17}\right| + z_{21}^{2}\right) - 2.88",
    ),
    ("z3 + -2*z17", r"z_{3} - 2 \, z_{17}"),
    ("z3 - (z17 - 1)", r"z_{3} - \left(z_{17} - 1\right)"),
    ("z3*0.5/sqrt(z17 + 1)", r"\frac{0.5 \, z_{3}}{\sqrt{z_{17} + 1}}"),
    ("0.0000123*sin(z3)", r"1.23 \times 10^{-5} \, \sin\left(z_{3}\right)"),
    ("square(exp(z3))", r"\left(e^{z_{3}}\right)^{2}"),
    ("log(z3)*2*3", r"3 \cdot 2 \, \log\left(z_{3}\right)"),
    ("-z3", "-z_{3}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "latex"), CASES)
def test_latex_of_typical_laws(text, latex):
    assert to_latex(parse(text, NAMES)) == latex


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_matplotlib_sets_it(text):
    for names in ({}, {"z3": "size & shape_1 {x} 50%", "z17": "aspect"}):
        latex = to_latex(parse(text, NAMES), names)
        MathTextParser("path").parse(f"${latex}$")


def test_latents_may_appear_under_their_own_names():
    assert to_latex(parse("z3 + z17", NAMES), {"z3": "nuclear size"}) == r"\mathrm{nuclear\ size} + z_{17}"


def test_digits_are_significant_digits():
    assert to_latex(parse("3.14159*z3", NAMES), digits=5) == r"3.1416 \, z_{3}"
