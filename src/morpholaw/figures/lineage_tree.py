"""Lineage trees: one line per cell over the frames, coloured by class or score, with divisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.palette import ByClass, ByValue, colours_of_labels
from morpholaw.figures.style import (
    LIGHT,
    SIGNED,
    SMALL,
    FigSize,
    Theme,
    colourbar,
    dress,
    figure_width,
    legend,
    new_figure,
    plain,
    row_by_row,
    short_name,
)


@dataclass(frozen=True)
class Tree:
    """Cells of some lineages, and their images.

    Attributes
    ----------
    names : sequence of str
        Name of each of the m cells, written beside its line.
    mother : ndarray of int64, shape (m,)
        Row of each cell's mother; -1 for none.
    cell : ndarray of int64, shape (n,)
        Row of the cell in each image.
    frame : ndarray of int64, shape (n,)
        Frame of each image.
    """

    names: Sequence[str]
    mother: np.ndarray
    cell: np.ndarray
    frame: np.ndarray


def tree_levels(mother: np.ndarray) -> np.ndarray:
    """Return the vertical position of each cell, float64 (m,), with a mother between her daughters."""
    daughters: dict[int, list[int]] = {}
    for cell, above in enumerate(mother.tolist()):
        daughters.setdefault(above, []).append(cell)
    levels = np.zeros(len(mother))
    order: list[int] = []
    waiting = daughters.get(-1, [])[::-1]
    while waiting:
        cell = waiting.pop()
        order.append(cell)
        waiting.extend(daughters.get(cell, [])[::-1])
    if len(order) != len(mother):
        raise InputError("A cell of the lineage tree is its own ancestor; check the parents in the tracks.")
    leaves = [cell for cell in order if cell not in daughters]
    levels[leaves] = np.arange(len(leaves))
    for cell in reversed(order):
        if cell in daughters:
            levels[cell] = np.mean(levels[daughters[cell]])
    return levels


def lineage_tree(
    tree: Tree,
    colouring: ByClass | ByValue,
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot lineages as trees over the frames of a movie.

    Parameters
    ----------
    tree : Tree
        Cells and their images.
    colouring : ByClass or ByValue
        Colours of the images; values are scores, white at zero.
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
        If the lengths do not match.
    """
    count, levels = len(tree.cell), tree_levels(np.asarray(tree.mother))
    lines = float(levels.max(initial=0)) + 1
    figure = new_figure(figsize, theme, min(1.6 + 0.19 * lines, 7.0))
    axes = dress(figure.add_subplot(), theme)
    first, last = (
        np.array([pick(tree.frame[tree.cell == cell], initial=start) for cell in range(len(levels))])
        for pick, start in ((np.min, np.iinfo(np.int64).max), (np.max, -1))
    )
    axes.hlines(levels, first - 0.5, last + 0.5, color=theme.muted, lw=0.8, zorder=1)
    for cell, mother in enumerate(np.asarray(tree.mother).tolist()):
        if mother >= 0:
            axes.plot(
                [last[mother] + 0.5, first[cell] - 0.5],
                levels[[mother, cell]],
                color=theme.muted,
                lw=0.8,
                zorder=1,
            )
    middle = levels[tree.cell]
    ends = np.stack([np.column_stack([tree.frame + side, middle]) for side in (-0.5, 0.5)], axis=1)
    thick = 6.0 if lines < 12 else 4.0
    if isinstance(colouring, ByValue):
        numbers = np.asarray(validation.same_length(colouring.values, count, "values"), float)
        limit = float(np.nanpercentile(np.abs(numbers), 98)) if np.isfinite(numbers).any() else 1.0
        known = np.isfinite(numbers)
        bars = LineCollection(ends[known], array=numbers[known], cmap=SIGNED, linewidths=thick, zorder=2)
        bars.set_clim(-max(limit, 1e-9), max(limit, 1e-9))
        axes.add_collection(bars)
        colourbar(figure, bars, axes, plain(colouring.name), theme)
    else:
        labels = np.asarray(validation.same_length(colouring.labels, count, "labels"), dtype=str)
        colour_of = colours_of_labels(labels, colouring.colours, theme.background)
        known = labels != ""
        if known.any():
            colour = to_rgba_array([colour_of[name] for name in labels[known]])
            axes.add_collection(LineCollection(ends[known], colors=colour, linewidths=thick, zorder=2))
        handles = [
            Line2D([], [], color=colour, lw=thick, label=short_name(name))
            for name, colour in colour_of.items()
        ]
        if handles:
            handles = row_by_row(handles, 3)
            legend(axes, theme, handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    if lines <= 45:
        axes.set_yticks(levels, [plain(name) for name in tree.names], fontsize=SMALL if lines < 30 else 6)
    else:
        axes.set_yticks([])
    room = max(float(last.max(initial=0)) * 0.01, 0.6)
    axes.set(
        xlim=(float(first.min(initial=0)) - room, float(last.max(initial=0)) + room), ylim=(lines - 0.4, -0.6)
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("frame")
    axes.set_ylabel("track" if figure_width(figsize) > 2 else "")
    return figure
