"""How often the inputs, the directions and the form of a law came back in searches on resampled groups of cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.display import percent, span
from morpholaw.models.expressions import Expression, skeleton

NOTHING = "No search on resampled groups found a law."


@dataclass(frozen=True)
class InputStability:
    """How often an input of a law came back.

    Attributes
    ----------
    name : str
        The input.
    found : int
        Searches whose law reads it.
    same_direction : int or None
        Those in which it speaks for the same class; None where it speaks for either in the law itself.
    """

    name: str
    found: int
    same_direction: int | None


@dataclass(frozen=True)
class LawStability:
    """Laws of searches on resampled groups of training cells, compared with one law.

    Attributes
    ----------
    searches : int
        Searches that found a law.
    evaluations : int
        Expressions tried in each.
    inputs : tuple of InputStability
        The inputs of the law.
    others : dict
        Further inputs that came up: name to number of searches.
    same_form : int
        Searches that found a law of the same form, whatever its constants.
    accuracies : tuple of float
        Balanced accuracy of each law on the training groups that its resample left out.
    """

    searches: int
    evaluations: int
    inputs: tuple[InputStability, ...]
    others: dict[str, int]
    same_form: int
    accuracies: tuple[float, ...]

    @property
    def text(self) -> str:
        """A few sentences with the numbers."""
        if not self.searches:
            return NOTHING
        back = "; ".join(map(_came_back, self.inputs)) or "the law is a constant"
        searches = "one search" if self.searches == 1 else f"{self.searches} searches"
        text = (
            f"In {searches} on resampled groups of cells ({self.evaluations:,} evaluations each): {back};"
            f" the same form in {self.same_form or 'none'}."
        )
        if self.others:
            often = sorted(self.others.items(), key=lambda pair: (-pair[1], pair[0]))[:4]
            text += f" Other inputs: {', '.join(f'{name} in {count}' for name, count in often)}."
        return text + _left_out(self.accuracies)


@dataclass(frozen=True)
class ClassLawStability:
    """Laws of several classes from searches on resampled groups of training cells, compared with the laws of a study.

    Attributes
    ----------
    searches : int
        Resamples on which every class had a law.
    by_class : mapping of str to LawStability
        Of the law of each class. A direction is one for the class against every other class.
    accuracies : tuple of float
        Balanced accuracy of the laws of each resample on the training groups that it left out.
    """

    searches: int
    by_class: Mapping[str, LawStability]
    accuracies: tuple[float, ...]

    @property
    def text(self) -> str:
        """One line per class, and one with the accuracy."""
        if not self.searches:
            return NOTHING
        lines = [f"{name}: {one.text}" for name, one in self.by_class.items()]
        return "\n".join([*lines, *filter(None, [_left_out(self.accuracies).strip()])])


def compared(
    expression: Expression,
    expected: Mapping[str, int],
    found: Sequence[Expression],
    directions: Sequence[Mapping[str, int]],
    evaluations: int,
    accuracies: tuple[float, ...] = (),
) -> LawStability:
    """Say how often inputs, directions and form of a law came back in searches.

    Parameters
    ----------
    expression : Expression
        The law.
    expected : mapping of str to int
        +1 or -1 for each of its inputs that has one direction.
    found : sequence of Expression
        The law of each search.
    directions : sequence of mapping
        The same of each of those laws.
    evaluations : int
        Expressions tried in each search.
    accuracies : tuple of float
        Of the laws that were found, on cells that their search left out.
    """
    used = expression.variables()
    read = Counter(name for one in found for name in one.variables())
    inputs = tuple(
        InputStability(
            name,
            read[name],
            sum(each.get(name) == expected[name] for each in directions) if expected.get(name) else None,
        )
        for name in used
    )
    others = {name: count for name, count in read.items() if name not in used}
    same = sum(skeleton(one) == skeleton(expression) for one in found)
    return LawStability(len(found), evaluations, inputs, others, same, accuracies)


def _came_back(one: InputStability) -> str:
    if not one.found:
        return f"{one.name} did not come back"
    same = "" if one.same_direction is None else f", in {one.same_direction} with the same direction"
    return f"{one.name} came back in {one.found}{same}"


def _left_out(accuracies: Sequence[float]) -> str:
    if not accuracies:
        return ""
    low, high = (100 * value for value in (min(accuracies), max(accuracies)))
    return (
        " Balanced accuracy on the groups that a resample left out: "
        f"{percent(float(np.mean(accuracies)))} on average ({span(low, high, 1)})."
    )
