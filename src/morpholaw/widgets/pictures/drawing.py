"""Draw matplotlib figures in a thread, so that the window does not wait for them.

Matplotlib is not thread-safe, so :data:`_TURN` lets only one thread draw at a time. No function of this module is
called in the window's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from morpholaw.figures.style import FigSize, Theme


Make = Callable[["FigSize", "Theme"], "Figure"]
DPI = 100
"""Dots per inch of figures on the screen."""
_TURN = threading.Lock()


@dataclass(frozen=True)
class Drawing:
    """A drawn figure.

    Attributes
    ----------
    canvas : matplotlib.backends.backend_agg.FigureCanvasAgg
        Canvas of the figure.
    pixels : ndarray, uint8 (height, width, 4)
        The figure as an RGBA image.
    """

    canvas: Any
    pixels: np.ndarray


def draw_figure(make: Make, width: int, dark: bool, ratio: float) -> Drawing:
    """Make and draw a figure.

    Parameters
    ----------
    make : callable
        Returns the figure for (width in inches, None) and a theme.
    width : int
        Width in pixels of the window.
    dark : bool
        Whether the theme is dark.
    ratio : float
        Screen pixels per pixel of the window.
    """
    with _TURN:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from morpholaw.figures.style import DARK, LIGHT

        figure = make((width / DPI, None), DARK if dark else LIGHT)
        canvas = FigureCanvasAgg(figure)
        figure.set_dpi(DPI * ratio)
        if (layout := figure.get_layout_engine()) is not None:
            layout.execute(figure)  # labels at a fixed distance need a second pass of the layout
        return Drawing(canvas, painted(canvas))


def painted(canvas: Any) -> np.ndarray:
    """Draw an Agg canvas and return it as an RGBA image, uint8 (height, width, 4)."""
    canvas.draw()
    return np.array(canvas.buffer_rgba(), np.uint8)


def in_turn(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function that uses matplotlib while no other thread uses it."""
    with _TURN:
        return function(*arguments)


Limits = tuple[float, float, float, float]
"""Lowest and highest x, then lowest and highest y, on display."""


@dataclass(frozen=True)
class PlacedDrawing(Drawing):
    """A drawn figure whose first axes show one point per cell.

    Attributes
    ----------
    places : ndarray, float (n, 2)
        Column and row of each point, in pixels of the window from the upper left corner.
    frame : ndarray, float (2, 2)
        Upper left and lower right corner of the axes, in the same pixels.
    limits : Limits
        Limits of the axes.
    """

    places: np.ndarray
    frame: np.ndarray
    limits: Limits

    def value_at(self, column: float, row: float) -> tuple[float, float]:
        """Return x and y at a pixel of the window."""
        (left, top), (right, bottom) = self.frame
        x0, x1, y0, y1 = self.limits
        across, up = (column - left) / (right - left), (bottom - row) / (bottom - top)
        return x0 + across * (x1 - x0), y0 + up * (y1 - y0)

    def zoomed(self, column: float, row: float, factor: float) -> Limits:
        """Return limits zoomed in by ``factor`` that keep the same values under a pixel of the window."""
        x, y = self.value_at(column, row)
        x0, x1, y0, y1 = self.limits
        low, high = (
            (x - (x - x0) / factor, x + (x1 - x) / factor),
            (y - (y - y0) / factor, y + (y1 - y) / factor),
        )
        return (*low, *high)


def draw_placed(
    make: Make, points: np.ndarray, limits: Limits | None, width: int, dark: bool, ratio: float
) -> PlacedDrawing:
    """Make and draw a figure, and locate ``points``, float (n, 2) in units of its first axes, in pixels."""
    drawn = draw_figure(partial(_limited, make, limits), width, dark, ratio)
    axes = drawn.canvas.figure.axes[0]
    height = drawn.pixels.shape[0]
    places = axes.transData.transform(points) if len(points) else np.empty((0, 2))
    box = axes.get_window_extent()
    frame = np.array([[box.x0, height - box.y1], [box.x1, height - box.y0]]) / ratio
    places = np.column_stack([places[:, 0], height - places[:, 1]]) / ratio
    new_limits = (*axes.get_xlim(), *axes.get_ylim())
    return PlacedDrawing(drawn.canvas, drawn.pixels, places, frame, new_limits)


def _limited(make: Callable[..., Figure], limits: Limits | None, figsize: Any, theme: Any) -> Figure:
    figure = make(figsize, theme)
    if limits is not None:
        figure.axes[0].set(xlim=limits[:2], ylim=limits[2:])
    return figure
