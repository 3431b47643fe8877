"""A function of two latents as filled contours, with its zero line: what maps of responses and laws share."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm

from morpholaw.figures.style import SIGNED, ZERO_ON_MAP

_LINE = "#00000070"  # a map is equally pale in every theme


def draw_map(axes: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, lines: bool = False) -> Any:
    """Draw ``values`` (ny, nx) over ``x`` (nx,) and ``y`` (ny,); returns what a colour bar needs.

    White is zero where the values have both signs; else the colours span the values. The line of zero
    is dashed purple (paper, fig. 11). Values that are not finite stay empty.
    """
    shown = np.ma.masked_invalid(values)
    low, high = (float(shown.min()), float(shown.max())) if shown.count() else (0.0, 0.0)
    flat = high - low <= 1e-9 * max(abs(low), abs(high), 1e-30)
    limit = max(abs(low), abs(high)) or 1.0
    crosses = low < 0 < high
    norm: Normalize = TwoSlopeNorm(0, -limit, limit) if crosses or flat else Normalize(low, high)
    cmap = SIGNED if crosses or flat else ("cividis" if low >= 0 else "cividis_r")
    if flat:
        drawn: Any = axes.pcolormesh(x, y, shown, norm=norm, cmap=cmap, shading="nearest", rasterized=True)
    else:
        levels = np.linspace(-limit, limit, 25) if crosses else np.linspace(low, high, 17)
        levels = levels[(levels > low - (levels[1] - levels[0])) & (levels < high + (levels[1] - levels[0]))]
        drawn = axes.contourf(x, y, shown, levels=levels, norm=norm, cmap=cmap)
        drawn.set_edgecolor("face")  # no hairlines between the bands in SVG
        drawn.set_linewidth(0.3)
        if lines:
            axes.contour(x, y, shown, levels=levels[::2], colors=_LINE, linewidths=0.4, linestyles="-")
    if crosses:
        axes.contour(x, y, shown, levels=[0.0], colors=ZERO_ON_MAP, linewidths=1.5, linestyles="--")
    axes.set(xlim=(float(x.min()), float(x.max())), ylim=(float(y.min()), float(y.max())))
    return drawn
