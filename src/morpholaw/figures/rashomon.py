"""Plot of the Rashomon set: models of similar accuracy and very different size (paper, fig. 1a and 21)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from morpholaw.figures import validation
from morpholaw.figures.style import (
    LIGHT,
    FigSize,
    Theme,
    colourbar,
    legend,
    note,
    one_panel,
    plain,
    scheme_look,
    scheme_name,
)


def rashomon(
    size: np.ndarray,
    accuracy: np.ndarray,
    scheme: Sequence[int | str],
    *,
    colour: np.ndarray | None = None,
    colour_name: str = "",
    within: float | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the accuracy of every trained model against its expression size, on a logarithmic axis.

    Parameters
    ----------
    size : ndarray
        Expression size of each model in nodes, (n,) (eq. 11, 13, 14, or of the law's tree).
    accuracy : ndarray
        Accuracy of each model, (n,), in [0, 1].
    scheme : sequence of int or str
        Scheme of each model, by number or name. It determines the marker, and the colour unless ``colour`` is given.
    colour : ndarray, optional
        Values to colour the points by, (n,), such as a measured constraint.
    colour_name : str
        Name of these values.
    within : float, optional
        Mark the smallest model whose accuracy is within this share of the best.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the lengths differ.
    """
    size = validation.numbers(size, ("n",), "expression sizes")
    accuracy = validation.numbers(accuracy, (len(size),), "accuracies") * 100
    validation.same_length(scheme, len(size), "schemes")
    figure, axes = one_panel(figsize, theme, 4.6, 0.68)
    axes.set(xscale="log", xlabel="expression size (nodes)", ylabel="test accuracy (%)")
    usable = np.isfinite(size) & np.isfinite(accuracy) & (size > 0)
    if not usable.any():
        note(axes, "no model has been tested", theme)
        return figure
    shades = None if colour is None else validation.numbers(colour, (len(size),), "colours")
    norm = None
    if shades is not None:
        known = shades[np.isfinite(shades)]
        norm = Normalize(*((known.min(), known.max()) if len(known) else (0, 1)))
    shading = colormaps["viridis"].with_extremes(bad=theme.background)
    handles, drawn = [], None
    for position, name in enumerate(sorted(set(scheme), key=str)):
        look = scheme_look(name, position, theme)
        chosen = usable & np.array([one == name for one in scheme])
        look_of_points = {
            "marker": look["marker"],
            "s": 26,
            "linewidths": 0.5,
            "edgecolors": theme.background,
        }
        if shades is None:
            axes.scatter(size[chosen], accuracy[chosen], color=look["color"], alpha=0.85, **look_of_points)
        else:
            drawn = axes.scatter(
                size[chosen], accuracy[chosen], c=shades[chosen], norm=norm, cmap=shading,
                plotnonfinite=True, **{**look_of_points, "edgecolors": theme.muted},
            )  # fmt: skip
        fill = look["color"] if shades is None else theme.muted
        handles.append(
            Line2D(
                [], [], linestyle="", marker=look["marker"], color=fill, markersize=5, label=scheme_name(name)
            )
        )
    if within is not None:
        handles.append(_mark_smallest(axes, size, accuracy, usable, within, theme))
    if drawn is not None:
        colourbar(figure, drawn, axes, plain(colour_name), theme, pad=0.02)
    axes.margins(0.08, 0.12)
    legend(axes, theme, handles=handles, loc="best")
    return figure


def _mark_smallest(
    axes: Axes, size: np.ndarray, accuracy: np.ndarray, usable: np.ndarray, within: float, theme: Theme
) -> Line2D:
    """Draw a line at the lowest accepted accuracy, and a ring around the smallest model above it."""
    floor = accuracy[usable].max() - 100 * within
    allowed = np.flatnonzero(usable & (accuracy >= floor - 1e-9))
    smallest = allowed[np.lexsort((-accuracy[allowed], size[allowed]))[0]]
    axes.axhline(floor, color=theme.zero, linewidth=1, linestyle="--")
    ring: dict[str, Any] = {
        "marker": "o",
        "markersize": 10,
        "markerfacecolor": "none",
        "markeredgecolor": theme.zero,
        "linestyle": "",
    }
    axes.plot(size[smallest], accuracy[smallest], markeredgewidth=1.5, **ring)
    return Line2D([], [], markeredgewidth=1.5, label=f"smallest within {100 * within:g} %", **ring)
