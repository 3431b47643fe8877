"""Map of the predicted class over two inputs, with labelled cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt

from morpholaw.figures.palette import colours_on
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
    row_by_row,
    short_name,
)
from morpholaw.interpretation.class_regions import ClassRegions

PALE = 0.45
"""Saturation of the regions; cells drawn on them have the full colour of their class."""
INSIDE = 0.82
"""Width of the map as a share of the figure's width."""


def class_regions(
    computed: ClassRegions,
    axis_labels: tuple[str, str],
    classes: Sequence[str],
    colours: Mapping[str, str] | None = None,
    cells: CellsOnMap | None = None,
    *,
    held: str = "",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the predicted class over two inputs as colours, with labelled cells as dots.

    Each class is named inside its region if there is room, because many colours are hard to tell apart.

    Parameters
    ----------
    computed : ClassRegions
        Predicted class over two inputs.
    axis_labels : tuple of str
        Names of the inputs, with units.
    classes : sequence of str
        Names of the classes.
    colours : dict of str to str, optional
        Colours of the classes; by default from :func:`morpholaw.figures.palette.class_colours`.
    cells : CellsOnMap, optional
        Labelled cells to draw as dots.
    held : str
        Heading that states the values of the other inputs.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure
    """
    width = figure_width(figsize, 5.4)
    columns = max(1, int(width / 1.5))
    lines = -(-len(classes) // columns)
    figure, axes = one_panel(figsize, theme, width, height=width * 0.72 + 0.17 * lines)
    x, y = computed.axes
    shown = colours_on(theme.background, classes, colours)
    for number, colour in enumerate(shown.values()):
        inside = np.pad((computed.called == number).astype(float), 1)
        if inside.any():
            edges = [np.r_[axis[0], axis, axis[-1]] for axis in (x, y)]
            axes.contourf(*edges, inside, levels=[0.5, 1.5], colors=[colour], alpha=PALE)
            axes.contour(*edges, inside, levels=[0.5], colors=[theme.foreground], linewidths=0.4)
    if cells is not None:
        draw_cells(axes, cells, theme)
    axes.set(
        xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=plain(axis_labels[0]), ylabel=plain(axis_labels[1])
    )
    _name_regions(axes, computed, classes, cells, width, theme)
    if held:
        heading(axes, plain(held), theme, SMALL)
    figure.legend(
        handles=row_by_row(
            [Patch(color=colour, label=short_name(name)) for name, colour in shown.items()], columns
        ),
        loc="outside lower center", ncols=columns, frameon=False, fontsize=SMALL, labelcolor=theme.foreground,
    )  # fmt: skip
    return figure


def _name_regions(
    axes: Axes,
    computed: ClassRegions,
    classes: Sequence[str],
    cells: CellsOnMap | None,
    width: float,
    theme: Theme,
) -> None:
    """Write the name of each class into its region, as far from edges and dots as possible."""
    x, y = computed.axes
    dots = np.zeros(computed.called.shape, bool)
    if cells is not None:
        dots[_nearest(y, cells.y), _nearest(x, cells.x)] = True
        dots = binary_dilation(dots, iterations=2)
    step = 72 * width * INSIDE / len(x)  # points per grid step of the map, about the same in both directions
    for number, name in enumerate(classes):
        box = (int(np.ceil(1.6 * SMALL / step)), int(np.ceil(0.62 * SMALL * (len(name) + 1) / step)))
        place = _roomiest((computed.called == number) & ~dots, box)
        if place is not None:
            axes.text(
                x[place[1]], y[place[0]], plain(name), ha="center", va="center", fontsize=SMALL,
                color=theme.foreground, path_effects=[withStroke(linewidth=1.5, foreground=theme.background)],
            )  # fmt: skip


def _nearest(axis: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the index of each value on an evenly spaced axis, int64; values outside are clipped to its ends."""
    places = np.nan_to_num((values - axis[0]) / (axis[-1] - axis[0])) * (len(axis) - 1)
    nearest: np.ndarray = np.clip(np.rint(places), 0, len(axis) - 1).astype(np.int64)
    return nearest


def _roomiest(free: np.ndarray, box: tuple[int, int]) -> tuple[int, int] | None:
    """Return the position of the box (rows, columns) in ``free`` that is farthest from edges; None if none fits."""
    fits = binary_erosion(free, np.ones(box, bool))
    if not fits.any():
        return None
    depth = distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(np.argmax(np.where(fits, depth, -1)), free.shape)
    return int(row), int(column)
