"""Description of the law of one class among several, in words and units.

The law of one class means nothing on its own, as its value is compared with those of the other laws. An input is said
to favour a class if this is proved against every other class. Limits refer to a typical cell, whose inputs are changed
one at a time until another law is the largest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.shape_features import Feature
from morpholaw.display import MINUS, percent, significant
from morpholaw.interpretation.input_slice import rows_along
from morpholaw.interpretation.latent_names import split_sign
from morpholaw.interpretation.law_sentence import QUANTILES, Push, described, inequality_text, named_input
from morpholaw.interpretation.monotone import directions
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import boundary_form
from morpholaw.models.features import FeatureTable

STEPS = 2001
"""Number of values of an input, over the range of the cells, at which the class is evaluated."""
STATED = 3
"""Maximum number of inputs whose limits are stated, those with the narrowest limits."""
NO_CLASS = "no class"
"""Name of the class where a law has no finite value."""


@dataclass(frozen=True)
class Room:
    """Range in which one input of a cell can change without a change of class, with all other inputs fixed.

    Attributes
    ----------
    feature : Feature
        The input.
    low, high : float or None
        Values at which the class changes, in the unit of the input; None if it does not within the range of the cells.
    below, above : tuple of str
        The classes below and above these values, nearest first; empty if the class does not change.
    share : float
        Width of the range as a share of the range of the cells.
    """

    feature: Feature
    low: float | None
    high: float | None
    below: tuple[str, ...]
    above: tuple[str, ...]
    share: float

    def text(self, word: str = "") -> str:
        """Return "area between 60 and 310 µm² (apoptosis below, interphase above)".

        Parameters
        ----------
        word : str
            Name of a latent, with a minus sign if the latent decreases with what the name says.
        """
        plain, sign = split_sign(word) if word else ("", 1)
        low, high = self.low, self.high
        below, above = (", then ".join(classes) for classes in (self.below, self.above))
        if sign < 0:
            low, high = (None if one is None else -one for one in (high, low))
            below, above = above, below
        name = f"{plain} ({MINUS if sign < 0 else ''}{self.feature.name})" if plain else self.feature.name
        unit = f" {self.feature.unit}" if self.feature.unit else ""
        if low is not None and high is not None:
            limits = f"between {significant(low)} and {significant(high)}{unit}"
            beyond = f"{below} on either side" if below == above else f"{below} below, {above} above"
            return f"{name} {limits} ({beyond})"
        if low is not None:
            return f"{name} above {significant(low)}{unit} (else {below})"
        return f"{name} below {significant(high)}{unit} (else {above})" if high is not None else f"any {name}"


@dataclass(frozen=True)
class ClassSentence:
    """Description of the law of one class among several.

    Attributes
    ----------
    pushes : tuple of Push
        Inputs that favour or disfavour the class, regardless of the other inputs and against every other class. This
        is proved over the range of the cells. They have no threshold.
    rooms : tuple of Room
        Range of each input of the typical cell, narrowest first.
    typical : int or None
        Row of the typical cell, which is the correctly classified cell closest to the median of its class.
    inequality : str
        The inequalities that hold if the law is the largest, in units.
    text : str
        The description, in two or three sentences.
    """

    pushes: tuple[Push, ...]
    rooms: tuple[Room, ...]
    typical: int | None
    inequality: str
    text: str

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Names of the inputs that the description mentions."""
        always = [push.feature.name for push in self.pushes]
        return tuple(dict.fromkeys([*always, *(room.feature.name for room in _stated(self.rooms))]))


def class_sentence(
    laws: ClassLaws,
    name: str,
    cells: FeatureTable,
    labels: np.ndarray,
    features: Sequence[Feature] = (),
    words: Mapping[str, str] | None = None,
) -> ClassSentence:
    """Describe the law of one class.

    Parameters
    ----------
    laws : ClassLaws
        Laws over inputs in units.
    name : str
        The class.
    cells : FeatureTable
        Inputs of cells, in units. Statements refer to their range.
    labels : ndarray, str (n,)
        Classes of these cells.
    features : sequence of Feature
        The shapes among the inputs; all others are latents.
    words : mapping, optional
        Names of latents, with a minus sign if the latent decreases with what the name says, e.g. ``{"z1": "−size"}``.

    Returns
    -------
    ClassSentence
        The description and its parts.
    """
    lead = laws.against_the_rest(name)
    used, words = lead.expression.variables(), words or {}
    by_name = {feature.name: feature for feature in features}
    inputs = {
        variable: by_name.get(variable) or named_input(variable, words.get(variable, "")) for variable in used
    }
    ranges = input_ranges(cells, used)
    pushes = tuple(
        Push(inputs[variable], direction, None)
        for variable, direction in directions_against_all(laws, name, ranges).items()
    )
    of_class = np.flatnonzero(labels == name)
    number, predicted = laws.classes.index(name), laws.predict(cells)
    correct = of_class[predicted[of_class] == number]
    typical = _nearest_to_median(cells.select(used), of_class, correct)
    rooms: tuple[Room, ...] = ()
    if typical is not None:
        row = cells.select(used)[typical]
        unsorted = [_room(laws, name, row, used, inputs[variable], ranges[variable]) for variable in used]
        rooms = tuple(sorted(unsorted, key=lambda room: room.share))
    text = _text(name, pushes, rooms, words, None if typical is None else len(correct), len(of_class))
    return ClassSentence(pushes, rooms, typical, inequality_text(lead, cells), text)


