"""Scatter plot of cells over two features, coloured by class or by a number."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from morpholaw.figures import validation
from morpholaw.figures.palette import ByClass, ByValue, colours_of_labels
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
    row_by_row,
    short_name,
    symbols,
)


def cell_map(
    points: np.ndarray,
    names: tuple[str, str],
    colouring: ByClass | ByValue,
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot cells as points over two features, coloured by class or by a number.

    Parameters
    ----------
    points : ndarray of float, shape (n, 2)
        Values of the two features for each cell.
    names : tuple of str
        Names of the features, with units.
    colouring : ByClass or ByValue
        Colours of the cells; cells without a class are drawn below the others.
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
        If the lengths do not match.
    """
    points = validation.numbers(points, ("n", 2), "points")
    width = figure_width(figsize)
    figure, axes = one_panel(figsize, theme, width, height=min(width * 0.82, 4.6))
    axes.set_xlabel(symbols(names[0]))
    axes.set_ylabel(symbols(names[1]))
    size = 4.5 if len(points) < 500 else 3.2 if len(points) < 3000 else 2.2
    if isinstance(colouring, ByValue):
        values = np.asarray(validation.same_length(colouring.values, len(points), "values"), float)
        signed = colouring.signed
        known = np.isfinite(values)
        axes.plot(*points[~known].T, "o", ms=size, color=theme.muted, alpha=0.4, mew=0)
        low, high = (
            (0.0, 1.0) if not known.any() else (float(values[known].min()), float(values[known].max()))
        )
        if signed:
            high = max(float(np.percentile(np.abs(values[known]), 98)) if known.any() else 1.0, 1e-9)
            low = -high
        # the middle of the signed colour map is white, so it needs an outline on a white page
        shown = axes.scatter(
            points[known, 0], points[known, 1], c=values[known], s=size**2, cmap=SIGNED if signed else "viridis",
            vmin=low, vmax=max(high, low + 1e-9), edgecolors=theme.muted if signed else "none", linewidths=0.25,
        )  # fmt: skip
        colourbar(figure, shown, axes, plain(colouring.name), theme)
    else:
        labels = np.asarray(validation.same_length(colouring.labels, len(points), "labels"), dtype=str)
        if (labels == "").any():
            axes.plot(
                *points[labels == ""].T, "o", ms=size, color=theme.muted, alpha=0.45, mew=0, label="no class"
            )
        for name, colour in colours_of_labels(labels, colouring.colours, theme.background).items():
            axes.plot(*points[labels == name].T, "o", ms=size, color=colour, mew=0, label=short_name(name))
        columns = 3 if width < 5 else 5
        legend(
            axes,
            theme,
            handles=row_by_row(axes.get_legend_handles_labels()[0], columns),
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=columns,
            markerscale=1.6,
            columnspacing=1,
            handletextpad=0.2,
        )
    return figure
