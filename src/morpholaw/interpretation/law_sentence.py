"""Description of a law in words and units: the effect of each input, and the value at which the class changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.shape_features import Feature
from morpholaw.display import MINUS, listed, significant
from morpholaw.interpretation.latent_names import COMPARATIVES, split_sign
from morpholaw.interpretation.mixed_inputs import Shares, effects_text, shares_of_effects
from morpholaw.interpretation.monotone import directions
from morpholaw.models.expressions import boundary_form, first_number_of_digits
from morpholaw.models.features import FeatureTable, latent_feature
from morpholaw.models.law import Law

QUANTILES = (0.005, 0.995)
"""Quantiles of the cells that limit the range to which statements about a law refer."""
STEPS = 60
GRID = 2001
"""Number of values of an input, over the range of the cells, at which the class is evaluated."""


@dataclass(frozen=True)
class Push:
    """Effect of one input of a law.

    Attributes
    ----------
    feature : Feature
        The input.
    direction : int
        +1 if larger values favour the positive class, -1 if smaller values do, 0 if either can.
    threshold : float or None
        Value at which the class changes with all other inputs at their median, in the unit of the input; None if there
        is none within the range of the cells.
    """

    feature: Feature
    direction: int
    threshold: float | None


@dataclass(frozen=True)
class LawSentence:
    """Description of a law.

    Attributes
    ----------
    pushes : tuple of Push
        Effect of each input, in the order of the law.
    inequality : str
        The simplest inequality that holds for the positive class, in units. Its constants have as many digits as
        needed to classify all cells like the law.
    text : str
        The description, in two or three sentences.
    """

    pushes: tuple[Push, ...]
    inequality: str
    text: str

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Names of the inputs that the description mentions, which are all that matter."""
        return tuple(push.feature.name for push in self.pushes)


def law_sentence(
    law: Law,
    cells: FeatureTable,
    classes: tuple[str, str],
    features: Sequence[Feature] = (),
    words: Mapping[str, str] | None = None,
    of_pair: bool = False,
) -> LawSentence:
    """Describe a law in words.

    Parameters
    ----------
    law : Law
        The law, over inputs in units.
    cells : FeatureTable
        Inputs of cells, in units. Statements refer to their range and median.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.
    features : sequence of Feature
        The shapes among the inputs; all others are latents.
    words : mapping, optional
        Names of latents, with a minus sign if the latent decreases with what the name says, e.g. ``{"z1": "−size"}``.
    of_pair : bool
        Whether the law compares two classes among more, so that a cell may be called neither.

    Returns
    -------
    LawSentence
        The description, the simplest inequality, and the effect of each input.
    """
    simplest = boundary_form(law.expression)
    used = simplest.left.variables()
    values = np.asarray(cells.select(used), dtype=np.float64)
    values = values[np.isfinite(values).all(axis=1)]
    by_name = {feature.name: feature for feature in features}
    if not used or not len(values):
        number = _constant_class(law)
        rather = f" rather than {classes[1 - number]}" if of_pair else ""
        return LawSentence(
            (), inequality_text(law, cells), f"Every cell is called {classes[number]}{rather}."
        )
    predicted = law.predict(cells)
    if len(called := np.unique(predicted[predicted >= 0])) == 1:
        rather = f" rather than {classes[1 - called[0]]}" if of_pair else ""
        text = (
            f"All labelled cells are called {classes[called[0]]}{rather}: none reaches the value at which the class "
            "changes."
        )
        return LawSentence((), inequality_text(law, cells), text)
    low, high = np.quantile(values, QUANTILES, axis=0)
    ranges = {name: (float(a), float(b)) for name, a, b in zip(used, low, high, strict=True)}
    proved = directions(simplest.expression, ranges)
    median = dict(zip(used, np.median(values, axis=0), strict=True))
    pushes = tuple(
        Push(
            by_name.get(name) or named_input(name, (words or {}).get(name, "")),
            proved[name],
            _threshold(law, name, ranges[name], median) if proved[name] else None,
        )
        for name in used
    )
    limits, mixed = [], []
    alone = values[:, 0] if len(used) == 1 else np.array([])
    for push, name in zip(pushes, used, strict=True):
        word = (words or {}).get(name, "")
        if push.direction:
            limits.append("" if push.threshold is None else _limit(push, word, alone))
        else:
            limits.append(_limits(law, push.feature, ranges[name], median, word, alone))
            title, sign = _name_and_sign(push.feature, word)
            shares = shares_of_effects(law, cells, name, ranges[name])
            mixed.append((title, shares if sign > 0 else Shares(shares.lowers, shares.raises)))
    text = _text(pushes, list(filter(None, limits)), effects_text(mixed, classes), classes, of_pair)
    return LawSentence(pushes, inequality_text(law, cells), text)


def inequality_text(law: Law, cells: FeatureTable) -> str:
    """Return the simplest inequality of a law, with as many digits as needed to classify some cells like the law.

    Parameters
    ----------
    law : Law
        The law, over inputs in units.
    cells : FeatureTable
        Inputs of the cells, in units.
    """
    simplest, scores = boundary_form(law.expression), law.score(cells)
    known = np.isfinite(scores)
    return simplest.text(simplest.digits_needed(cells.select(law.names)[known], scores[known] >= 0))


def _constant_class(law: Law) -> int:
    return int(_score(law, (), np.zeros(0)) >= 0)


