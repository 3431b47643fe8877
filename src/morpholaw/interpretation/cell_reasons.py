"""Why a law calls one cell what it does: its terms, which of them decides, and what would change the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from morpholaw.cells.shape_features import Feature
from morpholaw.display import MINUS, number, percent, significant
from morpholaw.errors import InputError
from morpholaw.interpretation.components import Term, additive_terms
from morpholaw.interpretation.law_sentence import QUANTILES, STEPS
from morpholaw.interpretation.oriented_law import law_in_words, rename
from morpholaw.models.expressions import Inequality, Variable, boundary_form
from morpholaw.models.features import FeatureTable, latent_feature
from morpholaw.models.law import Law

GRID = 200
"""Values of an input, on each side of the cell's own, at which a change of class is looked for."""
SHOWN_FLIPS = 2
"""Changes of one input that the text names."""
ROUNDING = 1e-4
"""Share of a score that batches of other sizes may change."""
NEAR = 0.5
"""A cell is near the boundary if so many standard deviations of one input change its class."""


@dataclass(frozen=True)
class TermValue:
    """One term of a law in one cell.

    Attributes
    ----------
    text : str
        The term, with names; a part of "and" and "or" is an inequality.
    value : float
        Its value in the cell.
    typical : float
        The same in the median cell.
    sign : int
        +1 where more of it speaks for the second class, -1 where it speaks for the first.
    readings : str
        Of a term of one input, that input in the cell and in the median cell: "width, 8.4 µm here and 12 µm in the
        median cell".
    """

    text: str
    value: float
    typical: float
    sign: int = 1
    readings: str = ""

    @property
    def push(self) -> float:
        """How much more it speaks for the second class here than in the median cell; below 0 for the first."""
        return self.sign * (self.value - self.typical)


@dataclass(frozen=True)
class Flip:
    """The smallest change of one input that changes the class, all others unchanged.

    Attributes
    ----------
    feature : Feature
        The input.
    value, at : float
        Its value in the cell, and where the class changes, in units.
    deviations : float
        The distance between the two, in standard deviations of the labelled cells.
    until : float or None
        Where, beyond ``at``, the cell's own class comes back within the range of the cells; None where it does not.
    """

    feature: Feature
    value: float
    at: float
    deviations: float
    until: float | None = None

    @property
    def text(self) -> str:
        """Such as "width above 11.2 µm (8.4 µm here)", or "width from 11.2 to 13 µm (8.4 µm here)"."""
        unit = f" {self.feature.unit}" if self.feature.unit else ""
        shown = [self.at, self.value] if self.until is None else [self.at, self.value, self.until]
        texts = _told_apart(shown)
        if self.until is not None:
            first, last = (texts[0], texts[2]) if self.at < self.until else (texts[2], texts[0])
            return f"{self.feature.name} from {first} to {last}{unit} ({texts[1]}{unit} here)"
        side = "above" if self.at > self.value else "below"
        return f"{self.feature.name} {side} {texts[0]}{unit} ({texts[1]}{unit} here)"


