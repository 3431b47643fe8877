"""Where each of several classes is called over two inputs, with labelled cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from morpholaw.figures.response import CellsOnMap, draw_cells
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    FigSize,
    Theme,
    figure_width,
    heading,
    one_panel,
    plain,
)
from morpholaw.interpretation.class_regions import ClassRegions

PALE = 0.45
"""How strongly a region shows the colour of its class: the cells on it have all of it."""


def class_regions(
    computed: ClassRegions,
    axis_labels: tuple[str, str],
    classes: Sequence[str],
    colours: Sequence[str],
    cells: CellsOnMap | None = None,
    *,
    held: str = "",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Draw a map whose colour is the class, with labelled cells as dots.

    Parameters
    ----------
    computed : ClassRegions
        The class over two inputs.
    axis_labels : (str, str)
        Names of these inputs, with units.
    classes, colours : sequence of str
        Names of the classes and their colours.
    cells : CellsOnMap, optional
        Labelled cells to draw as dots.
    held : str
        The heading: where the other inputs are held.
    theme, figsize
        See :mod:`morpholaw.figures`.
    """
    width = figure_width(figsize, 5.4)
    columns = max(1, int(width / 1.5))
    lines = -(-len(classes) // columns)
    figure, axes = one_panel(figsize, theme, width, height=width * 0.72 + 0.17 * lines)
    x, y = computed.axes
    for number, colour in enumerate(colours):
        inside = np.pad((computed.called == number).astype(float), 1)
        if inside.any():
            edges = [np.r_[axis[0], axis, axis[-1]] for axis in (x, y)]
            axes.contourf(*edges, inside, levels=[0.5, 1.5], colors=[colour], alpha=PALE)
            axes.contour(*edges, inside, levels=[0.5], colors=[theme.foreground], linewidths=0.4)
    if cells is not None:
        draw_cells(axes, cells)
    axes.set(
        xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=plain(axis_labels[0]), ylabel=plain(axis_labels[1])
    )
    if held:
        heading(axes, plain(held), theme, SMALL)
    figure.legend(
        handles=[Patch(color=colour, label=plain(name)) for name, colour in zip(classes, colours, strict=True)],
        loc="outside lower center", ncols=columns, frameon=False, fontsize=SMALL, labelcolor=theme.foreground,
    )  # fmt: skip
    return figure
