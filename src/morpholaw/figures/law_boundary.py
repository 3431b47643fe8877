"""Plot of a law over inputs in units, with its boundary and labelled cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.figures.response import CellsOnMap, ResponseAxis, response_map_1d, response_map_2d
from morpholaw.figures.style import LIGHT, FigSize, Theme
from morpholaw.interpretation.components import readable
from morpholaw.interpretation.input_slice import InputSlice

DOTS = 300
"""Maximum number of labelled cells drawn per class."""


def law_boundary(
    computed: InputSlice,
    axis_labels: tuple[str, ...],
    classes: tuple[str, str],
    cells: CellsOnMap | None = None,
    *,
    held: str = "",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot a slice of a law, as a map with its boundary or as a curve.

    Parameters
    ----------
    computed : InputSlice
        The law over one or two inputs.
    axis_labels : tuple of str
        Names of the inputs, with units.
    classes : tuple of str
        Names of the classes of f < 0 and f >= 0.
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
    axes = [ResponseAxis(*pair) for pair in zip(computed.axes, axis_labels, strict=True)]
    if len(axes) == 1:
        return response_map_1d(
            axes[0],
            readable(computed.values, gaps=True),
            response_name="score f",
            title=held or None,
            theme=theme,
            figsize=figsize,
        )
    return response_map_2d(
        axes[0],
        axes[1],
        readable(computed.values),
        arrows=0,
        cells=cells,
        sides=classes,
        response_name="score f",
        title=held or None,
        theme=theme,
        figsize=figsize,
    )


def cells_on_map(x: np.ndarray, y: np.ndarray, labels: np.ndarray, colours: Mapping[str, str]) -> CellsOnMap:
    """Return at most `DOTS` cells per class, evenly spaced in the given order."""
    rows = drawn_rows(np.column_stack([x, y]), labels, tuple(colours))
    return CellsOnMap(x[rows], y[rows], labels[rows], colours)


def drawn_rows(places: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return row numbers, int64, of at most `DOTS` evenly spaced cells per class with finite ``places`` (n, axes)."""
    chosen = []
    for name in classes:
        of_class = np.flatnonzero((labels == name) & np.isfinite(places).all(axis=1))
        chosen.append(of_class[:: max(1, -(-len(of_class) // DOTS))])
    return np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
