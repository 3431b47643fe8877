"""Explanation of the class of one cell: the terms of the law, the decisive one, and what would change the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from morpholaw.cells.shape_features import Feature
from morpholaw.display import MINUS, number, percent, significant
from morpholaw.errors import InputError
from morpholaw.interpretation.class_changes import GRID, Flip, named_latent, smallest_flips
from morpholaw.interpretation.components import Term, additive_terms
from morpholaw.interpretation.law_sentence import QUANTILES
from morpholaw.interpretation.oriented_law import law_in_words, rename
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import Inequality, Variable, boundary_form
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law

SHOWN_FLIPS = 2
"""Number of changes of one input that the text mentions."""
ROUNDING = 1e-4
"""Relative difference of a score between batches of different sizes."""
NEAR = 0.5
"""Change of one input, in standard deviations, up to which a cell counts as near the boundary."""


@dataclass(frozen=True)
class TermValue:
    """Value of one term of a law in one cell.

    Attributes
    ----------
    text : str
        The term, with the names of its inputs. Parts joined by "and" or "or" are inequalities.
    value : float
        Its value in the cell.
    typical : float
        Its value in the median cell.
    sign : int
        +1 if larger values favour the second class, -1 if they favour the first.
    readings : str
        For a term of one input, the value of this input in the cell and in the median cell: "width, 8.4 µm here and
        12 µm in the median cell".
    spread : float
        Standard deviation of the value over the labelled cells. It makes inequalities of inputs in different units
        comparable.
    """

    text: str
    value: float
    typical: float
    sign: int = 1
    readings: str = ""
    spread: float = 1.0

    @property
    def push(self) -> float:
        """How much more it favours the second class here than in the median cell; negative for the first class."""
        return self.sign * (self.value - self.typical)


@dataclass(frozen=True)
class CellReasons:
    """Explanation of the predicted class of a cell.

    Attributes
    ----------
    predicted, other : str
        The predicted class, and the class on the other side of the boundary, which is the second most likely one if
        there are more than two; "" if the law has no value.
    score : float
        The score f.
    inequality : str
        The simplest inequality that holds for the second class.
    terms : tuple of TermValue
        The terms of this inequality.
    decisive : TermValue or None
        The term that favours the predicted class most, compared with the median cell.
    flips : tuple of Flip
        For each input, the smallest change that changes the class; smallest first.
    nearer : float
        Share of the labelled cells that are closer to the boundary, in [0, 1].
    text : str
        The explanation, in a few sentences.
    """

    predicted: str
    other: str
    score: float
    inequality: str
    terms: tuple[TermValue, ...]
    decisive: TermValue | None
    flips: tuple[Flip, ...]
    nearer: float
    text: str


def cell_reasons(
    law: Law,
    row: np.ndarray,
    cells: FeatureTable,
    classes: tuple[str, str],
    features: Sequence[Feature] = (),
    words: Mapping[str, str] | None = None,
    laws: ClassLaws | None = None,
) -> CellReasons:
    """Explain why a law assigns a cell to its class.

    Parameters
    ----------
    law : Law
        The law, over inputs in units.
    row : ndarray, float64 (columns,)
        Inputs of the cell, in the columns of ``cells``.
    cells : FeatureTable
        Inputs of labelled cells, in units, for comparison.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.
    features : sequence of Feature
        The shapes among the inputs; all others are latents.
    words : mapping, optional
        Names of latents, with a minus sign if the latent decreases with what the name says.
    laws : ClassLaws, optional
        With more than two classes, the laws of all of them, over inputs in units; ``law`` is then the difference
        between those of the most likely and of the second class. They determine which class a changed cell would have.

    Returns
    -------
    CellReasons
        The explanation and its parts.

    Raises
    ------
    InputError
        If the cell does not have the columns of the table.
    """
    if np.shape(row) != (len(cells.names),):
        raise InputError(f"A cell has one value for each of {', '.join(cells.names)}; got {np.shape(row)}.")
    used = law.expression.variables()
    used_words = {name: word for name, word in (words or {}).items() if name in used}
    oriented, names = law_in_words(law, used_words)
    signs = np.array([-1.0 if used_words.get(name, "").startswith((MINUS, "-")) else 1.0 for name in used])
    here = FeatureTable(np.asarray(row, np.float64)[None], cells.names).select(used)[0] * signs
    usual = cells.select(used) * signs
    usual = usual[np.isfinite(usual).all(axis=1)]
    law_of_used = oriented.reduced()
    by_name = {feature.name: feature for feature in features}
    inputs = [
        by_name.get(name) or named_latent(name, names.get(name, ""), sign)
        for name, sign in zip(used, signs, strict=True)
    ]
    score = float(law_of_used.score(FeatureTable(here[None], used))[0])
    simplest = boundary_form(law_of_used.expression)
    in_formula = {name: _in_formula(names.get(name, name)) for name in used}
    shown = rename(simplest.left, in_formula)
    known_scores = law_of_used.score(FeatureTable(usual, used))
    digits = simplest.digits_needed(usual, known_scores >= 0)
    inequality = Inequality(shown, simplest.threshold, simplest.at_least).text(digits)
    if not np.isfinite(score):
        missing = [
            feature.name for feature, value in zip(inputs, here, strict=True) if not np.isfinite(value)
        ]
        reason = f"{', '.join(missing)} could not be measured" if missing else "the law has no value there"
        return CellReasons("", "", score, inequality, (), None, (), 0.0, f"This cell has no class: {reason}.")
    positive = score >= 0
    median = np.median(usual, axis=0) if len(usual) else here
    terms = _terms(simplest, here, median, in_formula, inputs, usual, digits)
    flips = smallest_flips(law, laws, row, cells, classes, by_name, words or {})
    scores = simplest.expression.evaluate(usual)
    score_here = float(simplest.expression.evaluate(here[None])[0])
    finite = np.isfinite(scores)
    # The cell itself can be among the labelled cells, with a score from another batch that was rounded differently.
    limit = (1 - ROUNDING) * abs(score_here)
    nearer = float(np.mean(np.abs(scores[finite]) < limit)) if finite.any() else 0.0
    predicted, other = (classes[1], classes[0]) if positive else classes
    decisive = _decisive(terms, simplest, positive)
    reasons = CellReasons(predicted, other, score, inequality, terms, decisive, flips, nearer, "")
    boundary = "the boundary" if laws is None else f"the boundary between {predicted} and {other}"
    return replace(reasons, text=_text(reasons, len(usual), boundary))


def _in_formula(word: str) -> str:
    """Return a name as one word, as "size 2" would be a product in a formula."""
    return word.replace(",", "").replace("-", "_").replace(" ", "_")


def _terms(
    simplest: Inequality,
    here: np.ndarray,
    median: np.ndarray,
    names: Mapping[str, str],
    inputs: Sequence[Feature],
    usual: np.ndarray,
    digits: int,
) -> tuple[TermValue, ...]:
    """Return the terms of an inequality, or the inequalities that are joined by "and" or "or"."""
    rows = np.stack([here, median])
    sign = 1 if simplest.at_least else -1
    word, parts = simplest.parts
    if word:
        inequalities = []
        for part in parts:
            values = part.expression.evaluate(rows)
            shown = Inequality(rename(part.left, names), part.threshold, part.at_least)
            spread = _spread(part.expression.evaluate(usual))
            inequalities.append(
                TermValue(shown.text(digits), float(values[0]), float(values[1]), spread=spread)
            )
        return tuple(inequalities)
    terms = []
    for term in additive_terms(Law(simplest.left, ())):
        first, second = map(float, term.values(rows))
        text = _rounded(Term(term.sign, rename(term.expression, names)), digits)
        columns = {node.column for node in term.expression.nodes() if isinstance(node, Variable)}
        readings = ""
        if len(columns) == 1:
            (column,) = columns
            readings = _readings(inputs[column], float(here[column]), float(median[column]))
        terms.append(TermValue(text, first, second, sign, readings))
    return tuple(terms)


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation of the finite values; 1 if they do not vary."""
    finite = values[np.isfinite(values)]
    return float(finite.std()) or 1.0 if len(finite) else 1.0


