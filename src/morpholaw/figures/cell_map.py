"""A map of cells: one point per cell over two features, coloured by class or by a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.palette import colours_of_labels
from morpholaw.figures.style import (
    LIGHT,
    SIGNED,
    FigSize,
    Theme,
    colourbar,
    figure_width,
    legend,
    one_panel,
    plain,
    symbols,
)


def cell_map(
    points: np.ndarray,
    names: tuple[str, str],
    *,
    labels: Sequence[str] | None = None,
    classes: Sequence[str] = (),
    colours: Sequence[str] = (),
    values: np.ndarray | None = None,
    value_name: str = "",
    signed: bool = False,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Cells as points over two features, coloured by class, or by a number.

    Parameters
    ----------
    points : ndarray, float (n, 2)
        The two features of each cell.
    names : (str, str)
        Names of the features, with units.
    labels : sequence of str, optional
        n class names, "" for cells without one, which are grey and lie below the others.
    classes : sequence of str
        All classes of the study, so that each has its colour.
    colours : sequence of str
        Their colours, "#rrggbb"; by default those of :func:`morpholaw.figures.palette.class_colours`.
    values : ndarray, float (n,), optional
        Colours the cells in place of the labels; cells without a value are grey.
    value_name : str
        What the values are.
    signed : bool
        Whether the values have a meaningful zero, as scores have, which is then white.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        When the lengths do not agree, or neither labels nor values are given.
    """
    points = validation.numbers(points, ("n", 2), "points")
    width = figure_width(figsize)
    figure, axes = one_panel(figsize, theme, width, height=min(width * 0.82, 4.6))
    axes.set_xlabel(symbols(names[0]))
    axes.set_ylabel(symbols(names[1]))
    size = 4.5 if len(points) < 500 else 3.2 if len(points) < 3000 else 2.2
    if values is not None:
        values = np.asarray(validation.same_length(values, len(points), "values"), float)
        known = np.isfinite(values)
        axes.plot(*points[~known].T, "o", ms=size, color=theme.muted, alpha=0.4, mew=0)
        low, high = (
            (0.0, 1.0) if not known.any() else (float(values[known].min()), float(values[known].max()))
        )
        if signed:
            high = max(float(np.percentile(np.abs(values[known]), 98)) if known.any() else 1.0, 1e-9)
            low = -high
        # a white point would vanish on a white page: the middle of the signed map has a rim
        shown = axes.scatter(
            points[known, 0], points[known, 1], c=values[known], s=size**2, cmap=SIGNED if signed else "viridis",
            vmin=low, vmax=max(high, low + 1e-9), edgecolors=theme.muted if signed else "none", linewidths=0.25,
        )  # fmt: skip
        colourbar(figure, shown, axes, plain(value_name), theme)
    elif labels is not None:
        given = np.asarray(validation.same_length(labels, len(points), "labels"), dtype=str)
        if (given == "").any():
            axes.plot(
                *points[given == ""].T, "o", ms=size, color=theme.muted, alpha=0.45, mew=0, label="no class"
            )
        for name, colour in colours_of_labels(given, classes, colours).items():
            axes.plot(*points[given == name].T, "o", ms=size, color=colour, mew=0, label=plain(name))
        legend(
            axes,
            theme,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=3 if width < 5 else 5,
            markerscale=1.6,
            columnspacing=1,
            handletextpad=0.2,
        )
    else:
        raise InputError("A map of cells is coloured by labels or by values; give either.")
    return figure
