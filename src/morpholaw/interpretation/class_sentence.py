"""The law of one class among several, in words and units: what always speaks for it, and how far a typical cell may go.

A law of one of several classes says nothing by itself: its value counts against those of the other laws. So an input is
said to speak for a class where that is proved against every other class; and limits are those of a cell, whose inputs
are changed one at a time until the largest law is another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.shape_features import Feature
from morpholaw.display import MINUS, significant
from morpholaw.interpretation.input_slice import rows_along
from morpholaw.interpretation.latent_names import split_sign
from morpholaw.interpretation.law_sentence import QUANTILES, Push, described, inequality_text, named_input
from morpholaw.interpretation.monotone import directions
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import boundary_form
from morpholaw.models.features import FeatureTable

STEPS = 2001
"""Values of an input at which the class is looked at, over the range of the cells."""
STATED = 3
"""Inputs whose limits are stated, at most: those that leave a typical cell the least room."""
NO_CLASS = "no class"
"""What is called where a law has no finite value."""


@dataclass(frozen=True)
class Room:
    """How far one input of a cell may change while its class stays, all others as they are.

    Attributes
    ----------
    feature : Feature
        The input.
    low, high : float or None
        Where the class changes, in units; None where it stays to the end of the range of the cells.
    below, above : str
        The class beyond; "" where it stays.
    share : float
        Share of the range of the cells in which the class stays.
    """

    feature: Feature
    low: float | None
    high: float | None
    below: str
    above: str
    share: float

    def text(self, word: str = "") -> str:
        """Return "area between 60 and 310 µm² (apoptosis below, interphase above)".

        Parameters
        ----------
        word : str
            The name of a latent, with a minus sign where more of the latent is less of it.
        """
        plain, sign = split_sign(word) if word else ("", 1)
        low, high, below, above = self.low, self.high, self.below, self.above
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
    """The law of one class among several, in words.

    Attributes
    ----------
    pushes : tuple of Push
        Inputs of its law that speak for the class, or against it, whatever the other inputs and whichever the other
        class: proved over the range of the cells. They have no threshold.
    rooms : tuple of Room
        How far each input of the typical cell may go, the least room first.
    typical : int or None
        Row of the typical cell: of the cells of the class that are called so, the nearest to the median of the class.
    inequality : str
        The inequalities that hold where the law is the largest, in units.
    text : str
        Two or three sentences.
    """

    pushes: tuple[Push, ...]
    rooms: tuple[Room, ...]
    typical: int | None
    inequality: str
    text: str

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Names of the inputs that the sentence mentions, each once."""
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
    """Put the law of one class into words.

    Parameters
    ----------
    laws : ClassLaws
        Over inputs in units.
    name : str
        The class.
    cells : FeatureTable
        Inputs of cells, whose range is spoken about, in units.
    labels : ndarray, str (n,)
        Classes of these cells.
    features : sequence of Feature
        The shapes among the inputs; others are latents.
    words : mapping, optional
        Names of latents, with a minus sign where more of the latent is less of it, e.g. ``{"z1": "−size"}``.
    """
    lead = laws.against_the_rest(name)
    used, words = lead.expression.variables(), words or {}
    known = {feature.name: feature for feature in features}
    inputs = {one: known.get(one) or named_input(one, words.get(one, "")) for one in used}
    ranges = input_ranges(cells, used)
    pushes = tuple(
        Push(inputs[one], direction, None)
        for one, direction in directions_against_all(laws, name, ranges).items()
    )
    own = np.flatnonzero(labels == name)
    number, called = laws.classes.index(name), laws.predict(cells)
    right = own[called[own] == number]
    typical = _nearest_to_median(cells.select(used), own, right)
    rooms: tuple[Room, ...] = ()
    if typical is not None:
        row = cells.select(used)[typical]
        found = [_room(laws, name, row, used, inputs[one], ranges[one]) for one in used]
        rooms = tuple(sorted(found, key=lambda one: one.share))
    text = _text(name, pushes, rooms, words, None if typical is None else len(right), len(own))
    return ClassSentence(pushes, rooms, typical, inequality_text(lead, cells), text)


