"""The search of RigL's settings: what mattered, and where the good trials lie (paper, B.3.1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from morpholaw.display import number
from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.style import (
    LIGHT,
    FigSize,
    Theme,
    colourbar,
    columns_for,
    dress,
    figure_width,
    new_figure,
    panels,
    plain,
)


def tuning_importances(
    importances: Mapping[str, float], *, theme: Theme = LIGHT, figsize: FigSize = None
) -> Figure:
    """How much of the objective's variation each setting explains, as bars.

    Parameters
    ----------
    importances
        Setting to its share in [0, 1].
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If there is none.
    """
    if not importances:
        raise InputError("There are no importances to draw; at least one setting is needed.")
    names = sorted(importances, key=lambda name: importances[name])
    shares = np.array([importances[name] for name in names], dtype=float)
    width = figure_width(figsize, 4.2)
    figure = new_figure(figsize, theme, height=0.36 * len(names) + 0.6, width=4.2)
    axes = dress(figure.add_subplot(), theme)
    bars = axes.barh(range(len(names)), np.nan_to_num(shares), color=theme.schemes[1], height=0.65)
    axes.bar_label(bars, [number(share) for share in shares], padding=3, color=theme.foreground, fontsize=7)
    axes.set_yticks(range(len(names)), [plain(name) for name in names])
    axes.set_xlim(0, max(float(np.nanmax(shares, initial=0)), 0.01) * 1.15)
    axes.set(
        xlabel="importance" if width < 4 else "importance (share of the objective's variance)",
        ylabel="setting",
    )
    return figure


def tuning_slices(
    settings: Mapping[str, np.ndarray],
    objective: np.ndarray,
    *,
    objective_name: str = "accuracy + sparsity",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Draw the objective against each setting, one point per trial, coloured by its order; the best is marked.

    Parameters
    ----------
    settings
        Setting to its (trials,) values, e.g. S, delta T, alpha.
    objective
        (trials,), NaN for trials that failed.
    objective_name
        Label of the y axis.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If there is no setting, or lengths differ.
    """
    if not settings:
        raise InputError("There are no settings to draw; at least one is needed.")
    objective = validation.numbers(objective, ("trials",), "objective")
    width = figure_width(figsize)
    columns = columns_for(len(settings), width, 1.7)
    rows = -(-len(settings) // columns)
    figure = new_figure(figsize, theme, height=rows * min(width / columns, 2.4))
    grid = panels(figure, rows, columns, theme, sharey=True)
    trials = np.arange(1, len(objective) + 1)
    drawn = None
    for axes, (name, values) in zip(grid.flat, settings.items(), strict=False):
        values = validation.numbers(values, (len(objective),), f"values of {name}")
        drawn = axes.scatter(values, objective, c=trials, cmap="viridis", s=12, linewidths=0, alpha=0.9)
        if np.isfinite(objective).any():
            best = int(np.nanargmax(objective))
            axes.scatter(
                values[best], objective[best], marker="*", s=120, color=theme.schemes[0],
                edgecolors=theme.background, linewidths=0.6, zorder=3,
            )  # fmt: skip
        axes.set_xlabel(plain(name))
    for axes in grid[:, 0]:
        axes.set_ylabel(plain(objective_name))
    for axes in grid.flat[len(settings) :]:
        axes.set_axis_off()
    colourbar(figure, drawn, list(grid.flat), "trial", theme, pad=0.02)
    return figure