def named_input(name: str, word: str) -> Feature:
    """Return a latent as a feature, with descriptions of larger and smaller values."""
    feature = latent_feature(int(name[1:]))
    plain, sign = split_sign(word) if word else ("", 1)
    if not plain:
        return Feature(
            name, "", feature.meaning, "latent", "cell", f"with a higher {name}", f"with a lower {name}"
        )
    symbol = f"({MINUS if sign < 0 else ''}{name})"
    more, less = (
        f"{one} {symbol}" for one in COMPARATIVES.get(plain, (f"with more {plain}", f"with less {plain}"))
    )
    return Feature(
        name, "", feature.meaning, "latent", "cell", more if sign > 0 else less, less if sign > 0 else more
    )


def _threshold(law: Law, name: str, limits: tuple[float, float], median: Mapping[str, float]) -> float | None:
    """Return the value of a monotone input at which the class changes, with all others at their median."""
    low, high = limits
    names = tuple(median)
    row = np.array([median[one] for one in names])

    def positive(value: float) -> bool | None:
        row[names.index(name)] = value
        score = _score(law, names, row)
        return None if not np.isfinite(score) else bool(score >= 0)

    first, last = positive(low), positive(high)
    if first is None or last is None or first == last:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        if positive(middle) == first:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _limits(
    law: Law,
    feature: Feature,
    limits: tuple[float, float],
    median: Mapping[str, float],
    word: str,
    values: np.ndarray,
) -> str:
    """Return for which values of an input the class is positive, with all others at their median.

    The result is "" if the class does not change.
    """
    row = np.array([median.get(name, 0.0) for name in law.names])

    def is_positive(values: np.ndarray) -> np.ndarray:
        rows = np.tile(row, (len(values), 1))
        rows[:, law.names.index(feature.name)] = values
        return np.asarray(law.predict(FeatureTable(rows, law.names)) == 1)

    grid = np.linspace(*limits, GRID)
    positive = is_positive(grid)
    turns = np.flatnonzero(positive[1:] != positive[:-1])
    if not len(turns):
        return ""
    name, sign = _name_and_sign(feature, word)
    before, after = grid[turns], grid[turns + 1]
    for _ in range(STEPS):
        middle = (before + after) / 2
        as_before = is_positive(middle) == positive[turns]
        before, after = np.where(as_before, middle, before), np.where(as_before, after, middle)
    digits = _digits(after, values)
    edges = [None, *(after * sign).tolist(), None]
    first = 0 if positive[0] else 1
    stretches = [tuple(edges[k : k + 2]) for k in range(first, len(edges) - 1, 2)]
    if sign < 0:
        stretches = [(low, high) for high, low in reversed(stretches)]
    unit = f" {feature.unit}" if feature.unit else ""
    return f"{name} is {' or '.join(_between(low, high, digits) + unit for low, high in stretches)}"


def _between(low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return (
            f"above {significant(low, digits)}"
            if low is not None
            else f"below {significant(high or 0.0, digits)}"
        )
    return f"between {significant(low, digits)} and {significant(high, digits)}"


def _digits(edges: np.ndarray, values: np.ndarray) -> int:
    """Return the number of digits with which limits divide the values of cells as the exact ones do."""
    exact = np.searchsorted(edges, values)

    def is_enough(digits: int) -> bool:
        rounded = [float(f"{edge:.{digits}g}") for edge in edges]
        return np.array_equal(np.searchsorted(rounded, values), exact)

    return first_number_of_digits(is_enough)


def _score(law: Law, names: Sequence[str], row: np.ndarray) -> float:
    """Return the score of one row; unused inputs are 0."""
    values = np.zeros((1, len(law.names)))
    for name, value in zip(names, row, strict=True):
        values[0, law.names.index(name)] = value
    return float(law.score(FeatureTable(values, law.names))[0])


def _text(
    pushes: Sequence[Push], limits: Sequence[str], effects: str, classes: tuple[str, str], of_pair: bool
) -> str:
    negative, positive = classes
    called = f"{positive} rather than {negative}" if of_pair else positive
    clear = [push for push in pushes if push.direction]
    sentences = []
    if clear:
        sentences.append(f"Called {positive} rather than {negative}: nuclei{described(clear)}.")
    if limits:
        subject = "With all other inputs at their median, cells are" if len(pushes) > 1 else "Cells are"
        sentences.append(f"{subject} called {called} if {' or '.join(limits)}.")
    if effects and not (limits and len(pushes) == 1):  # the limits of a single input say it all
        sentences.append(effects)
    return " ".join(sentences)


def _kind(push: Push) -> str:
    feature = push.feature
    return (feature.more if push.direction > 0 else feature.less) or feature.name


def described(pushes: Sequence[Push]) -> str:
    """Return a description of nuclei such as " that are narrower and grainier, with a higher z2"."""
    kinds = [_kind(push) for push in pushes]
    having = [kind.removeprefix("with ") for kind in kinds if kind.startswith("with ")]
    being = [kind for kind in kinds if not kind.startswith("with ")]
    text = f" that are {listed(being)}" if being else ""
    return text + (f"{',' if being else ''} with {listed(having)}" if having else "")


def _limit(push: Push, word: str, values: np.ndarray) -> str:
    """Return the values of an input for which the class is predicted, such as "width below 9 µm"."""
    assert push.threshold is not None
    name, sign = _name_and_sign(push.feature, word)
    threshold, direction = sign * push.threshold, sign * push.direction
    digits = _digits(np.array([push.threshold]), values)
    unit = f" {push.feature.unit}" if push.feature.unit else ""
    return f"{name} is {'above' if direction > 0 else 'below'} {significant(threshold, digits)}{unit}"


def _name_and_sign(feature: Feature, word: str) -> tuple[str, int]:
    """Return what an input is called, such as "size (−z1)", and whether it decreases with the values of the input."""
    if not word:
        return feature.name, 1
    plain, sign = split_sign(word)
    return f"{plain} ({MINUS if sign < 0 else ''}{feature.name})", sign
