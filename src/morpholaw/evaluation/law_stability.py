"""Stability of a law: how often its inputs, their directions and its form recur in searches on resampled groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.display import percent, span
from morpholaw.models.expressions import Expression, skeleton

NOTHING = "No law was found on resampled groups."


@dataclass(frozen=True)
class InputStability:
    """Recurrence of an input of a law.

    Attributes
    ----------
    name : str
        The input.
    found : int
        Number of searches whose law contains it.
    same_direction : int or None
        Number of these in which it favours the same class; None if it can favour either class in the law itself.
    """

    name: str
    found: int
    same_direction: int | None


@dataclass(frozen=True)
class LawStability:
    """Comparison of a law with the laws found on resampled groups of training cells.

    Attributes
    ----------
    searches : int
        Number of searches that found a law.
    evaluations : int
        Formulas tried per search.
    inputs : tuple of InputStability
        Recurrence of the inputs of the law.
    others : dict
        Number of searches that found each further input, by its name.
    same_form : int
        Number of searches that found a law of the same form, with any constants.
    accuracies : tuple of float
        Balanced accuracy of each law on the training groups that are not in its resample.
    """

    searches: int
    evaluations: int
    inputs: tuple[InputStability, ...]
    others: dict[str, int]
    same_form: int
    accuracies: tuple[float, ...]

    @property
    def text(self) -> str:
        """A summary in a few sentences."""
        if not self.searches:
            return NOTHING
        searches = "one search" if self.searches == 1 else f"{self.searches} searches"
        recurrence = "; ".join(map(_recurrence, self.inputs)) or "the law is a constant"
        text = (
            f"In {searches} on resampled groups of cells ({self.evaluations:,} evaluations each): {recurrence}; "
            f"the form of the law was found in {self.same_form or 'none'}."
        )
        if self.others:
            most_frequent = sorted(self.others.items(), key=lambda pair: (-pair[1], pair[0]))[:4]
            text += f" Other inputs: {', '.join(f'{name} in {count}' for name, count in most_frequent)}."
        return text + _left_out(self.accuracies)


@dataclass(frozen=True)
class ClassLawStability:
    """Comparison of the laws of several classes with the laws found on resampled groups of training cells.

    Attributes
    ----------
    searches : int
        Number of resamples on which a law was found for every class.
    by_class : mapping of str to LawStability
        Stability of the law of each class. Directions favour the class over every other class.
    accuracies : tuple of float
        Balanced accuracy of the laws of each resample on the training groups that are not in it.
    """

    searches: int
    by_class: Mapping[str, LawStability]
    accuracies: tuple[float, ...]

    @property
    def text(self) -> str:
        """A summary with one line per class, and one for the accuracy."""
        if not self.searches:
            return NOTHING
        lines = [f"{name}: {stability.text}" for name, stability in self.by_class.items()]
        return "\n".join([*lines, *filter(None, [_left_out(self.accuracies).strip()])])


def compared(
    expression: Expression,
    expected: Mapping[str, int],
    found: Sequence[Expression],
    directions: Sequence[Mapping[str, int]],
    evaluations: int,
    accuracies: tuple[float, ...] = (),
) -> LawStability:
    """Count how often the inputs, directions and form of a law recur in searches.

    Parameters
    ----------
    expression : Expression
        The law.
    expected : mapping of str to int
        Direction, +1 or -1, of each of its inputs that has one.
    found : sequence of Expression
        The law of each search.
    directions : sequence of mapping
        Directions of the inputs of each of these laws.
    evaluations : int
        Formulas tried per search.
    accuracies : tuple of float
        Accuracy of each of these laws on cells that are not in its resample.

    Returns
    -------
    LawStability
        The counts.
    """
    used = expression.variables()
    counts = Counter(name for law in found for name in law.variables())
    inputs = tuple(
        InputStability(
            name,
            counts[name],
            sum(signs.get(name) == expected[name] for signs in directions) if expected.get(name) else None,
        )
        for name in used
    )
    others = {name: count for name, count in counts.items() if name not in used}
    same = sum(skeleton(law) == skeleton(expression) for law in found)
    return LawStability(len(found), evaluations, inputs, others, same, accuracies)


def _recurrence(one: InputStability) -> str:
    if not one.found:
        return f"{one.name} was not found again"
    same = "" if one.same_direction is None else f", in {one.same_direction} with the same direction"
    return f"{one.name} was found in {one.found}{same}"


def _left_out(accuracies: Sequence[float]) -> str:
    if not accuracies:
        return ""
    low, high = (100 * value for value in (min(accuracies), max(accuracies)))
    return (
        " The mean balanced accuracy on groups that are not in the resample is "
        f"{percent(float(np.mean(accuracies)))} (range {span(low, high, 1)})."
    )