def input_ranges(cells: FeatureTable, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the range of each input that is spoken about; inputs that do not vary have one of width 1."""
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
    """Return +1 or -1 for each input that never speaks against, or never for, a class in any of its pairs."""
    found: dict[str, set[int]] = {}
    for other in laws.classes:
        if other == name:
            continue
        simplest = boundary_form(laws.against(name, other).expression)
        proved = directions(simplest.expression, {one: ranges[one] for one in simplest.left.variables()})
        for one in simplest.left.variables():
            found.setdefault(one, set()).add(proved[one])
    own = laws.laws[name].expression.variables()
    return {one: found[one].pop() for one in own if one in found and found[one] in ({1}, {-1})}


def _nearest_to_median(values: np.ndarray, own: np.ndarray, right: np.ndarray) -> int | None:
    """Return the row of ``right`` that is nearest to the median of the rows ``own``; None where there is none."""
    right = right[np.isfinite(values[right]).all(axis=1)]
    if not len(right):
        return None
    spread = np.nanstd(values, axis=0)
    far = np.abs(values[right] - np.nanmedian(values[own], axis=0)) / np.where(spread > 0, spread, 1.0)
    return int(right[np.argmin(far.sum(axis=1))])


def _room(
    laws: ClassLaws,
    name: str,
    row: np.ndarray,
    used: Sequence[str],
    feature: Feature,
    limits: tuple[float, float],
) -> Room:
    """Return how far one input may go from its value in a row (inputs,) while the class stays."""
    place = list(used).index(feature.name)
    low, high = min(limits[0], row[place]), max(limits[1], row[place])
    grid = np.sort(np.r_[np.linspace(low, high, STEPS), row[place]])
    cell = dict.fromkeys(laws.names, 0.0) | dict(zip(used, row.tolist(), strict=True))
    called = laws.predict(rows_along(cell, {feature.name: grid}))
    here = int(np.searchsorted(grid, row[place]))
    other = np.flatnonzero(called != laws.classes.index(name))
    before, after = other[other < here], other[other > here]

    def beyond(steps: np.ndarray, which: int) -> str:
        if not len(steps):
            return ""
        number = called[steps[which]]
        return laws.classes[number] if number >= 0 else NO_CLASS

    first = before[-1] + 1 if len(before) else 0
    last = after[0] - 1 if len(after) else len(grid) - 1
    return Room(
        feature,
        float(grid[first]) if len(before) else None,
        float(grid[last]) if len(after) else None,
        beyond(before, -1),
        beyond(after, 0),
        float((grid[last] - grid[first]) / (high - low)),
    )


def _stated(rooms: Sequence[Room]) -> list[Room]:
    """Return the rooms whose limits are stated."""
    return [room for room in rooms if room.low is not None or room.high is not None][:STATED]


def _text(
    name: str,
    pushes: Sequence[Push],
    rooms: Sequence[Room],
    words: Mapping[str, str],
    right: int | None,
    cells: int,
) -> str:
    sentences = []
    if pushes:
        sentences.append(f"Likelier {name}, whatever the other inputs are: nuclei{described(pushes)}.")
    stated = _stated(rooms)
    if not cells:
        sentences.append(f"No labelled cell is {name}.")
    elif right is None:
        sentences.append(f"None of the {cells:,} labelled cells of {name} is called so.")
    elif stated:
        limits = [room.text(words.get(room.feature.name, "")) for room in stated]
        sentences.append(
            f"A typical {name} cell, changed in one input at a time, stays {name} with {'; '.join(limits)}."
        )
    else:
        sentences.append(f"No single input changes the class of a typical {name} cell.")
    return " ".join(sentences)