def _readings(feature: Feature, here: float, median: float) -> str:
    unit = f" {feature.unit}" if feature.unit else ""
    values = f"{significant(here)}{unit} here and {significant(median)}{unit} in the median cell"
    return f"{feature.name}, {values}"


def _rounded(term: Term, digits: int) -> str:
    values = [float(f"{value:.{digits}g}") for value in term.expression.constants()]
    text = term.expression.with_constants(values).text()
    return text if term.sign > 0 else f"-{text}"  # a term is never a sum, so it needs no brackets


def _decisive(terms: Sequence[TermValue], simplest: Inequality, positive: bool) -> TermValue | None:
    """Return the term that favours the predicted class most."""
    if not terms:
        return None
    word, _ = simplest.parts
    if word:
        # With "and", the decisive inequality is one that fails, or the one that holds most narrowly; reversed for "or".
        return (min if word == "and" else max)(terms, key=lambda term: term.value / term.spread)
    best = max(terms, key=lambda term: term.push if positive else -term.push)
    return best if (best.push if positive else -best.push) > 0 else None


def _text(reasons: CellReasons, cells: int, boundary: str) -> str:
    sentences = [f"Predicted class: {reasons.predicted}."]
    term = reasons.decisive
    if term is not None and (">=" in term.text or "<=" in term.text):
        sentences.append(f"Decisive: {term.text} {'holds' if term.value >= 0 else 'does not hold'}.")
    elif term is not None and term.readings:
        sentences.append(f"Decisive: {term.readings}.")
    elif term is not None:
        values = f"{significant(term.value)} here and {significant(term.typical)} in the median cell"
        sentences.append(f"Decisive: {term.text}, which is {values}.")
    if reasons.flips:
        parts, named = [], ""
        for flip in reasons.flips[:SHOWN_FLIPS]:
            parts.append(flip.text if flip.becomes == named else f"{flip.becomes} with {flip.text}")
            named = flip.becomes
        sentences.append(f"It would be called {', or '.join(parts)}, all other inputs unchanged.")
        smallest = reasons.flips[0].deviations
        place = "near the boundary" if smallest < NEAR else "clear of the boundary"
        sentences.append(
            f"The cell is {place}: the smallest such change is {number(smallest, 1)} standard deviations of the "
            "labelled cells."
        )
    elif cells:
        sentences.append(
            f"Changing any single input to {2 * GRID} values over the range of "
            f"{percent(QUANTILES[1] - QUANTILES[0], 0)} of the labelled cells does not change its class."
        )
    if cells:
        sentences.append(
            f"By the value of the law, {percent(reasons.nearer, 0)} of the labelled cells are closer to {boundary}."
        )
    return " ".join(sentences)
