"""Colours of classes, the same in all figures, panels and layers of a study. Needs no matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# Okabe and Ito's palette without the red and blue that stand for signs; the blue is lighter, for the dark theme.
_FIXED = {
    "interphase": "#009e73",
    "prometaphase": "#56b4e9",
    "metaphase": "#e69f00",
    "anaphase": "#cc79a7",
    "apoptosis": "#d55e00",
}
# The usual colour of each class, and its colour on white: a similar hue with a contrast of 3:1 (WCAG 2.1 AA for
# graphics) that is the farthest from all earlier ones for the worst of three kinds of vision (normal, protan, deutan).
_ON_WHITE = {
    "#009e73": "#00a86c", "#e69f00": "#c07800", "#56b4e9": "#489ccc", "#cc79a7": "#9c4890", "#d55e00": "#902400",
    "#1f86cf": "#0060fc", "#f0e442": "#846c3c", "#5a5aff": "#6c186c", "#78e187": "#006048", "#ffc3d2": "#f0549c",
    "#e10f4b": "#9c0c3c", "#4b87ff": "#0000f0", "#b4a54b": "#908448", "#d200b4": "#783c60", "#3cd296": "#3c8460",
    "#69e1ff": "#309c9c", "#a5e15a": "#6c6c00", "#5a7878": "#486c60",
}  # fmt: skip
_LEAST = 3.0
"""Minimum contrast of a colour with its background."""


@dataclass(frozen=True)
class ByClass:
    """Colouring of cells by class.

    Attributes
    ----------
    labels : sequence of str
        Class of each cell; "" for none, which is grey.
    colours : dict of str to str
        Colour "#rrggbb" of each class of the study, in the order of the classes; other classes have the colours of
        :func:`class_colours`.
    """

    labels: Sequence[str] | np.ndarray
    colours: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ByValue:
    """Colouring of cells by a number.

    Attributes
    ----------
    values : ndarray of float, shape (n,)
        Value of each cell; cells without a value are grey.
    name : str
        Name of the values.
    signed : bool
        Whether zero has a meaning, as for scores; zero is then white.
    """

    values: np.ndarray
    name: str
    signed: bool = False


def class_colours(classes: Sequence[str], among: Sequence[str] = ()) -> dict[str, str]:
    """Return the usual colour of each class, "#rrggbb", distinguishable by colour-blind people.

    Parameters
    ----------
    classes : sequence of str
        Classes to colour. The phases of mitosis have fixed colours.
    among : sequence of str
        All classes of a study. With these, the colour of a class does not depend on which classes are shown.

    Returns
    -------
    list of str
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
    """Return the colours of classes on a background, with a contrast of at least 3:1.

    Parameters
    ----------
    background : str
        Background colour, "#rrggbb".
    classes : sequence of str
        Classes to draw.
    colours : dict of str to str, optional
        Colours of classes; other classes have those of :func:`class_colours`.

    Returns
    -------
    dict of str to str
        Colours by class.
    """
    chosen = {**class_colours(classes, among=tuple(colours or ())), **(colours or {})}
    return {name: seen_on(background, chosen[name]) for name in classes}


def seen_on(background: str, colour: str) -> str:
    """Return a colour made darker or lighter if its contrast with a background is too low.

    Parameters
    ----------
    background, colour : str
        Colours, "#rrggbb".

    Returns
    -------
    str
        The colour, "#rrggbb".
    """
    behind, light = _luminance(background), _linear(colour)
    if behind > 0.5 and colour in _ON_WHITE:
        colour = _ON_WHITE[colour]
        light = _linear(colour)
    luminance = float(light @ _WEIGHTS)
    if behind > 0.5:
        most = (behind + 0.05) / _LEAST - 0.05
        return colour if luminance <= most else _hex(light * most / luminance, np.floor)
    least = (behind + 0.05) * _LEAST - 0.05
    if luminance >= least:
        return colour
    return _hex(light + (1 - light) * (least - luminance) / (1 - luminance), np.ceil)


_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])


def _linear(colour: str) -> np.ndarray:
    """Return the linear intensities of red, green and blue, 0 to 1."""
    value = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    light: np.ndarray = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light


def _luminance(colour: str) -> float:
    return float(_linear(colour) @ _WEIGHTS)


def _hex(light: np.ndarray, rounded: np.ufunc) -> str:
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{part:02x}" for part in rounded(255 * np.clip(value, 0, 1)).astype(int))


def colours_of_labels(labels: Iterable[str], colours: Mapping[str, str], background: str) -> dict[str, str]:
    """Return the colour of each class that occurs in ``labels``: known classes in order, then others.

    Parameters
    ----------
    labels : iterable of str
        Classes of cells; "" for none.
    colours : dict of str to str
        Colours of the classes of a study; other classes have those of :func:`class_colours`.
    background : str
        Background colour, "#rrggbb".

    Returns
    -------
    dict of str to str
        Colours by class.
    """
    there = {str(label) for label in labels} - {""}
    present = [*(name for name in colours if name in there), *sorted(there - set(colours))]
    return colours_on(background, present, colours)
