"""Where a law changes the class, over inputs in units, with labelled cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.figures.response import CellsOnMap, ResponseAxis, response_map_1d, response_map_2d
from morpholaw.figures.style import LIGHT, FigSize, Theme
from morpholaw.interpretation.components import readable
from morpholaw.interpretation.input_slice import InputSlice

DOTS = 300
"""Labelled cells that are drawn of each class, at most."""


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
    """Draw a slice of a law as a map with its boundary, or as a curve.

    Parameters
    ----------
    computed : InputSlice
        The law over one or two inputs.
    axis_labels : tuple of str
        Names of these inputs, with units.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.
    cells : CellsOnMap, optional
        Labelled cells to draw as dots.
    held : str
        The heading: where the other inputs are held.
    theme, figsize
        See :mod:`morpholaw.figures`.
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
    """Return at most `DOTS` cells per class, evenly spaced among those given."""
    rows = drawn_rows(np.column_stack([x, y]), labels, tuple(colours))
    return CellsOnMap(x[rows], y[rows], labels[rows], colours)


def drawn_rows(places: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the rows of at most `DOTS` cells per class with a place, float64 (n, axes), evenly spaced; int64."""
    chosen = []
    for name in classes:
        of_class = np.flatnonzero((labels == name) & np.isfinite(places).all(axis=1))
        chosen.append(of_class[:: max(1, -(-len(of_class) // DOTS))])
    return np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
