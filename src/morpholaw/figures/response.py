"""Response maps of sub-networks: the output over one or two latents (paper, 6.3, fig. 7-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from morpholaw.figures import validation
from morpholaw.figures.palette import colours_on
from morpholaw.figures.picture_axis import picture_axis
from morpholaw.figures.signed_map import draw_map
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    FigSize,
    Theme,
    colourbar,
    heading,
    one_panel,
    plain,
    symbol,
)


@dataclass(frozen=True)
class CellsOnMap:
    """Labelled cells to draw as dots on a map.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
        Values of the two latents for each cell.
    labels : ndarray of str, shape (n,)
        Class of each cell.
    colours : mapping of str to str
        Colour of each class; cells of other classes are not drawn.
    """

    x: np.ndarray
    y: np.ndarray
    labels: np.ndarray
    colours: Mapping[str, str]


@dataclass(frozen=True)
class ResponseAxis:
    """One input of a response map.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Values at which the response was computed, increasing.
    name : str
        Label of the axis.
    pictures : ndarray of shape (k, s, s), optional
        Decoded cells to draw along the axis.
    picture_values : ndarray of shape (k,), optional
        Their values along the axis.
    """

    values: np.ndarray
    name: str
    pictures: np.ndarray | None = None
    picture_values: np.ndarray | None = None


def response_map_1d(
    axis: ResponseAxis,
    response: np.ndarray,
    *,
    response_name: str = "response",
    title: str | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the response of a sub-network with one input (paper, fig. 7b).

    Parameters
    ----------
    axis : ResponseAxis
        The input.
    response : ndarray
        Output of the sub-network, (n,).
    response_name : str
        Label of the y axis.
    title : str, optional
        Title of the figure.
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
    values = validation.numbers(axis.values, ("n",), "latent values")
    response = validation.numbers(response, (len(values),), "response")
    pictured = axis.pictures is not None
    figure, axes = one_panel(figsize, theme, 4.2, 0.78 if pictured else 0.7, fixed_aspect=pictured)
    axes.axhline(0, color=theme.zero, linewidth=1, linestyle="--")
    axes.plot(values, response, color=theme.positive, linewidth=1.6)
    axes.set_xlim(*_span(values))
    axes.set(xlabel=symbol(axis.name), ylabel=symbol(response_name))
    if title:
        heading(axes, plain(title), theme)
    if axis.pictures is not None and axis.picture_values is not None:
        axes.set_box_aspect(0.6)
        picture_axis(axes, "x", axis.pictures, axis.picture_values, theme, offset=0.06)
    return figure


def response_map_2d(
    across: ResponseAxis,
    up: ResponseAxis,
    response: np.ndarray,
    *,
    arrows: int = 12,
    cells: CellsOnMap | None = None,
    sides: tuple[str, str] | None = None,
    response_name: str = "response",
    title: str | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the response of a sub-network with two inputs: contours, gradient and decoded cells (paper, fig. 8-10).

    Parameters
    ----------
    across, up : ResponseAxis
        Inputs along x (nx values) and y (ny values).
    response : ndarray
        Output of the sub-network, (ny, nx).
    arrows : int
        Number of gradient arrows per side; 0 for none. The longest arrow marks the steepest point.
    cells : CellsOnMap, optional
        Labelled cells to draw as dots.
    sides : tuple of str, optional
        Meaning of responses below and above zero, written at the ends of the colour bar.
    response_name : str
        Label of the colour bar.
    title : str, optional
        Title of the figure.
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
    x = validation.numbers(across.values, ("nx",), "x values")
    y = validation.numbers(up.values, ("ny",), "y values")
    response = validation.numbers(response, (len(y), len(x)), "response")
    figure, axes = one_panel(figsize, theme, 4.6, 0.88, frame=True, fixed_aspect=True)
    drawn = draw_map(axes, x, y, response, lines=True)
    _gradient(axes, x, y, response, arrows)
    axes.set_box_aspect(1)
    axes.set(xlabel=symbol(across.name), ylabel=symbol(up.name))
    if title:
        heading(axes, plain(title), theme)
    if cells is not None:
        draw_cells(axes, cells, theme)
    both = across.pictures is not None and up.pictures is not None
    offset = 0.13 if both else 0.0  # so that the outermost images of both axes do not overlap in the corner
    if across.pictures is not None and across.picture_values is not None:
        picture_axis(axes, "x", across.pictures, across.picture_values, theme, offset)
    if up.pictures is not None and up.picture_values is not None:
        picture_axis(axes, "y", up.pictures, up.picture_values, theme, offset)
    bar = colourbar(figure, drawn, axes, symbol(response_name), theme, shrink=0.8, pad=0.02)
    if sides is not None:
        bar.ax.set_title(plain(sides[1]), fontsize=SMALL, color=theme.foreground, loc="left")
        bar.ax.set_xlabel(plain(sides[0]), fontsize=SMALL, color=theme.foreground, loc="left")
    return figure


def draw_cells(axes: Axes, cells: CellsOnMap, theme: Theme) -> None:
    """Draw the cells inside the limits of the axes, with rims that separate them from any colour of the map."""
    for name, colour in colours_on(theme.background, tuple(cells.colours), cells.colours).items():
        chosen = cells.labels == name
        axes.scatter(
            cells.x[chosen], cells.y[chosen], s=9, color=colour, edgecolors=theme.background, linewidths=0.3
        )


def _gradient(axes: Axes, x: np.ndarray, y: np.ndarray, response: np.ndarray, count: int) -> None:
    """Draw grey arrows along the gradient, on an even grid."""
    if count < 1 or min(response.shape) < 2:
        return
    dy, dx = np.gradient(response, y, x)
    rows = np.unique(np.linspace(0, len(y) - 1, count + 2).round().astype(int)[1:-1])
    columns = np.unique(np.linspace(0, len(x) - 1, count + 2).round().astype(int)[1:-1])
    u, v = dx[np.ix_(rows, columns)], dy[np.ix_(rows, columns)]
    steepest = np.nanmax(np.hypot(u, v), initial=0)
    if not np.isfinite(steepest) or steepest <= 1e-9:
        return
    spacing = (x[-1] - x[0]) / (count + 1)
    axes.quiver(
        x[columns], y[rows], u, v, color="#555555", alpha=0.75, angles="xy", scale_units="xy",
        scale=steepest / spacing, pivot="mid", width=0.004, headwidth=4,
    )  # fmt: skip


def _span(values: np.ndarray) -> tuple[float, float]:
    """Return non-empty axis limits for ``values``."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
