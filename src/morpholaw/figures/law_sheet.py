"""Rows of cells that illustrate a law: typical cells of each class, and cells near the boundary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.figures.style import LIGHT, SMALL, FigSize, Theme, figure_width, new_figure, plain


def law_sheet(
    rows: Sequence[np.ndarray],
    titles: Sequence[str],
    captions: Sequence[Sequence[str]] = (),
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot rows of crops with a title above each row and a caption below each crop.

    Parameters
    ----------
    rows : sequence of ndarray of uint8, shape (n, s, s)
        Crops of each row; a row may be empty.
    titles : sequence of str
        One title per row; "" for none.
    captions : sequence of sequence of str
        One caption per crop, by row; none by default.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure
    """
    columns = max((len(row) for row in rows), default=1) or 1
    width = figure_width(figsize, 6.0)
    cell = width / columns
    lines = max((one.count("\n") + 1 for row in captions for one in row), default=0)
    text = 0.06 + 0.15 * lines
    height = sum(cell + text + (0.28 if title else 0.0) for title in titles)
    figure = new_figure(figsize, theme, height=height, width=6.0)
    figure.set_layout_engine("none")
    figure.set_size_inches(width, height)
    white = max((int(np.quantile(row, 0.995)) for row in rows if len(row)), default=255) or 255
    top = height
    for place, (row, title) in enumerate(zip(rows, titles, strict=True)):
        if title:
            top -= 0.28
            figure.text(
                0.04 / width, (top + 0.07) / height, plain(title), color=theme.foreground, fontsize=SMALL + 1
            )
        for k, crop in enumerate(row):
            left, bottom = k * cell + 0.03, top - cell + 0.03
            axes = figure.add_axes(
                (left / width, bottom / height, (cell - 0.06) / width, (cell - 0.06) / height)
            )
            axes.imshow(crop, cmap="gray", vmin=0, vmax=white, interpolation="nearest")
            axes.set_axis_off()
            if captions:
                figure.text(
                    (left + (cell - 0.06) / 2) / width, (bottom - 0.05) / height, plain(captions[place][k]),
                    color=theme.foreground, fontsize=SMALL, ha="center", va="top",
                )  # fmt: skip
        top -= cell + text
    return figure