@dataclass(frozen=True)
class CellReasons:
    """Why a cell is called what it is.

    Attributes
    ----------
    predicted, other : str
        Its class, and the class that it would have on the other side; "" where the law has no value.
    score : float
        The score f.
    inequality : str
        The simplest inequality that holds for the second class.
    terms : tuple of TermValue
        The terms of that inequality.
    decisive : TermValue or None
        The one that speaks most for the class, compared with the median cell.
    flips : tuple of Flip
        The smallest change of each input that changes the class, the smallest first.
    nearer : float
        Share of the labelled cells that are nearer to the boundary, in [0, 1].
    text : str
        All this in a few sentences.
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
) -> CellReasons:
    """Say why a law calls a cell what it does.

    Parameters
    ----------
    law : Law
        Over inputs in units.
    row : ndarray, float64 (columns,)
        The inputs of the cell, in the columns of ``cells``.
    cells : FeatureTable
        Inputs of labelled cells, in units: what is usual.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.
    features : sequence of Feature
        The shapes among the inputs; others are latents.
    words : mapping, optional
        Names of latents, with a minus sign where more of the latent is less of it.

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
    known = {feature.name: feature for feature in features}
    inputs = [
        known.get(name) or _latent(name, names.get(name, ""), sign)
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
        missing = [one.name for one, value in zip(inputs, here, strict=True) if not np.isfinite(value)]
        reason = f"{', '.join(missing)} could not be measured" if missing else "the law has no value there"
        return CellReasons("", "", score, inequality, (), None, (), 0.0, f"This cell has no class: {reason}.")
    positive = score >= 0
    median = np.median(usual, axis=0) if len(usual) else here
    terms = _terms(simplest, here, median, in_formula, inputs)
    flips = _flips(law_of_used, here, usual, inputs)
    scores = simplest.expression.evaluate(usual)
    own = float(simplest.expression.evaluate(here[None])[0])
    same = np.isfinite(scores)
    # The cell itself may be among them, encoded in another batch, which rounds otherwise.
    nearer = float(np.mean(np.abs(scores[same]) < (1 - ROUNDING) * abs(own))) if same.any() else 0.0
    predicted, other = (classes[1], classes[0]) if positive else classes
    decisive = _decisive(terms, simplest, positive)
    reasons = CellReasons(predicted, other, score, inequality, terms, decisive, flips, nearer, "")
    return replace(reasons, text=_text(reasons, len(usual)))


def _in_formula(word: str) -> str:
    """Return a name as one word: "size 2" would read as a product."""
    return word.replace(",", "").replace("-", "_").replace(" ", "_")


def _latent(name: str, word: str, sign: float) -> Feature:
    feature = latent_feature(int(name[1:]))
    if not word:
        return feature
    number = f"{MINUS}{name}" if sign < 0 else name
    return Feature(f"{word} ({number})", "", feature.meaning, "latent")


def _terms(
    simplest: Inequality,
    here: np.ndarray,
    median: np.ndarray,
    names: Mapping[str, str],
    inputs: Sequence[Feature],
) -> tuple[TermValue, ...]:
    """Return the terms of an inequality, or the inequalities that "and" and "or" join."""
    rows = np.stack([here, median])
    sign = 1 if simplest.at_least else -1
    word, parts = simplest.parts
    if word:
        found = []
        for part in parts:
            values = part.expression.evaluate(rows)
            shown = Inequality(rename(part.left, names), part.threshold, part.at_least)
            found.append(TermValue(shown.text(), float(values[0]), float(values[1])))
        return tuple(found)
    terms = []
    for term in additive_terms(Law(simplest.left, ())):
        first, second = map(float, term.values(rows))
        text = _rounded(Term(term.sign, rename(term.expression, names)))
        columns = {node.column for node in term.expression.nodes() if isinstance(node, Variable)}
        readings = ""
        if len(columns) == 1:
            (column,) = columns
            readings = _readings(inputs[column], float(here[column]), float(median[column]))
        terms.append(TermValue(text, first, second, sign, readings))
    return tuple(terms)


def _readings(feature: Feature, here: float, median: float) -> str:
    unit = f" {feature.unit}" if feature.unit else ""
    values = f"{significant(here)}{unit} here and {significant(median)}{unit} in the median cell"
    return f"{feature.name}, {values}"


def _rounded(term: Term) -> str:
    values = [float(f"{value:.3g}") for value in term.expression.constants()]
    text = term.expression.with_constants(values).text()
    return text if term.sign > 0 else f"-{text}"  # a term is no sum, so that the sign is its own


def _decisive(terms: Sequence[TermValue], simplest: Inequality, positive: bool) -> TermValue | None:
    """Return the term that speaks most for the class."""
    if not terms:
        return None
    word, _ = simplest.parts
    if word:
        # Joined by "and", an inequality that fails decides, else the one that holds most narrowly; by "or" the reverse.
        return (min if word == "and" else max)(terms, key=lambda term: term.value)
    best = max(terms, key=lambda term: term.push if positive else -term.push)
    return best if (best.push if positive else -best.push) > 0 else None


def _flips(law: Law, here: np.ndarray, usual: np.ndarray, inputs: Sequence[Feature]) -> tuple[Flip, ...]:
    if not len(usual):
        return ()
    low, high = np.quantile(usual, QUANTILES, axis=0)
    spread = np.where((s := usual.std(axis=0)) > 0, s, 1.0)
    found = []
    for k, feature in enumerate(inputs):
        change = _nearest_change(law, here, k, min(low[k], here[k]), max(high[k], here[k]))
        if change is not None:
            at, until = change
            deviations = abs(at - float(here[k])) / float(spread[k])
            found.append(Flip(feature, float(here[k]), at, deviations, until))
    return tuple(sorted(found, key=lambda flip: flip.deviations))


def _nearest_change(
    law: Law, here: np.ndarray, k: int, low: float, high: float
) -> tuple[float, float | None] | None:
    """Return the value of input ``k`` nearest to the cell's, between ``low`` and ``high``, where the class changes.

    The second is the value beyond it up to which the class is another one; None where it stays so up to the end.
    """

    def positive(values: np.ndarray) -> np.ndarray:
        rows = np.tile(here, (len(values), 1))
        rows[:, k] = values
        scores = law.score(FeatureTable(rows, law.names))
        return np.where(np.isfinite(scores), scores >= 0, np.nan)

    own = positive(here[k : k + 1])[0]
    best: tuple[float, float | None] | None = None
    for end in (low, high):
        values = np.linspace(here[k], end, GRID)
        other = positive(values) == 1 - own
        changed = np.flatnonzero(other)
        if not len(changed):
            continue
        back = np.flatnonzero(~other[changed[0] :])
        until = float(values[changed[0] + back[0] - 1]) if len(back) else None
        inside, outside = values[changed[0] - 1], values[changed[0]]
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            if positive(np.array([middle]))[0] == 1 - own:  # not where the law has no value
                outside = middle
            else:
                inside = middle
        if best is None or abs(outside - here[k]) < abs(best[0] - here[k]):
            best = float(outside), until
    return best


def _told_apart(values: Sequence[float]) -> list[str]:
    """Return numbers with three significant digits, or as many more as it takes to tell them apart."""
    for digits in range(3, 8):
        texts = [significant(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _text(reasons: CellReasons, cells: int) -> str:
    sentences = [f"Called {reasons.predicted}."]
    one = reasons.decisive
    if one is not None and (">=" in one.text or "<=" in one.text):
        sentences.append(f"What decides: {one.text} {'holds' if one.value >= 0 else 'does not hold'}.")
    elif one is not None and one.readings:
        sentences.append(f"What decides: {one.readings}.")
    elif one is not None:
        values = f"{significant(one.value)} here and {significant(one.typical)} in the median cell"
        sentences.append(f"What decides: {one.text}, which is {values}.")
    if reasons.flips:
        near = reasons.flips[:SHOWN_FLIPS]
        limits = ", or ".join(flip.text for flip in near)
        sentences.append(f"It would be called {reasons.other} with {limits}, all other inputs unchanged.")
        first = reasons.flips[0].deviations
        how = "near the boundary" if first < NEAR else "clear of the boundary"
        sentences.append(
            f"It is {how}: the smallest such change is {number(first, 1)} standard deviations of the labelled "
            "cells."
        )
    elif cells:
        sentences.append(
            f"It would be called {reasons.other} at none of {2 * GRID} values tried of any single input, over the "
            f"range of {percent(QUANTILES[1] - QUANTILES[0], 0)} of the labelled cells."
        )
    if cells:
        sentences.append(f"{percent(reasons.nearer, 0)} of the labelled cells are nearer to the boundary.")
    return " ".join(sentences)
