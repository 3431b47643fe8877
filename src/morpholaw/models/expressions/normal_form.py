"""The normal form of an expression, which is the same for equivalent ways of writing a law.

The normal form is a sum of products: ``{product: coefficient}``. A product is a sorted tuple of (atom, power), and an
atom is a variable, a function of a normal form, or a sum in brackets without its first coefficient. The empty product
is the constant term. Products of sums are not expanded, so a law keeps its readable form. As in ordinary algebra,
``x/x`` is 1 and ``x - x`` is 0 even where ``x`` is undefined.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from morpholaw.models.expressions.operators import OPERATORS
from morpholaw.models.expressions.tree import Call, Constant, Expression, Variable


@dataclass(frozen=True)
class Atom:
    """A variable (``inner`` is None) or a function of a sum; the name "()" is the sum itself.

    The further operands of ``min`` and ``max`` are in ``others``.
    """

    name: str
    column: int = -1
    inner: Sum | None = None
    others: tuple[Sum, ...] = ()

    def key(self) -> tuple[Any, ...]:
        """Return a sort key."""
        rest = tuple(one.key() for one in self.others)
        return (self.name, self.column, self.inner.key() if self.inner else (), rest)


Product = tuple[tuple[Atom, int], ...]


@dataclass(frozen=True)
class Sum:
    """Sorted terms (product, coefficient) with non-zero coefficients."""

    terms: tuple[tuple[Product, float], ...]

    def key(self) -> tuple[Any, ...]:
        """Return a sort key."""
        return tuple((_product_key(product), coefficient) for product, coefficient in self.terms)

    def constant(self) -> float | None:
        """Return the value of a sum without variables, or None."""
        if not self.terms:
            return 0.0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None


class NoNormalForm(Exception):
    """Raised if part of an expression has no normal form, for example no finite value."""


def simplify(expression: Expression) -> Expression:
    """Return an equivalent expression with like terms collected, which is never more complex."""
    try:
        candidate = write_sum(sum_of(expression))
    except NoNormalForm:
        return expression
    return candidate if candidate.complexity() <= expression.complexity() else expression


def skeleton(expression: Expression) -> str:
    """Return canonical text without the values of constants, which is equal for laws of the same form."""
    try:
        return _describe(sum_of(expression))
    except NoNormalForm:
        return expression.text()


def sum_of(node: Expression) -> Sum:
    """Return the normal form of a node; raise NoNormalForm if it has none."""
    if isinstance(node, Constant):
        return _number(node.value)
    if isinstance(node, Variable):
        return Sum(((((Atom(node.name, node.column), 1),), 1.0),))
    assert isinstance(node, Call)
    parts = [sum_of(operand) for operand in node.operands]
    values = [part.constant() for part in parts]
    if all(value is not None for value in values):
        with np.errstate(all="ignore"):
            return _number(float(OPERATORS[node.operator].ufunc(*(np.float64(value) for value in values))))
    match node.operator:
        case "+":
            return _add(parts[0], parts[1], 1.0)
        case "-":
            return _add(parts[0], parts[1], -1.0)
        case "*":
            return _multiply(parts[0], parts[1])
        case "/":
            return _multiply(parts[0], _power(parts[1], -1))
        case "square":
            return _power(parts[0], 2)
        case "min" | "max":
            return _extreme(node.operator, parts)
        case name:
            return _function(name, parts[0])


def _number(value: float) -> Sum:
    if not math.isfinite(value):
        raise NoNormalForm
    return Sum((((), value),)) if value else Sum(())


def _collect(terms: Iterable[tuple[Product, float]]) -> Sum:
    total: dict[Product, float] = {}
    for product, coefficient in terms:
        total[product] = total.get(product, 0.0) + coefficient
    if not all(map(math.isfinite, total.values())):
        raise NoNormalForm
    kept = [(product, coefficient) for product, coefficient in total.items() if coefficient]
    return Sum(tuple(sorted(kept, key=lambda term: _product_key(term[0]))))


def _product_key(product: Product) -> tuple[Any, ...]:
    return (not product, tuple((atom.key(), power) for atom, power in product))  # the constant term last


def _add(a: Sum, b: Sum, sign: float) -> Sum:
    return _collect([*a.terms, *((product, sign * coefficient) for product, coefficient in b.terms)])


def _single(a: Sum) -> tuple[Product, float]:
    """Return a sum as one product and a coefficient; several terms go into brackets, the first coefficient out."""
    if not a.terms:
        return (), 0.0
    if len(a.terms) == 1:
        return a.terms[0]
    first = a.terms[0][1]
    inner = _collect((product, coefficient / first) for product, coefficient in a.terms)
    return ((Atom("()", inner=inner), 1),), first


def _multiply(a: Sum, b: Sum) -> Sum:
    if (constant := a.constant()) is not None or (constant := b.constant()) is not None:
        other = b if a.constant() is not None else a
        return _collect((product, constant * coefficient) for product, coefficient in other.terms)
    (p, c), (q, d) = _single(a), _single(b)
    return _collect([(_join(p, q), c * d)])


def _join(p: Product, q: Product) -> Product:
    powers: dict[Atom, int] = {}
    for atom, power in (*p, *q):
        powers[atom] = powers.get(atom, 0) + power
    even = [atom for atom, power in powers.items() if atom.name == "abs" and power % 2 == 0]
    for atom in even:  # |x|^2 is x^2; the coefficient inside abs is 1 by construction
        power = powers.pop(atom)
        assert atom.inner is not None
        for inner, n in _single(atom.inner)[0]:
            powers[inner] = powers.get(inner, 0) + n * power
    kept = ((atom, power) for atom, power in powers.items() if power)
    return tuple(sorted(kept, key=lambda factor: (factor[0].key(), factor[1])))


def _power(a: Sum, power: int) -> Sum:
    product, coefficient = _single(a)
    if coefficient == 0 and power < 0:
        raise NoNormalForm
    raised = _join(tuple((atom, n * power) for atom, n in product), ())
    return _collect([(raised, coefficient**power)])


def _function(name: str, a: Sum) -> Sum:
    scale = 1.0
    if name == "exp" and len(a.terms) > 1 and not a.terms[-1][0]:
        try:
            scale = math.exp(a.terms[-1][1])  # e^(x + c) is e^c e^x
        except OverflowError:
            raise NoNormalForm from None
        a = Sum(a.terms[:-1])
    elif name in ("abs", "sqrt"):
        product, coefficient = _single(a)
        if name == "sqrt" and coefficient > 0 and all(power % 2 == 0 for _, power in product):
            halves = tuple((atom, power // 2) for atom, power in product)
            return _scaled(_function("abs", Sum(((halves, 1.0),))), math.sqrt(coefficient))
        if name == "abs":
            if all(power % 2 == 0 or atom.name in ("abs", "sqrt", "exp") for atom, power in product):
                return Sum(((product, abs(coefficient)),))
            scale, a = abs(coefficient), Sum(((product, 1.0),))
    elif name == "sin" and a.terms[0][1] < 0:
        scale, a = -1.0, _scaled(a, -1.0)
    if scale == 0:
        raise NoNormalForm
    return Sum(((((Atom(name, inner=a), 1),), scale),))


def _extreme(name: str, parts: Iterable[Sum]) -> Sum:
    """Return the min or max of several sums, flattened and sorted, without duplicates and with at most one constant.

    Absorbed operands are dropped: ``max(min(a, b), a)`` is ``a``.
    """
    flat: dict[Any, Sum] = {}
    numbers: list[float] = []
    for part in parts:
        for operand in _operands(name, part):
            value = operand.constant()
            if value is None:
                flat[operand.key()] = operand
            else:
                numbers.append(value)
    if numbers:
        value = min(numbers) if name == "min" else max(numbers)
        flat[()] = _number(value)
    other = "max" if name == "min" else "min"
    kept = [one for key, one in flat.items() if not _absorbed(other, key, one, flat)]
    if len(kept) == 1:
        return kept[0]
    kept.sort(key=lambda one: (one.constant() is not None, one.key()))
    return Sum(((((Atom(name, inner=kept[0], others=tuple(kept[1:])), 1),), 1.0),))


def _operands(name: str, part: Sum) -> tuple[Sum, ...]:
    """Return the operands of a sum that consists of one min or max, else the sum itself."""
    if len(part.terms) == 1:
        product, coefficient = part.terms[0]
        if coefficient == 1 and len(product) == 1 and product[0][1] == 1 and product[0][0].name == name:
            atom = product[0][0]
            assert atom.inner is not None
            return (atom.inner, *atom.others)
    return (part,)


def _absorbed(other: str, key: Any, operand: Sum, among: dict[Any, Sum]) -> bool:
    """Return whether an operand of min is a max that contains another operand, or the reverse."""
    inside = _operands(other, operand)
    return len(inside) > 1 and any(one.key() in among and one.key() != key for one in inside)


def _scaled(a: Sum, scale: float) -> Sum:
    return _collect((product, scale * coefficient) for product, coefficient in a.terms)


def write_sum(total: Sum) -> Expression:
    """Return a short expression with positive terms first, so that the others can be subtracted."""
    if not total.terms:
        return Constant(0.0)
    terms = sorted(total.terms, key=lambda term: term[1] < 0)
    result: Expression | None = None
    for product, coefficient in terms:
        if result is None:
            result = _write_term(product, coefficient)
        elif coefficient < 0:
            result = Call("-", (result, _write_term(product, -coefficient)))
        else:
            result = Call("+", (result, _write_term(product, coefficient)))
    assert result is not None
    return result


def _write_term(product: Product, coefficient: float) -> Expression:
    above = [_write_factor(atom, power) for atom, power in product if power > 0]
    below = [_write_factor(atom, -power) for atom, power in product if power < 0]
    if coefficient != 1 or not above:
        above.insert(0, Constant(coefficient))
    return Call("/", (_chain(above), _chain(below))) if below else _chain(above)


def _chain(factors: list[Expression]) -> Expression:
    result = factors[0]
    for factor in factors[1:]:
        result = Call("*", (result, factor))
    return result


def _write_factor(atom: Atom, power: int) -> Expression:
    if power == 1:
        if atom.inner is None:
            return Variable(atom.name, atom.column)
        inner = write_sum(atom.inner)
        for one in atom.others:
            inner = Call(atom.name, (inner, write_sum(one)))
        return inner if atom.name == "()" or atom.others else Call(atom.name, (inner,))
    half = Call("square", (_write_factor(atom, power // 2),))
    return half if power % 2 == 0 else Call("*", (half, _write_factor(atom, 1)))


def _describe(total: Sum) -> str:
    """Return the terms sorted by their text, so that the order does not depend on the values of constants."""
    terms = []
    for product, coefficient in total.terms:
        factors = sorted(f"<{_describe_atom(atom)}^{power}>" for atom, power in product)
        terms.append(("-" if coefficient < 0 and product else "") + ("".join(factors) or "c"))
    return "+".join(sorted(terms))


def _describe_atom(atom: Atom) -> str:
    if atom.inner is None:
        return atom.name
    # Sorted as text, because the values of constants must not affect the order of operands.
    inside = sorted(map(_describe, (atom.inner, *atom.others)))
    return f"{atom.name}[{','.join(inside)}]"
