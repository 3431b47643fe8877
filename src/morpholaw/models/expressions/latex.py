"""Conversion of expressions to LaTeX that matplotlib's mathtext can render too."""

from __future__ import annotations

import re
from collections.abc import Mapping

from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4


def to_latex(expression: Expression, names: Mapping[str, str] | None = None, digits: int = 3) -> str:
    """Return an expression as LaTeX, without dollar signs.

    Parameters
    ----------
    expression : Expression
        The expression to write.
    names : mapping of str to str, optional
        Display names of variables, such as ``{"z3": "size"}``; other variables are shown as symbols, z3 as z_{3}.
    digits : int
        Significant digits of constants.

    Returns
    -------
    str
    """
    return _Writer(names or {}, digits).write(expression)[0]


def number(value: float, digits: int = 3) -> str:
    r"""Return a number in LaTeX with ``digits`` significant digits, e.g. ``1.2 \times 10^{-5}``."""
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def symbol(name: str) -> str:
    """Return ``z17`` as ``z_{17}``; longer names are set upright, with special characters escaped."""
    if match := re.fullmatch(r"([A-Za-z])_?(\d+)", name):
        return rf"{match[1]}_{{{match[2]}}}"
    return name if re.fullmatch("[A-Za-z]", name) else word(name)


def word(text: str) -> str:
    """Return text set upright in a formula, without characters that LaTeX or mathtext would misinterpret."""
    text = re.sub(r"[^\w .,:+()-]", "", text.replace("&", "and").replace("\u2212", "-"))
    text = re.sub(r"([_ ])", r"\\\1", text)
    return rf"\mathrm{{{text}}}"


class _Writer:
    """Writes the nodes of an expression with fixed names and precision."""

    def __init__(self, names: Mapping[str, str], digits: int) -> None:
        self.names, self.digits = names, digits

    def at(self, node: Expression, precedence: int) -> str:
        """Return the text of a node, in brackets if it binds less tightly than ``precedence``."""
        text, binding = self.write(node)
        return text if binding >= precedence else rf"\left({text}\right)"

    def write(self, node: Expression) -> tuple[str, int]:
        """Return the text of a node and its precedence."""
        if isinstance(node, Constant):
            text = number(node.value, self.digits)
            if node.value < 0:
                return text, _SUM
            return text, _PRODUCT if "times" in text else _ATOM
        if isinstance(node, Variable):
            shown = self.names.get(node.name)
            return (word(shown) if shown else symbol(node.name)), _ATOM
        assert isinstance(node, Call)
        return self.call(node.operator, *node.operands)

    def call(self, operator: str, a: Expression, b: Expression | None = None) -> tuple[str, int]:
        """Return the text of an operator with its operands, and its precedence."""
        match operator, b:
            case "+", Expression():
                right = self.at(b, _SUM)
                joint = f" - {right[1:]}" if right.startswith("-") else f" + {right}"
                return self.at(a, _SUM) + joint, _SUM
            case "-", Expression():
                return f"{self.at(a, _SUM)} - {self.at(b, _PRODUCT)}", _SUM
            case "*", Expression():
                return self.product(a, b)
            case "/", Expression():
                return rf"\frac{{{self.write(a)[0]}}}{{{self.write(b)[0]}}}", _PRODUCT
            case "min" | "max", Expression():
                return rf"\{operator}\left({self.write(a)[0]}, {self.write(b)[0]}\right)", _POWER
            case "square", None:
                return f"{self.at(a, _ATOM)}^{{2}}", _POWER
            case "exp", None:
                return f"e^{{{self.write(a)[0]}}}", _POWER
            case "sqrt", None:
                return rf"\sqrt{{{self.write(a)[0]}}}", _ATOM
            case "abs", None:
                return rf"\left|{self.write(a)[0]}\right|", _ATOM
            case _:
                return rf"\{operator}\left({self.write(a)[0]}\right)", _POWER

    def product(self, a: Expression, b: Expression) -> tuple[str, int]:
        """Return the text of a product, with a constant first and -1 as a minus sign."""
        if isinstance(a, Constant) and a.value == -1:
            return f"-{self.at(b, _PRODUCT)}", _SUM
        if isinstance(b, Constant) and not isinstance(a, Constant):
            a, b = b, a
        chained = isinstance(a, Constant) or (isinstance(a, Call) and a.operator == "*")
        left = self.write(a)[0] if chained else self.at(a, _PRODUCT)
        right = self.at(b, _PRODUCT)
        joint = r" \cdot " if right[:1].isdigit() else r" \, "
        return left + joint + right, _SUM if left.startswith("-") else _PRODUCT
