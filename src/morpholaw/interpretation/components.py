"""The additive and multiplicative parts of a law, and which of them decides a cell (figures 11 and 13)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.models.expressions import Call, Expression
from morpholaw.models.law import Law


@dataclass(frozen=True)
class Component:
    """One additive term of a law: f = sum of ``sign * expression``.

    Attributes
    ----------
    sign
        +1 or -1.
    expression
        The term, without its sign.
    factors
        What is multiplied in it; the term itself where it is no product.
    """

    sign: int
    expression: Expression
    factors: tuple[Expression, ...]

    @property
    def text(self) -> str:
        """The term with its sign."""
        text = self.expression.text()
        return text if self.sign > 0 else f"-({text})" if " " in text else f"-{text}"

    def values(self, z: np.ndarray) -> np.ndarray:
        """The signed term for each row of ``z`` (rows, the law's variables), float64 (rows,)."""
        return self.sign * self.expression.evaluate(z)


def components(law: Law) -> list[Component]:
    """The additive terms of a law, from left to right; their values add up to the score."""
    return [Component(sign, term, tuple(_factors(term))) for sign, term in _terms(law.expression, 1)]


def deciding_terms(law: Law, z: np.ndarray) -> pd.DataFrame:
    """The term that decides each cell: the largest of those with the sign of the score.

    Parameters
    ----------
    z
        Values of the law's latents, (rows, len(law.names)).

    Returns
    -------
    pd.DataFrame
        A row for each cell: ``score``, one column for each term (its text, its signed value), and ``decides``
        (the text of the deciding term; "" where the score is not a number).
    """
    parts = components(law)
    values = np.stack([part.values(z) for part in parts], axis=1)
    score = law.expression.evaluate(z)
    with_sign = np.where((values >= 0) == (score >= 0)[:, None], np.abs(values), -np.inf)
    with_sign = np.where(np.isnan(with_sign), -np.inf, with_sign)
    texts = np.array([part.text for part in parts], dtype=object)
    decides = np.where(np.isnan(score), "", texts[with_sign.argmax(axis=1)])
    table = pd.DataFrame({"score": score})
    for k, text in enumerate(texts):
        table[text] = table[text] + values[:, k] if text in table else values[:, k]
    return table.assign(decides=decides)


def _terms(node: Expression, sign: int) -> list[tuple[int, Expression]]:
    if isinstance(node, Call) and node.operator in ("+", "-"):
        left, right = node.operands
        return _terms(left, sign) + _terms(right, sign if node.operator == "+" else -sign)
    return [(sign, node)]


def _factors(node: Expression) -> list[Expression]:
    if isinstance(node, Call) and node.operator == "*":
        return [factor for operand in node.operands for factor in _factors(operand)]
    return [node]
