"""Matplotlib at work in a thread, so that the window does not wait for a figure to be drawn.

Matplotlib is not safe to use in two threads at once; :data:`_TURN` lets one thread draw at a time. No function here
is called in the thread of the window.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
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
    """A figure that was drawn.

    Attributes
    ----------
    canvas : matplotlib.backends.backend_agg.FigureCanvasAgg
        The figure's canvas.
    pixels : ndarray
        Its colours, uint8 (height, width, 4).
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
        Whether the window is dark.
    ratio : float
        Pixels of the screen per pixel of the window.
    """
    with _TURN:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from morpholaw.figures.style import DARK, LIGHT

        figure = make((width / DPI, None), DARK if dark else LIGHT)
        canvas = FigureCanvasAgg(figure)
        figure.set_dpi(DPI * ratio)
        if (layout := figure.get_layout_engine()) is not None:
            layout.execute(figure)  # labels at a fixed distance find their place in a second pass
        return Drawing(canvas, painted(canvas))


def painted(canvas: Any) -> np.ndarray:
    """Draw on an Agg canvas and return the colours, uint8 (height, width, 4)."""
    canvas.draw()
    return np.array(canvas.buffer_rgba(), np.uint8)


def in_turn(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function that uses matplotlib while no other thread does."""
    with _TURN:
        return function(*arguments)