def input_ranges(cells: FeatureTable, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the range of each input over the cells; inputs that do not vary get a range of width 1."""
    ranges = {}
    for name in names:
        values = cells.select([name])[:, 0]
        values = values[np.isfinite(values)]
        low, high = np.quantile(values, QUANTILES) if len(values) else (0.0, 0.0)
        ranges[name] = (float(low), float(high)) if low < high else (float(low) - 0.5, float(low) + 0.5)
    return ranges


def directions_against_all(
    laws: ClassLaws, name: str, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, int]:
    """Return +1 or -1 for each input that favours, or disfavours, a class against every other class.

    Parameters
    ----------
    laws : ClassLaws
        Laws over inputs in units.
    name : str
        The class.
    ranges : mapping
        Range of each input, over which directions are proved.

    Returns
    -------
    dict of str to int
        Inputs without a proved direction against every other class are left out.
    """
    signs: dict[str, set[int]] = {}
    for other in laws.classes:
        if other == name:
            continue
        simplest = boundary_form(laws.against(name, other).expression)
        variables = simplest.left.variables()
        proved = directions(simplest.expression, {variable: ranges[variable] for variable in variables})
        for variable in variables:
            signs.setdefault(variable, set()).add(proved[variable])
    return {
        variable: signs[variable].pop()
        for variable in laws.laws[name].expression.variables()
        if variable in signs and signs[variable] in ({1}, {-1})
    }


def _nearest_to_median(values: np.ndarray, of_class: np.ndarray, correct: np.ndarray) -> int | None:
    """Return the row among ``correct`` that is closest to the median of the rows ``of_class``; None if empty."""
    correct = correct[np.isfinite(values[correct]).all(axis=1)]
    if not len(correct):
        return None
    spread = np.nanstd(values, axis=0)
    median = np.nanmedian(values[of_class], axis=0)
    distance = np.abs(values[correct] - median) / np.where(spread > 0, spread, 1.0)
    return int(correct[np.argmin(distance.sum(axis=1))])


def _room(
    laws: ClassLaws,
    name: str,
    row: np.ndarray,
    used: Sequence[str],
    feature: Feature,
    limits: tuple[float, float],
) -> Room:
    """Return the range in which one input of a row (inputs,) can change without a change of class."""
    place = list(used).index(feature.name)
    low, high = min(limits[0], row[place]), max(limits[1], row[place])
    grid = np.sort(np.r_[np.linspace(low, high, STEPS), row[place]])
    cell = dict.fromkeys(laws.names, 0.0) | dict(zip(used, row.tolist(), strict=True))
    predicted = laws.predict(rows_along(cell, {feature.name: grid}))
    here = int(np.searchsorted(grid, row[place]))
    other = np.flatnonzero(predicted != laws.classes.index(name))
    before, after = other[other < here], other[other > here]

    first = before[-1] + 1 if len(before) else 0
    last = after[0] - 1 if len(after) else len(grid) - 1
    return Room(
        feature,
        float(grid[first]) if len(before) else None,
        float(grid[last]) if len(after) else None,
        _in_order(laws, predicted[:first][::-1]),
        _in_order(laws, predicted[last + 1 :]),
        float((grid[last] - grid[first]) / (high - low)),
    )


def _in_order(laws: ClassLaws, numbers: np.ndarray) -> tuple[str, ...]:
    """Return the names of successive classes, without repetitions."""
    changed = np.append(True, numbers[1:] != numbers[:-1]) if len(numbers) else np.zeros(0, bool)
    return tuple(laws.classes[number] if number >= 0 else NO_CLASS for number in numbers[changed].tolist())


def _stated(rooms: Sequence[Room]) -> list[Room]:
    """Return the ranges whose limits are stated."""
    return [room for room in rooms if room.low is not None or room.high is not None][:STATED]


def _text(
    name: str,
    pushes: Sequence[Push],
    rooms: Sequence[Room],
    words: Mapping[str, str],
    correct: int | None,
    cells: int,
) -> str:
    sentences = []
    if pushes:
        sentences.append(f"More likely {name}, whatever the other inputs are: nuclei{described(pushes)}.")
    stated = _stated(rooms)
    if not cells:
        sentences.append(f"No labelled cell is {name}.")
    elif correct is None:
        sentences.append(f"None of the {cells:,} labelled cells of {name} is classified correctly.")
    elif stated:
        limits = [room.text(words.get(room.feature.name, "")) for room in stated]
        sentences.append(
            f"A typical {name} cell, changed in one input at a time, stays {name} with {'; '.join(limits)}."
        )
    else:
        within = f"within the range of {percent(QUANTILES[1] - QUANTILES[0], 0)} of the labelled cells"
        sentences.append(f"No single input, {within}, changes the class of a typical {name} cell.")
    return " ".join(sentences)
