"""The colours of classes, the same in all figures, panels and layers of a study; without matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

# Okabe and Ito's palette, away from the red and blue that stand for signs; its blue is lighter, for the dark theme.
_FIXED = {
    "interphase": "#009e73",
    "prometaphase": "#56b4e9",
    "metaphase": "#e69f00",
    "anaphase": "#cc79a7",
    "apoptosis": "#d55e00",
}
_OTHERS = ("#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#d55e00", "#1f86cf", "#f0e442")
# Each the farthest from all before it for whoever sees it worst of three: with all cones, protanopes, deuteranopes;
# of those that stand out from the dark theme (3 to 1, WCAG 2.1 AA of graphics) and are no paler on white than 1.5 to 1.
_MORE = (
    "#5a5aff", "#78e187", "#ffc3d2", "#e10f4b", "#4b87ff", "#b4a54b", "#d200b4", "#3cd296", "#69e1ff", "#a5e15a",
    "#5a7878",
)  # fmt: skip


@dataclass(frozen=True)
class ByClass:
    """Cells are coloured by their class.

    Attributes
    ----------
    labels : sequence of str
        The class of each cell, "" for none, which is grey.
    classes : sequence of str
        All classes of the study, so that each has its colour.
    colours : sequence of str
        Their colours, "#rrggbb"; by default those of :func:`class_colours`.
    """

    labels: Sequence[str] | np.ndarray
    classes: Sequence[str] = ()
    colours: Sequence[str] = ()


@dataclass(frozen=True)
class ByValue:
    """Cells are coloured by a number.

    Attributes
    ----------
    values : ndarray, float (n,)
        The number of each cell; cells without a value are grey.
    name : str
        What the values are.
    signed : bool
        Whether the values have a meaningful zero, as scores have, which is then white.
    """

    values: np.ndarray
    name: str
    signed: bool = False


def class_colours(classes: Sequence[str], among: Sequence[str] = ()) -> list[str]:
    """Return one colour per class, "#rrggbb", that colour-blind people can tell apart.

    Parameters
    ----------
    classes : sequence of str
        The classes to colour. The phases of mitosis have fixed colours.
    among : sequence of str
        All classes of a study. Given these, a class has the same colour whichever classes it is shown with.
    """
    every = list(dict.fromkeys([*among, *classes]))
    fixed = {_FIXED[name] for name in every if name in _FIXED}
    free = [colour for colour in (*_OTHERS, *_MORE) if colour not in fixed]
    others = [name for name in every if name not in _FIXED]
    colours = {name: free[place % len(free)] for place, name in enumerate(others)}
    return [_FIXED.get(name) or colours[name] for name in classes]


def colours_of_labels(
    labels: Iterable[str], classes: Sequence[str] = (), colours: Sequence[str] = ()
) -> dict[str, str]:
    """Return the colour "#rrggbb" of each class that is among labels, in the order of the classes, others after them.

    Parameters
    ----------
    labels : iterable of str
        Classes of cells, "" for none.
    classes : sequence of str
        All classes of a study.
    colours : sequence of str
        Their colours; by default those of :func:`class_colours`.
    """
    there = {str(label) for label in labels} - {""}
    present = [*(name for name in dict.fromkeys(classes) if name in there), *sorted(there - set(classes))]
    chosen = dict(zip(classes, colours, strict=bool(colours)))
    usual = zip(present, class_colours(present, among=classes), strict=True)
    return {name: chosen.get(name, colour) for name, colour in usual}
