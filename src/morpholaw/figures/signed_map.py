"""Filled contours of a function of two variables with its zero line, for maps of responses and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from morpholaw.figures.style import SIGNED, ZERO_ON_MAP

_PALE = 1.3
"""Factor by which the colour range exceeds the values, so that lines and arrows are visible on the strongest ones."""


def draw_map(axes: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, lines: bool = False) -> Any:
    """Draw ``values`` (ny, nx) over ``x`` (nx,) and ``y`` (ny,); return the mappable for a colour bar.

    In all maps, blue is above zero and red below, and the zero line is dashed purple (paper, fig. 11). Points that are
    not finite stay empty.
    """
    shown = np.ma.masked_invalid(values)
    low, high = (float(shown.min()), float(shown.max())) if shown.count() else (0.0, 0.0)
    axes.set(xlim=(float(x.min()), float(x.max())), ylim=(float(y.min()), float(y.max())))
    norm, cmap = _colours(low, high)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-30):
        return axes.pcolormesh(x, y, shown, norm=norm, cmap=cmap, shading="nearest", rasterized=True)
    levels = MaxNLocator(30, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    drawn = axes.contourf(x, y, shown, levels=levels, norm=norm, cmap=cmap)
    drawn.set_edgecolor("face")  # no hairlines between the bands in SVG
    drawn.set_linewidth(0.3)
    if lines:
        axes.contour(x, y, shown, levels=levels[::2], colors="#00000070", linewidths=0.4, linestyles="-")
    if low < 0 < high:
        axes.contour(x, y, shown, levels=[0.0], colors=ZERO_ON_MAP, linewidths=1.5, linestyles="--")
    return drawn


def _colours(low: float, high: float) -> tuple[Normalize, str]:
    """Return the colours: white at zero if the values have both signs, else the palest colour nearest to zero."""
    limit = _PALE * (max(abs(low), abs(high)) or 1.0)
    span = _PALE * (high - low)
    if low < 0 < high or span == 0:
        return Normalize(-limit, limit), SIGNED
    return (Normalize(low, low + span), "Blues") if low >= 0 else (Normalize(high - span, high), "Reds_r")
