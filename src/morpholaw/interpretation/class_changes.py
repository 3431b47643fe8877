"""The smallest changes of single inputs of a cell that change its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.shape_features import Feature
from morpholaw.display import MINUS, significant
from morpholaw.interpretation.latent_names import split_sign
from morpholaw.interpretation.law_sentence import QUANTILES, STEPS
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.features import FeatureTable, latent_feature
from morpholaw.models.law import Law

GRID = 200
"""Number of values of an input, on each side of the cell's, at which the class is evaluated."""
EXCESS = 0.2
"""Largest share of the smallest change of an input by which the limit in the text may be rounded."""


@dataclass(frozen=True)
class Flip:
    """The smallest change of one input that changes the class, with all other inputs fixed.

    Attributes
    ----------
    feature : Feature
        The input.
    value, at : float
        Value in the cell, and value at which the class changes, in the unit of the input.
    deviations : float
        Difference of the two, in standard deviations of the labelled cells.
    becomes : str
        The class from ``at`` on.
    until : float or None
        Last value beyond ``at`` of this class; None if it extends to the end of the range of the cells.
    """

    feature: Feature
    value: float
    at: float
    deviations: float
    becomes: str
    until: float | None = None

    @property
    def text(self) -> str:
        """Text such as "width above 11.2 µm (8.4 µm here)" or "width from 11.2 to 13 µm (8.4 µm here)"."""
        unit = f" {self.feature.unit}" if self.feature.unit else ""
        at, here, until = self._limits()
        if self.until is not None:
            first, last = (at, until) if self.at < self.until else (until, at)
            return f"{self.feature.name} from {first} to {last}{unit} ({here}{unit} here)"
        side = "above" if self.at > self.value else "below"
        return f"{self.feature.name} {side} {at}{unit} ({here}{unit} here)"

    def _limits(self) -> tuple[str, str, str]:
        """Return `at`, `value` and `until` with three digits, or as many as the smallest change needs.

        Limits are rounded into the range of the other class, so that it holds for every value that the text allows.
        """
        outwards = 1 if self.at > self.value else -1
        end = self.at + outwards * np.inf if self.until is None else self.until
        for digits in range(3, 8):
            at, until = _rounded_up(self.at, outwards, digits), _rounded_up(end, -outwards, digits)
            texts = significant(at, digits), significant(self.value, digits), significant(until, digits)
            if abs(at - self.at) <= EXCESS * abs(self.at - self.value) and outwards * at < outwards * until:
                break
        return texts


def smallest_flips(
    law: Law,
    laws: ClassLaws | None,
    row: np.ndarray,
    cells: FeatureTable,
    classes: tuple[str, str],
    shapes: Mapping[str, Feature],
    words: Mapping[str, str],
) -> tuple[Flip, ...]:
    """Return the smallest change of each input that changes the class of a cell, with all other inputs fixed.

    Parameters
    ----------
    law : Law
        The law, over inputs in units.
    laws : ClassLaws or None
        With more than two classes, the laws of all of them, which then determine the class.
    row : ndarray, float64 (columns,)
        Inputs of the cell, in the columns of ``cells``.
    cells : FeatureTable
        Inputs of labelled cells, in units, over whose range an input is changed.
    classes : (str, str)
        The classes of f < 0 and of f >= 0, for a single law.
    shapes : mapping of str to Feature
        The shapes among the inputs; all others are latents.
    words : mapping of str to str
        Names of latents, with a minus sign if the latent decreases with what the name says.

    Returns
    -------
    tuple of Flip
        Smallest change first; inputs whose change does not change the class are left out.
    """
    model: Law | ClassLaws = law if laws is None else laws
    named = classes if laws is None else laws.classes
    expressions = [law] if laws is None else list(laws.laws.values())
    used = tuple(dict.fromkeys(name for one in expressions for name in one.expression.variables()))
    known = np.isfinite(cells.select(used)).all(axis=1)
    if not known.any():
        return ()
    flips = []
    for name in used:
        place = cells.names.index(name)
        usual, value = cells.values[known, place], float(row[place])
        if not np.isfinite(value):
            continue
        low, high = np.quantile(usual, QUANTILES)

        def predict(values: np.ndarray, place: int = place) -> np.ndarray:
            rows = np.tile(np.asarray(row, np.float64), (len(values), 1))
            rows[:, place] = values
            return model.predict(FeatureTable(rows, cells.names))

        change = _nearest_change(predict, value, min(low, value), max(high, value))
        if change is None:
            continue
        word, sign = split_sign(words.get(name, ""))
        at, becomes, until = change
        flips.append(
            Flip(
                shapes.get(name) or named_latent(name, word, sign),
                sign * value,
                sign * at,
                abs(at - value) / (float(usual.std()) or 1.0),
                named[becomes],
                None if until is None else sign * until,
            )
        )
    return tuple(sorted(flips, key=lambda flip: flip.deviations))


def _nearest_change(
    predict: Callable[[np.ndarray], np.ndarray], here: float, low: float, high: float
) -> tuple[float, int, float | None] | None:
    """Return the value of an input closest to the cell's, between ``low`` and ``high``, where the class changes.

    ``predict`` returns the class number at each value, -1 where there is none. The second value is the class number
    there, and the third is the last value of this class; None if it extends to the end.
    """
    at_cell = predict(np.array([here]))[0]
    best: tuple[float, int, float | None] | None = None
    for end in (low, high):
        values = np.linspace(here, end, GRID)
        numbers = predict(values)
        changed = np.flatnonzero((numbers != at_cell) & (numbers >= 0))
        if not len(changed):
            continue
        first = changed[0]
        becomes = int(numbers[first])
        back = np.flatnonzero(numbers[first:] != becomes)
        until = float(values[first + back[0] - 1]) if len(back) else None
        inside, outside = values[first - 1], values[first]
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            if predict(np.array([middle]))[0] == becomes:
                outside = middle
            else:
                inside = middle
        if best is None or abs(outside - here) < abs(best[0] - here):
            best = float(outside), becomes, until
    return best


def _rounded_up(value: float, sign: int, digits: int) -> float:
    """Round a number to significant digits, up if ``sign`` is 1 and down if it is -1."""
    if not np.isfinite(value) or value == 0:
        return value
    step = 10.0 ** (np.floor(np.log10(abs(value))) + 1 - digits)
    nearest = round(value / step)
    exact = abs(nearest * step - value) < 1e-9 * abs(value)
    return float((nearest if exact else sign * np.ceil(sign * value / step)) * step)


def named_latent(name: str, word: str, sign: float) -> Feature:
    """Return a latent as a feature.

    Parameters
    ----------
    name : str
        Name of the latent, such as "z3".
    word : str
        What it is called, without a sign; "" if it has no name.
    sign : float
        Negative if the latent decreases with what the word says.

    Returns
    -------
    Feature
        Called "size (z3)", or "size (−z3)" for a negative sign.
    """
    feature = latent_feature(int(name[1:]))
    if not word:
        return feature
    number = f"{MINUS}{name}" if sign < 0 else name
    return Feature(f"{word} ({number})", "", feature.meaning, "latent")
