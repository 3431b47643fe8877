"""The simplest inequality that predicts the same classes as a law.

Only the sign of f matters. A positive factor does not change it, and a monotone outermost function only moves the
threshold: ``29 exp(u) - 9.58`` is >= 0 where ``u`` >= log(9.58 / 29).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from morpholaw.models.expressions.normal_form import Atom, NoNormalForm, Product, Sum, sum_of, write_sum
from morpholaw.models.expressions.tree import Call, Constant, Expression

LEAST_DIGITS, MOST_DIGITS = 3, 9
"""Fewest and most significant digits of the numbers in an inequality."""
FAR = 100.0
"""Coefficients of exp that differ from 1 by more than this factor are moved into the exponent."""
_JOINED = {"min": ("and", "or"), "max": ("or", "and")}
"""How inequalities are joined where a min or max is at least, or at most, a threshold."""


@dataclass(frozen=True)
class Inequality:
    """An inequality, ``left >= threshold`` or ``left <= threshold``, that is true where f >= 0.

    Attributes
    ----------
    left : Expression
        The left-hand side, without a constant term where possible.
    threshold : float
        The right-hand side.
    at_least : bool
        Whether the inequality is ``left >= threshold`` rather than ``left <= threshold``.
    """

    left: Expression
    threshold: float
    at_least: bool

    @property
    def expression(self) -> Expression:
        """An expression with the same sign as f."""
        a, b = (
            (self.left, Constant(self.threshold)) if self.at_least else (Constant(self.threshold), self.left)
        )
        if self.threshold == 0:
            return a if self.at_least else Call("*", (Constant(-1.0), b))
        return Call("-", (a, b))

    def text(self, digits: int = 3) -> str:
        """Return text such as ``contrast - 1.2 * roundness >= 0.4`` with ``digits`` significant digits.

        ``min`` and ``max`` are written as inequalities joined by "and" or "or".
        """
        word, parts = self.parts
        if word:
            other = "or" if word == "and" else "and"
            texts = [part.text(digits) for part in parts]
            return f" {word} ".join(f"({text})" if f" {other} " in text else text for text in texts)
        sign = ">=" if self.at_least else "<="
        return f"{self._rounded(digits).text()} {sign} {self.threshold:.{digits}g}"

    def digits_needed(self, columns: np.ndarray, holds: np.ndarray) -> int:
        """Return the number of significant digits with which the text classifies `columns` as f does.

        Parameters
        ----------
        columns : ndarray of shape (rows, variables)
            Cells, as for `Expression.evaluate`.
        holds : ndarray of bool, shape (rows,)
            Where f >= 0.

        Returns
        -------
        int
            `LEAST_DIGITS` to `MOST_DIGITS`.
        """
        return first_number_of_digits(lambda digits: np.array_equal(self._holds(columns, digits), holds))

    def _holds(self, columns: np.ndarray, digits: int) -> np.ndarray:
        """Return where the inequality, as `text` writes it, holds; bool (rows,)."""
        word, parts = self.parts
        if word:
            each = np.stack([part._holds(columns, digits) for part in parts])
            return np.asarray(each.all(axis=0) if word == "and" else each.any(axis=0))
        value, threshold = self._rounded(digits).evaluate(columns), _rounded(self.threshold, digits)
        return np.asarray(value >= threshold if self.at_least else value <= threshold)

    def _rounded(self, digits: int) -> Expression:
        return self.left.with_constants([_rounded(value, digits) for value in self.left.constants()])

    @property
    def parts(self) -> tuple[str, tuple[Inequality, ...]]:
        """The word "and" or "or" and the inequalities that it joins; an empty word and this inequality if none."""
        left = self.left
        if not isinstance(left, Call) or left.operator not in _JOINED:
            return "", (self,)
        word = _JOINED[left.operator][0 if self.at_least else 1]
        threshold = Constant(self.threshold)
        pairs = [(one, threshold) if self.at_least else (threshold, one) for one in _flat(left)]
        return word, tuple(boundary_form(Call("-", pair)) for pair in pairs)


def first_number_of_digits(is_enough: Callable[[int], bool]) -> int:
    """Return the smallest number of significant digits that is enough, `LEAST_DIGITS` to `MOST_DIGITS`."""
    return next((digits for digits in range(LEAST_DIGITS, MOST_DIGITS) if is_enough(digits)), MOST_DIGITS)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def boundary_form(expression: Expression) -> Inequality:
    """Return the simplest inequality that holds where the expression is >= 0.

    The two agree wherever the expression is finite. An expression without a normal form is compared with 0 unchanged.
    """
    try:
        total, threshold, at_least = _reduced(sum_of(expression))
        left = write_sum(total)
    except (NoNormalForm, OverflowError):
        return Inequality(expression, 0.0, True)
    if not left.variables():
        return Inequality(expression, 0.0, True)
    return Inequality(left, threshold, at_least)


def _reduced(total: Sum) -> tuple[Sum, float, bool]:
    """Return a sum without its constant term, its threshold, and whether it must be at least the threshold."""
    at_least = True
    while True:
        constant = next((value for product, value in total.terms if not product), 0.0)
        terms = [(product, value) for product, value in total.terms if product]
        if not terms:
            return total, 0.0, at_least
        # Scale the (lower) median coefficient to 1, so that numbers stay readable where units differ. Keep at least
        # one coefficient positive, so that nothing begins with a minus sign.
        positive = any(value > 0 for _, value in terms)
        plain = [abs(value) for product, value in terms if not _has_exp(product)]
        sizes = sorted(plain or [abs(value) for _, value in terms])
        unit = sizes[(len(sizes) - 1) // 2] * (1 if positive else -1)
        terms = [_scale_in_exponent(product, value / unit) for product, value in terms]
        threshold = -constant / unit
        at_least = at_least == (unit > 0)
        if len(terms) > 1:
            return Sum(tuple(terms)), threshold + 0.0, at_least
        inner = _inside(terms[0][0], threshold)
        if inner is None:
            return Sum(tuple(terms)), threshold + 0.0, at_least
        rest, moved = inner
        # The next iteration compares rest - moved with 0.
        total = Sum((*[term for term in rest.terms if term[0]], ((), _constant(rest) - moved)))


def _has_exp(product: Product) -> bool:
    return any(atom.name == "exp" for atom, _ in product)


def _scale_in_exponent(product: Product, coefficient: float) -> tuple[Product, float]:
    """Move the coefficient of a term into its exp if it is far from 1: 7e-9 exp(9 x)^2 becomes exp(18 x - 18.8)."""
    if not _has_exp(product) or 1 / FAR < abs(coefficient) < FAR:
        return product, coefficient
    terms: dict[Product, float] = {(): math.log(abs(coefficient))}
    for atom, power in product:
        if atom.name == "exp" and atom.inner is not None:
            for inside, value in atom.inner.terms:
                terms[inside] = terms.get(inside, 0.0) + power * value
    inner = Sum(tuple(sorted(terms.items(), key=lambda term: (not term[0], str(term[0])))))
    rest = [(atom, power) for atom, power in product if atom.name != "exp"]
    return (*rest, (Atom("exp", inner=inner), 1)), math.copysign(1.0, coefficient)


def _constant(total: Sum) -> float:
    return next((value for product, value in total.terms if not product), 0.0)


def _inside(product: Product, threshold: float) -> tuple[Sum, float] | None:
    """Return the argument of a monotone function and the transformed threshold; None if there is no such function."""
    if threshold == 0:
        kept = _with_the_sign_of(product)
        if kept and kept != product:
            return Sum(((kept, 1.0),)), 0.0
    elif -1 < threshold <= 1 and len(sign := _with_the_sign_of(product)) == 1 and _is_a_sign(product):
        return Sum(((sign, 1.0),)), 0.0
    if len(product) != 1 or product[0][1] != 1:
        return None
    atom = product[0][0]
    if atom.inner is None:
        return None
    if atom.name == "()":
        return atom.inner, threshold
    if atom.name == "exp" and threshold > 0:
        return atom.inner, math.log(threshold)
    if atom.name == "sqrt" and threshold > 0 and _is_positive(atom.inner):
        return atom.inner, threshold**2
    if atom.name == "log" and _is_positive(atom.inner):
        return atom.inner, math.exp(threshold)
    return None


def _with_the_sign_of(product: Product) -> Product:
    """Return the factors that determine the sign of a product wherever it is finite.

    exp is positive and 1 / x has the sign of x. A divisor is not 0, so its square and its magnitude do not matter.
    """
    divisors = {atom for atom, power in product if power < 0}
    kept: list[tuple[Atom, int]] = []
    for atom, power in product:
        positive = atom.name in ("abs", "sqrt", "exp")
        if atom.name == "exp" or (power < 0 and (positive or power % 2 == 0)):
            continue
        if atom.name == "abs" and _factors(atom) <= divisors:
            continue
        kept.append((atom, 1 if power < 0 else power))
    return tuple(kept)


def _factors(atom: Atom) -> set[Atom]:
    """Return the factors of a function's argument if it is a single product, else the function itself; as a set."""
    terms = () if atom.inner is None else atom.inner.terms
    return {factor for factor, _ in terms[0][0]} if len(terms) == 1 else {atom}


def _is_a_sign(product: Product) -> bool:
    """Return whether a product is abs(x) / x or x / abs(x), which are 1 or -1."""
    if len(product) != 2 or {power for _, power in product} != {1, -1}:
        return False
    a, b = (factor[0] for factor in product)
    return (a.name == "abs" and _factors(a) == {b}) or (b.name == "abs" and _factors(b) == {a})


def _flat(node: Call) -> list[Expression]:
    """Return the operands of a min or max, including those of nested calls of the same operator."""
    operands: list[Expression] = []
    for operand in node.operands:
        same = isinstance(operand, Call) and operand.operator == node.operator
        operands += _flat(operand) if same and isinstance(operand, Call) else [operand]
    return operands


def _is_positive(total: Sum) -> bool:
    """Return whether the form of a sum shows that it is >= 0 wherever it is defined."""
    return all(value > 0 and all(map(_is_positive_factor, product)) for product, value in total.terms)


def _is_positive_factor(factor: tuple[Atom, int]) -> bool:
    atom, power = factor
    return power % 2 == 0 or atom.name in ("abs", "exp", "sqrt")
