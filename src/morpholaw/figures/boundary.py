"""Figure of the boundary f = 0 of a law: slices through latent space (paper, fig. 12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from morpholaw.display import number
from morpholaw.figures import validation
from morpholaw.figures.palette import colours_on
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    TEXT,
    FigSize,
    Theme,
    figure_width,
    heading,
    note,
    panel_grid,
    short_name,
    symbol,
    symbols,
)


def boundary_slices(
    scores: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    slice_values: np.ndarray,
    names: tuple[str, str, str],
    *,
    classes: tuple[str, str] = ("interphase", "metaphase"),
    held: str = "",
    colours: Mapping[str, str] | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the predicted class over two latents, in slices through a third one (paper, fig. 12).

    Parameters
    ----------
    scores : ndarray
        Scores f, (slices, ny, nx).
    x, y, slice_values : ndarray
        Values of the three latents, (nx,), (ny,) and (slices,).
    names : tuple of str
        Names of the latents along x, along y and across slices.
    classes : tuple of str
        Names of the classes of f < 0 and f >= 0 (eq. 2).
    held : str
        Values at which the other latents are held, such as "z21 = 0".
    colours : mapping of str to str, optional
        Colour of each class; by default from :func:`morpholaw.figures.palette.class_colours`.
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
        If the shapes do not match.
    """
    x, y = validation.numbers(x, ("nx",), "x values"), validation.numbers(y, ("ny",), "y values")
    scores = validation.numbers(scores, ("slices", len(y), len(x)), "scores")
    slice_values = validation.numbers(slice_values, (len(scores),), "slice values")
    figure, grid = panel_grid(
        figsize, theme, len(scores), 1.25, lambda width: width * 0.92 + 0.2, above=0.5,
        frame=True, sharex=True, sharey=True,
    )  # fmt: skip
    shown = colours_on(theme.background, classes, colours)
    for axes, score, value in zip(grid, scores, slice_values, strict=True):
        _draw_regions(axes, x, y, score, list(shown.values()), theme)
        heading(axes, f"{symbol(names[2])} = {number(value, 1)}", theme, size=SMALL)
    below = f"{symbol(names[0])}   ({symbols(held)})" if held else symbol(names[0])
    figure.supxlabel(below, fontsize=TEXT, color=theme.foreground)
    figure.supylabel(symbol(names[1]), fontsize=TEXT, color=theme.foreground)
    handles: list[Any] = [
        Patch(facecolor=colour, alpha=0.55, label=f"{short_name(name)} ({sign})")
        for (name, colour), sign in zip(shown.items(), ("f < 0", "f ≥ 0"), strict=True)
    ]
    handles.append(Line2D([], [], color=theme.zero, linewidth=1.5, label="f = 0"))
    figure.legend(
        handles=handles, loc="outside upper center", ncols=3 if figure_width(figsize) > 4 else 2,
        frameon=False, fontsize=SMALL, labelcolor=theme.foreground,
    )  # fmt: skip
    return figure


def _draw_regions(
    axes: Axes, x: np.ndarray, y: np.ndarray, score: np.ndarray, colours: list[str], theme: Theme
) -> None:
    """Fill both regions and draw f = 0 between them; points where f is not finite stay empty."""
    shown = np.ma.masked_invalid(score)
    axes.set(xlim=(x.min(), x.max()), ylim=(y.min(), y.max()))
    axes.set_box_aspect(1)
    if not shown.count():
        note(axes, "not finite", theme)
        return
    low, high = float(shown.min()), float(shown.max())
    axes.contourf(x, y, shown, levels=[min(low, 0) - 1, 0, max(high, 0) + 1], colors=colours, alpha=0.55)
    if low < 0 <= high:
        axes.contour(x, y, shown, levels=[0.0], colors=theme.zero, linewidths=1.5)
