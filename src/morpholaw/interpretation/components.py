"""The additive terms of a law, the decisive term for each cell, and parts that can be drawn (figures 11 and 13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.models.expressions import Call, Expression, to_latex
from morpholaw.models.law import Law

MOST_PARTS = 9
"""Maximum number of parts of a law that are drawn."""
_OUTLIER = 6
"""Multiple of the median size beyond which values are limited in plots."""
_ROUNDING = 1e-9
"""Values below this are rounding errors."""


@dataclass(frozen=True)
class Term:
    """One additive term of a law: f = sum of ``sign * expression``.

    Attributes
    ----------
    sign : int
        +1 or -1.
    expression : Expression
        The term, without its sign.
    """

    sign: int
    expression: Expression

    @property
    def text(self) -> str:
        """The term with its sign."""
        text = self.expression.text()
        return text if self.sign > 0 else f"-({text})" if " " in text else f"-{text}"

    def values(self, z: np.ndarray) -> np.ndarray:
        """Return the signed term for each row of ``z`` (rows, the law's variables), float64 (rows,)."""
        return self.sign * self.expression.evaluate(z)


@dataclass(frozen=True)
class SampledPart:
    """Values of a part of a law over the one or two latents that it depends on.

    Attributes
    ----------
    latex : str
        The part's formula.
    names : tuple of str
        The latents, one or two.
    grids : tuple of ndarray
        Increasing values of each latent, (n,) each.
    values : ndarray
        Values (n,) for one latent, (n_second, n_first) for two; NaN if undefined.
    """

    latex: str
    names: tuple[str, ...]
    grids: tuple[np.ndarray, ...]
    values: np.ndarray


def additive_terms(law: Law) -> list[Term]:
    """Return the additive terms of a law, from left to right; their values add up to the score."""
    return [Term(sign, term) for sign, term in _terms(law.expression, 1)]


def deciding_terms(law: Law, z: np.ndarray) -> pd.DataFrame:
    """Find the decisive term for each cell, which is the largest term with the sign of the score.

    Parameters
    ----------
    law : Law
        The law.
    z : ndarray
        Values of the law's latents, (rows, len(law.names)).

    Returns
    -------
    DataFrame
        One row per cell, with the columns ``score``, one column of signed values per term, named after its text, and
        ``decides`` (text of the decisive term; "" if the score is NaN).
    """
    terms = additive_terms(law)
    values = np.stack([term.values(z) for term in terms], axis=1)
    score = law.expression.evaluate(z)
    with_sign = np.where((values >= 0) == (score >= 0)[:, None], np.abs(values), -np.inf)
    with_sign = np.where(np.isnan(with_sign), -np.inf, with_sign)
    texts = np.array([term.text for term in terms], dtype=object)
    decides = np.where(np.isnan(score), "", texts[with_sign.argmax(axis=1)])
    table = pd.DataFrame({"score": score})
    for k, text in enumerate(texts):
        table[text] = table[text] + values[:, k] if text in table else values[:, k]
    return table.assign(decides=decides)


def drawable_parts(law: Law) -> list[Term]:
    """Return at most `MOST_PARTS` parts of a law that can be drawn.

    These are the additive terms of one or two latents. Larger terms are divided into the largest parts of at most two
    latents. Single latents and constants are omitted.
    """
    parts = [part for term in additive_terms(law) for part in _parts_of_two(term.sign, term.expression)]
    curved = [
        part for part in dict.fromkeys(parts) if part.expression.size > 1 and part.expression.variables()
    ]
    return curved[:MOST_PARTS]


def sample_parts(
    law: Law, axes: Mapping[str, np.ndarray], words: Mapping[str, str] | None = None, digits: int = 3
) -> list[SampledPart]:
    """Evaluate the drawable parts of a law over their latents.

    Parameters
    ----------
    law : Law
        The law.
    axes : mapping
        Increasing values, (n,), of each of the law's latents.
    words : mapping, optional
        Names to show for latents, e.g. ``{"z3": "size"}``.
    digits : int
        Significant digits of the constants in the formulas.

    Returns
    -------
    list of SampledPart
        One for each of `drawable_parts`.
    """
    words = words or {}
    return [_sampled(law, part, axes, words, digits) for part in drawable_parts(law)]


def readable(values: np.ndarray, gaps: bool = False) -> np.ndarray:
    """Limit very large values, which would dominate a plot, but keep their signs.

    With ``gaps``, such values become NaN, so that curves are interrupted. Rounding errors become 0, as their signs are
    meaningless where a law is flat, and they are ignored when the limit is determined.
    """
    values = np.where(np.abs(values) < _ROUNDING, 0.0, values)
    sizes = np.abs(values[np.isfinite(values)])
    sizes = sizes[sizes > 0]
    limit = _OUTLIER * float(np.median(sizes)) if sizes.size else 0.0
    if not 0 < limit < sizes.max(initial=0):
        return values
    return np.where(np.abs(values) > limit, np.nan, values) if gaps else np.clip(values, -limit, limit)


def _terms(node: Expression, sign: int) -> list[tuple[int, Expression]]:
    if isinstance(node, Call) and node.operator in ("+", "-"):
        left, right = node.operands
        return _terms(left, sign) + _terms(right, sign if node.operator == "+" else -sign)
    return [(sign, node)]


def _parts_of_two(sign: int, node: Expression) -> Iterator[Term]:
    """Iterate over the largest parts of at most two latents, with their signs."""
    if len(node.variables()) <= 2:
        yield Term(sign, node)
    elif isinstance(node, Call) and node.operator in ("+", "-"):
        yield from _parts_of_two(sign, node.operands[0])
        yield from _parts_of_two(sign if node.operator == "+" else -sign, node.operands[1])
    else:
        for operand in node.arguments:
            yield from _parts_of_two(1, operand)


def _sampled(
    law: Law, part: Term, axes: Mapping[str, np.ndarray], words: Mapping[str, str], digits: int
) -> SampledPart:
    names = part.expression.variables()
    grids = tuple(axes[name] for name in names)
    mesh = np.meshgrid(*grids, indexing="xy")
    z = np.zeros((mesh[0].size, len(law.names)))
    for name, values in zip(names, mesh, strict=True):
        z[:, law.names.index(name)] = values.ravel()
    values = part.values(z).reshape(mesh[0].shape)
    values = np.where(np.isfinite(values), values, np.nan)
    return SampledPart(
        _signed_latex(part, words, digits),
        tuple(words.get(name, name) for name in names),
        grids,
        readable(values, gaps=len(names) == 1),
    )


def _signed_latex(part: Term, words: Mapping[str, str], digits: int) -> str:
    latex = to_latex(part.expression, words, digits)
    if part.sign > 0:
        return latex
    if isinstance(part.expression, Call) and part.expression.operator in ("+", "-"):
        return rf"-\left({latex}\right)"
    return latex[1:].strip() if latex.startswith("-") else f"-{latex}"
