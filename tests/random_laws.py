"""Random expressions for property tests."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from morpholaw.models.expressions import Call, Constant, Expression, Variable


def rounded(low: float, high: float, digits: int = 2) -> st.SearchStrategy[float]:
    """Numbers of few digits, as laws have them."""
    return st.floats(low, high).map(lambda x: round(x, digits))


def random_laws(
    names: Sequence[str],
    numbers: st.SearchStrategy[float],
    binary: Sequence[str] = ("+", "-", "*", "/", "min", "max"),
    unary: Sequence[str] = ("square", "exp", "log", "sqrt", "abs", "sin"),
    max_leaves: int = 8,
) -> st.SearchStrategy[Expression]:
    """Expressions of some features, with constants from ``numbers``."""
    leaves = numbers.map(Constant) | st.sampled_from([Variable(name, k) for k, name in enumerate(names)])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda o, a, b: Call(o, (a, b)), st.sampled_from(binary), inner, inner),
            st.builds(lambda o, a: Call(o, (a,)), st.sampled_from(unary), inner),
        ),
        max_leaves=max_leaves,
    )
