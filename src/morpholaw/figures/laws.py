"""Laws as pictures: their components, their boundary, the front they were chosen from (paper, fig. 11-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from morpholaw.errors import InputError
from morpholaw.figures import checks
from morpholaw.figures.signed_map import draw_map
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    TEXT,
    FigSize,
    Theme,
    class_colours,
    colourbar,
    columns_for,
    dress,
    figure_width,
    formula,
    heading,
    legend,
    new_figure,
    note,
    number,
    panels,
    plain,
    symbol,
    symbols,
)


@dataclass(frozen=True)
class Component:
    """An additive or multiplicative part of a law over the one or two latents it depends on.

    ``grids`` holds a rising (n,) array for each of ``names``; ``values`` is (n,) for one latent and
    (n_second, n_first) for two. ``latex`` is the part's formula.
    """

    latex: str
    names: tuple[str, ...]
    grids: tuple[np.ndarray, ...]
    values: np.ndarray


def law_components(
    components: Sequence[Component],
    *,
    columns: int | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Each component of a law over its inputs; dashed purple is zero (paper, fig. 11 and 13).

    Parameters
    ----------
    components
        Curves for one latent, maps for two.
    columns
        Panels in a row; as many as are readable where empty.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If there is none, one has no or more than two latents, or its arrays don't agree.
    """
    if not components:
        raise InputError("The law has no component to draw; at least one is needed.")
    width = figure_width(figsize)
    columns = columns or columns_for(len(components), width, 2.1)
    rows = -(-len(components) // columns)
    figure = new_figure(figsize, theme, height=rows * min(width / columns * 0.82, 2.6))
    grid = panels(figure, rows, columns, theme)
    for axes, component in zip(grid.flat, components, strict=False):
        _draw_component(figure, axes, component, theme)
        heading(axes, formula(component.latex), theme, size=TEXT + 1)
    for axes in grid.flat[len(components) :]:
        axes.set_axis_off()
    return figure


def _draw_component(figure: Figure, axes: Axes, component: Component, theme: Theme) -> None:
    """A curve with its zero, or a map with its zero contour."""
    names = [symbol(name) for name in component.names]
    if len(names) not in (1, 2) or len(component.grids) != len(names):
        raise InputError(
            f"A component can be drawn over one or two latents with a grid each, not over {len(names)}."
        )
    grids = [checks.numbers(grid, ("n",), "grid of a latent") for grid in component.grids]
    values = checks.numbers(
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


def boundary_slices(
    scores: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    slice_values: np.ndarray,
    names: tuple[str, str, str],
    *,
    classes: tuple[str, str] = ("interphase", "metaphase"),
    held: str = "",
    columns: int | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Where a law decides for which class, slice by slice through a third latent (paper, fig. 12).

    Parameters
    ----------
    scores
        (slices, ny, nx), f over both latents in each slice.
    x, y, slice_values
        (nx,), (ny,), (slices,): values of the three latents.
    names
        Names of the latents along x, along y and through the slices.
    classes
        Names of the classes of f < 0 and f >= 0 (eq. 2).
    held
        What the other latents are held at, e.g. "z21 = 0".
    columns
        Slices in a row; as many as are readable where empty.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If the shapes don't agree.
    """
    x, y = checks.numbers(x, ("nx",), "x values"), checks.numbers(y, ("ny",), "y values")
    scores = checks.numbers(scores, ("slices", len(y), len(x)), "scores")
    slice_values = checks.numbers(slice_values, (len(scores),), "slice values")
    width = figure_width(figsize)
    columns = columns or columns_for(len(scores), width, 1.25)
    rows = -(-len(scores) // columns)
    figure = new_figure(figsize, theme, height=rows * (width / columns * 0.92 + 0.2) + 0.5)
    grid = panels(figure, rows, columns, theme, frame=True, sharex=True, sharey=True)
    colours = class_colours(classes)
    for axes, score, value in zip(grid.flat, scores, slice_values, strict=False):
        _draw_regions(axes, x, y, score, colours, theme)
        heading(axes, f"{symbol(names[2])} = {number(value, 1)}", theme, size=SMALL)
    for axes in grid.flat[len(scores) :]:
        axes.set_axis_off()
    below = f"{symbol(names[0])}   ({symbols(held)})" if held else symbol(names[0])
    figure.supxlabel(below, fontsize=TEXT, color=theme.foreground)
    figure.supylabel(symbol(names[1]), fontsize=TEXT, color=theme.foreground)
    handles: list[Any] = [
        Patch(facecolor=colour, alpha=0.55, label=f"{plain(name)} ({sign})")
        for colour, name, sign in zip(colours, classes, ("f < 0", "f ≥ 0"), strict=True)
    ]
    handles.append(Line2D([], [], color=theme.zero, linewidth=1.5, label="f = 0"))
    figure.legend(
        handles=handles, loc="outside upper center", ncols=3 if width > 4 else 2,
        frameon=False, fontsize=SMALL, labelcolor=theme.foreground,
    )  # fmt: skip
    return figure


def _draw_regions(
    axes: Axes, x: np.ndarray, y: np.ndarray, score: np.ndarray, colours: list[str], theme: Theme
) -> None:
    """Fill both regions and draw f = 0 between them; places where f isn't finite stay empty."""
    shown = np.ma.masked_invalid(score)
    axes.set(xlim=(x.min(), x.max()), ylim=(y.min(), y.max()))
    axes.set_box_aspect(1)
    if not shown.count():
        note(axes, "not finite", theme)
        return
    low, high = float(shown.min()), float(shown.max())
    axes.contourf(x, y, shown, levels=[min(low, 0) - 1, 0, max(high, 0) + 1], colors=colours, alpha=0.55)
    if low < 0 <= high:
        axes.contour(x, y, shown, levels=[0.0], colors=theme.zero, linewidths=1.5)


def boundary_surface(
    vertices: np.ndarray,
    faces: np.ndarray,
    names: tuple[str, str, str],
    *,
    limits: tuple[float, float] = (-3.0, 3.0),
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """The surface f = 0 in three latents, e.g. from marching cubes.

    Parameters
    ----------
    vertices, faces
        (n, 3) points in latent space and (m, 3) int, three vertices a triangle.
    names
        Names of the three latents.
    limits
        Range of all three axes.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If the shapes are wrong.
    """
    vertices = checks.numbers(vertices, ("n", 3), "vertices")
    faces = checks.numbers(faces, ("m", 3), "faces").astype(int)
    width = figure_width(figsize, 4.6)
    figure = new_figure(figsize, theme, height=width * 0.9, width=4.6)
    axes = figure.add_subplot(projection="3d")
    dress(axes, theme, frame=True)
    if len(faces):
        height = vertices[faces][:, :, 2].mean(1)
        surface = Poly3DCollection(vertices[faces], linewidths=0.1, edgecolors="#00000040")
        surface.set(array=height, cmap="cividis", alpha=0.9)
        surface.autoscale()
        axes.add_collection3d(surface)
    else:
        axes.text2D(0.5, 0.5, "no boundary here", transform=axes.transAxes, ha="center", color=theme.muted)
    axes.set(xlim=limits, ylim=limits, zlim=limits)
    for axis, name in zip((axes.xaxis, axes.yaxis, axes.zaxis), names, strict=True):
        axis.set_label_text(symbol(name), fontsize=TEXT, color=theme.foreground)
        axis.set_pane_color(theme.background)
        axis._axinfo["grid"].update(color=theme.muted + "50", linewidth=0.5)
        axis.line.set_color(theme.muted)
        axis.set_tick_params(colors=theme.foreground, labelsize=SMALL, pad=-2)
        axis.labelpad = -4
    axes.set_box_aspect((1, 1, 1), zoom=0.92)
    return figure


def law_front(
    complexity: np.ndarray,
    value: np.ndarray,
    *,
    measure: Literal["accuracy", "loss"] = "accuracy",
    chosen: int | None = None,
    complexity_name: str = "complexity",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Accuracy or loss of the expressions found, against complexity, with their Pareto front.

    Parameters
    ----------
    complexity, value
        (n,) each; ``value`` is a share in [0, 1] for accuracy. Values that are not finite are left out.
    measure
        Whether higher (accuracy) or lower (loss) is better.
    chosen
        Index of the expression to mark.
    complexity_name
        Label of the x axis: "complexity", or "expression size (nodes)".
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    complexity = checks.numbers(complexity, ("n",), "complexity")
    value = checks.numbers(value, (len(complexity),), measure) * (100 if measure == "accuracy" else 1)
    width = figure_width(figsize, 4.2)
    figure = new_figure(figsize, theme, height=width * 0.65, width=4.2)
    axes = dress(figure.add_subplot(), theme)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel=complexity_name, ylabel="accuracy (%)" if measure == "accuracy" else "loss")
    best = pareto(complexity, value if measure == "loss" else -value)
    if not len(best):
        note(axes, "no finite expression", theme)
        return figure
    axes.scatter(
        complexity, value, s=12, color=theme.muted, alpha=0.6, linewidths=0, label="expressions found"
    )
    axes.step(complexity[best], value[best], where="post", color=theme.positive, linewidth=1.4)
    axes.scatter(complexity[best], value[best], s=18, color=theme.positive, zorder=3, label="Pareto front")
    if chosen is not None:
        axes.scatter(
            complexity[chosen], value[chosen], s=130, marker="*", color=theme.schemes[0],
            edgecolors=theme.background, zorder=4, label="chosen",
        )  # fmt: skip
    legend(axes, theme, loc="lower right" if measure == "accuracy" else "upper right")
    return figure


def pareto(cost: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Indices of the points that no other beats in both ``cost`` and ``loss``, by rising cost."""
    usable = np.flatnonzero(np.isfinite(cost) & np.isfinite(loss))
    front, best = [], np.inf
    for index in usable[np.lexsort((loss[usable], cost[usable]))]:
        if loss[index] < best:
            front.append(int(index))
            best = loss[index]
    return np.array(front, dtype=int)
