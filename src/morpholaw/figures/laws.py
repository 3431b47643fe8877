"""Figures of laws: their components, and the Pareto front of a search (paper, fig. 11 and 13)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.signed_map import draw_map
from morpholaw.figures.style import (
    LIGHT,
    TEXT,
    FigSize,
    Theme,
    colourbar,
    columns_for,
    figure_width,
    formula,
    heading,
    legend,
    note,
    one_panel,
    panel_grid,
    symbol,
)
from morpholaw.interpretation.components import SampledPart
from morpholaw.models.pareto import pareto_front

SMALLEST = 6.0
"""Smallest font size of a formula above a component, in points."""


def law_components(
    components: Sequence[SampledPart],
    *,
    units: Mapping[str, str] | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot each component of a law over its inputs; zero is dashed purple (paper, fig. 11 and 13).

    Parameters
    ----------
    components : sequence of SampledPart
        Components of one latent (curves) or two (maps).
    units : mapping of str to str, optional
        Units of inputs, for the axes.
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
        If there are no components, one has no or more than two latents, or its arrays do not match.
    """
    if not components:
        raise InputError("The law has no component to draw; at least one is needed.")
    columns = columns_for(len(components), figure_width(figsize), 2.1)
    figure, grid = panel_grid(figsize, theme, len(components), 2.1, lambda width: min(width * 0.82, 2.6))
    for axes, component in zip(grid, components, strict=True):
        _draw_component(figure, axes, component, units or {}, theme)
        room = 0.95 * 72 * figure_width(figsize) / columns
        lines, size = _fitted(component.latex, room)
        heading(axes, "\n".join(lines), theme, size=size)
    return figure


def _fitted(latex: str, room: float) -> tuple[list[str], float]:
    """Return a formula in lines, broken between factors, and the font size at which they are ``room`` points wide."""
    size = TEXT + 1
    while True:
        lines: list[str] = []
        for factor in _factors(latex):
            longer = formula(rf"{lines[-1].strip('$')} \, {factor}") if lines else ""
            if lines and _extent(longer, size) <= room:
                lines[-1] = longer
            else:
                lines.append(formula(factor))
        if size <= SMALLEST or max(_extent(line, size) for line in lines) <= room:
            return lines, size
        size -= 0.5


def _factors(latex: str) -> list[str]:
    """Return the parts between which a formula may be broken: factors that stand in no bracket."""
    factors, depth = [""], 0
    for part in re.split(r"(\\left|\\right|[{}]| \\, )", latex):
        depth += {"\\left": 1, "{": 1, "\\right": -1, "}": -1}.get(part, 0)
        if part == r" \, " and depth == 0:
            factors.append("")
        else:
            factors[-1] += part
    return factors


def _extent(text: str, size: float) -> float:
    """Return how wide a line is in points."""
    return float(TextPath((0, 0), text, size=size).get_extents().width)


def _draw_component(
    figure: Figure, axes: Axes, component: SampledPart, units: Mapping[str, str], theme: Theme
) -> None:
    """Draw a curve with its zero line, or a map with its zero contour."""
    names = [symbol(f"{name} ({units[name]})" if units.get(name) else name) for name in component.names]
    if len(names) not in (1, 2) or len(component.grids) != len(names):
        raise InputError(
            f"A component can only be drawn over one or two latents with a grid each, not over {len(names)}."
        )
    grids = [validation.numbers(grid, ("n",), "grid of a latent") for grid in component.grids]
    values = validation.numbers(
        component.values, tuple(len(grid) for grid in reversed(grids)), "values of a component"
    )
    if len(grids) == 1:
        axes.axhline(0, color=theme.zero, linestyle="--", linewidth=1.2)
        axes.plot(grids[0], values, color=theme.positive, linewidth=1.6)
        axes.set(xlabel=names[0], ylabel="value of the component")
        return
    drawn = draw_map(axes, grids[0], grids[1], values)
    axes.set(xlabel=names[0], ylabel=names[1])
    colourbar(figure, drawn, axes, "value", theme, pad=0.02)


def law_front(
    complexity: np.ndarray,
    value: np.ndarray,
    *,
    measure: Literal["accuracy", "loss"] = "accuracy",
    chosen: int | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the accuracy or loss of expressions against their complexity, with the Pareto front.

    Parameters
    ----------
    complexity, value : ndarray
        Complexity and accuracy (in [0, 1]) or loss of each expression, (n,). Values that are not finite are left out.
    measure : {"accuracy", "loss"}
        Meaning of ``value``.
    chosen : int, optional
        Index of the expression to mark.
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
        If the shapes differ.
    """
    complexity = validation.numbers(complexity, ("n",), "complexity")
    value = validation.numbers(value, (len(complexity),), measure) * (100 if measure == "accuracy" else 1)
    figure, axes = one_panel(figsize, theme, 4.2, 0.65)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="complexity", ylabel="accuracy (%)" if measure == "accuracy" else "loss")
    sign = 1 if measure == "loss" else -1
    best = pareto_front(range(len(value)), key=lambda k: (complexity[k], sign * value[k]))
    if not len(best):
        note(axes, "no finite expression", theme)
        return figure
    axes.scatter(
        complexity,
        value,
        s=12,
        color=theme.muted,
        alpha=0.6,
        linewidths=0,
        clip_on=False,
        label="expressions found",
    )
    axes.step(complexity[best], value[best], where="post", color=theme.positive, linewidth=1.4)
    axes.scatter(
        complexity[best],
        value[best],
        s=18,
        color=theme.positive,
        zorder=3,
        clip_on=False,
        label="Pareto front",
    )
    if chosen is not None:
        axes.scatter(
            complexity[chosen], value[chosen], s=130, marker="*", color=theme.schemes[0],
            edgecolors=theme.background, zorder=4, clip_on=False, label="chosen",
        )  # fmt: skip
    finite = np.isfinite(value)
    axes.set_xlim(*_with_margin(complexity[finite], 1.0))
    if measure == "accuracy":
        low, high = _with_margin(value[finite], 1.0)
        axes.set_ylim(max(low, 0.0), min(high, 100.0))
    legend(axes, theme, loc="lower right" if measure == "accuracy" else "upper right")
    return figure


def _with_margin(values: np.ndarray, least: float) -> tuple[float, float]:
    """Return axis limits with a margin of at least ``least`` beyond the smallest and the largest value."""
    low, high = float(values.min()), float(values.max())
    margin = max(least, 0.06 * (high - low))
    return low - margin, high + margin
