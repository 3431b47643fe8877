"""The colours of classes, the same in all figures, panels and layers of a study; without matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# Okabe and Ito's palette, away from the red and blue that stand for signs; its blue is lighter, for the dark theme.
_FIXED = {
    "interphase": "#009e73",
    "prometaphase": "#56b4e9",
    "metaphase": "#e69f00",
    "anaphase": "#cc79a7",
    "apoptosis": "#d55e00",
}
# Each class's usual colour, and what it is on white: of about the same hue, 3 to 1 against its ground (WCAG 2.1 AA of
# graphics), and the farthest from all before it for whoever sees it worst of three: with all cones, protanopes,
# deuteranopes.
_ON_WHITE = {
    "#009e73": "#00a86c", "#e69f00": "#c07800", "#56b4e9": "#489ccc", "#cc79a7": "#9c4890", "#d55e00": "#902400",
    "#1f86cf": "#0060fc", "#f0e442": "#846c3c", "#5a5aff": "#6c186c", "#78e187": "#006048", "#ffc3d2": "#f0549c",
    "#e10f4b": "#9c0c3c", "#4b87ff": "#0000f0", "#b4a54b": "#908448", "#d200b4": "#783c60", "#3cd296": "#3c8460",
    "#69e1ff": "#309c9c", "#a5e15a": "#6c6c00", "#5a7878": "#486c60",
}  # fmt: skip
_LEAST = 3.0
"""Contrast that a colour has against what it lies on, at least."""


@dataclass(frozen=True)
class ByClass:
    """Cells are coloured by their class.

    Attributes
    ----------
    labels : sequence of str
        The class of each cell, "" for none, which is grey.
    colours : dict of str to str
        The colour "#rrggbb" of each class of the study, in the order of the classes; classes that are not among them
        have those of :func:`class_colours`.
    """

    labels: Sequence[str] | np.ndarray
    colours: Mapping[str, str] = field(default_factory=dict)


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


def class_colours(classes: Sequence[str], among: Sequence[str] = ()) -> dict[str, str]:
    """Return the usual colour "#rrggbb" of each class, which colour-blind people can tell apart.

    Parameters
    ----------
    classes : sequence of str
        The classes to colour. The phases of mitosis have fixed colours.
    among : sequence of str
        All classes of a study. Given these, a class has the same colour whichever classes it is shown with.
    """
    every = list(dict.fromkeys([*among, *classes]))
    fixed = {_FIXED[name] for name in every if name in _FIXED}
    free = [colour for colour in _ON_WHITE if colour not in fixed]
    others = [name for name in every if name not in _FIXED]
    colours = {name: free[place % len(free)] for place, name in enumerate(others)}
    return {name: _FIXED.get(name) or colours[name] for name in classes}


def colours_on(
    background: str, classes: Sequence[str], colours: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the colour of each class as it is drawn on a background, 3 to 1 against it.

    Parameters
    ----------
    background : str
        "#rrggbb".
    classes : sequence of str
        The classes to draw.
    colours : dict of str to str, optional
        Colours of classes; those that are not among them have those of :func:`class_colours`.
    """
    chosen = {**class_colours(classes, among=tuple(colours or ())), **(colours or {})}
    return {name: seen_on(background, chosen[name]) for name in classes}


def seen_on(background: str, colour: str) -> str:
    """Return a colour as it is drawn on a background: darker or lighter where it would hardly be seen.

    Parameters
    ----------
    background, colour : str
        "#rrggbb".
    """
    ground, light = _luminance(background), _linear(colour)
    if ground > 0.5 and colour in _ON_WHITE:
        colour = _ON_WHITE[colour]
        light = _linear(colour)
    own = float(light @ _WEIGHTS)
    if ground > 0.5:
        most = (ground + 0.05) / _LEAST - 0.05
        return colour if own <= most else _hex(light * most / own, np.floor)
    least = (ground + 0.05) * _LEAST - 0.05
    return colour if own >= least else _hex(light + (1 - light) * (least - own) / (1 - own), np.ceil)


_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])


def _linear(colour: str) -> np.ndarray:
    """Return the light of red, green and blue, 0 to 1."""
    value = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    light: np.ndarray = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light


def _luminance(colour: str) -> float:
    return float(_linear(colour) @ _WEIGHTS)


def _hex(light: np.ndarray, rounded: np.ufunc) -> str:
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{part:02x}" for part in rounded(255 * np.clip(value, 0, 1)).astype(int))


def colours_of_labels(labels: Iterable[str], colours: Mapping[str, str], background: str) -> dict[str, str]:
    """Return the colour "#rrggbb" of each class that is among labels, in the order of the classes, others after them.

    Parameters
    ----------
    labels : iterable of str
        Classes of cells, "" for none.
    colours : dict of str to str
        The colour of each class of a study; others have those of :func:`class_colours`.
    background : str
        What they are drawn on.
    """
    there = {str(label) for label in labels} - {""}
    present = [*(name for name in colours if name in there), *sorted(there - set(colours))]
    return colours_on(background, present, colours)
