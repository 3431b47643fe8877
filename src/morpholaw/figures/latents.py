"""Figures of latent space: pairs of latents, and the information in each latent (paper, fig. 27 and 6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from morpholaw.display import correlation
from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.palette import colours_of_labels
from morpholaw.figures.style import (
    LIGHT,
    MARKERS,
    SMALL,
    FigSize,
    Theme,
    colourbar,
    figure_width,
    new_figure,
    panel_grid,
    panels,
    plain,
    symbol,
)


def latent_scatter(
    latents: np.ndarray,
    names: Sequence[str],
    labels: Sequence[str],
    *,
    blank: tuple[np.ndarray, np.ndarray] | None = None,
    blank_name: str = "blank image",
    colours: Mapping[str, str] | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot cells over pairs of neighbouring latents, coloured by class, with a blank image (paper, fig. 27).

    Parameters
    ----------
    latents : ndarray
        Encoder means, (n, v).
    names : sequence of str
        Names of the v latents.
    labels : sequence of str
        Class of each cell; "" for cells without a class, which are grey.
    blank : tuple of ndarray, optional
        Mean (v,) and standard deviation (v,) of the encoding of an image to mark, with ellipses at one and two standard
        deviations.
    blank_name : str
        Name of that image.
    colours : mapping of str to str, optional
        Colour of each class; by default from :func:`morpholaw.figures.palette.class_colours`.
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
        If the shapes do not match or there are no latents.
    """
    latents = validation.numbers(latents, ("n", "v"), "latents")
    validation.same_length(names, latents.shape[1], "latent names")
    classes = np.asarray(validation.same_length(labels, len(latents), "labels"), dtype=str)
    if not len(names):
        raise InputError("There are no latents to draw; at least one is needed.")
    pairs = _pairs_of_neighbours(len(names))
    figure, grid = panel_grid(figsize, theme, len(pairs), 2.2, lambda width: min(width, 3.4), above=0.3)
    for axes, (first, second) in zip(grid, pairs, strict=True):
        _scatter(axes, latents[:, first], latents[:, second], classes, colours or {}, theme)
        if blank is not None:
            mean, sd = (validation.numbers(part, (latents.shape[1],), "blank encoding") for part in blank)
            _mark_blank(axes, mean[[first, second]], sd[[first, second]], plain(blank_name), theme)
        axes.set(xlabel=symbol(names[first]), ylabel=symbol(names[second]))
    handles, texts = grid[0].get_legend_handles_labels()
    figure.legend(
        handles, texts, loc="outside upper center", ncols=max(1, min(len(texts), int(figure_width(figsize) / 1.1))),
        frameon=False, fontsize=SMALL, labelcolor=theme.foreground, markerscale=1.6,
    )  # fmt: skip
    return figure


def _pairs_of_neighbours(count: int) -> list[tuple[int, int]]:
    """Return pairs of neighbouring latents; a single latent is paired with itself."""
    return [(index, min(index + 1, count - 1)) for index in range(0, count, 2)]


def _scatter(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    classes: np.ndarray,
    colours: Mapping[str, str],
    theme: Theme,
) -> None:
    """Draw points by class, cells without a class first; many points are rasterised, so that an SVG stays small."""
    size = float(np.clip(3000 / max(len(x), 1), 2, 12))
    look: dict[str, Any] = {"s": size, "linewidths": 0, "rasterized": len(x) > 1000}
    if "" in classes:
        chosen = classes == ""
        axes.scatter(x[chosen], y[chosen], color=theme.muted, alpha=0.35, label="no label", **look)
    shown = colours_of_labels(classes, colours, theme.background)
    for (name, colour), marker in zip(shown.items(), MARKERS * len(shown), strict=False):
        chosen = classes == name
        axes.scatter(x[chosen], y[chosen], color=colour, marker=marker, alpha=0.6, label=plain(name), **look)


def _mark_blank(axes: Axes, mean: np.ndarray, sd: np.ndarray, name: str, theme: Theme) -> None:
    """Draw a cross at the mean of an encoding, and ellipses at one and two standard deviations."""
    for times in (1, 2):
        axes.add_patch(
            Ellipse(
                (mean[0], mean[1]),
                2 * times * sd[0],
                2 * times * sd[1],
                fill=False,
                edgecolor=theme.zero,
                linewidth=1.2,
            )
        )
    axes.plot(
        mean[0], mean[1], "X", color=theme.zero, markersize=6, markeredgecolor=theme.background, label=name
    )


def latent_ranking(
    activity: np.ndarray,
    names: Sequence[str],
    correlation: np.ndarray | None = None,
    factors: Sequence[str] = (),
    *,
    kept: Sequence[int] = (),
    correlation_name: str = "correlation",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the information in each latent, and its correlations with measured factors (paper, 6.1).

    Parameters
    ----------
    activity : ndarray
        Mean KL divergence of each latent, (v,), in nats.
    names : sequence of str
        Names of the v latents.
    correlation : ndarray, optional
        Correlations with f factors, (v, f), in [-1, 1]; NaN for constant factors.
    factors : sequence of str
        Names of the f factors.
    kept : sequence of int
        Numbers of latents to highlight, such as those that scheme 3 kept.
    correlation_name : str
        Label of the colour bar of correlations.
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
        If the shapes do not match.
    """
    activity = validation.numbers(activity, ("v",), "latent activity")
    validation.same_length(names, len(activity), "latent names")
    order = np.argsort(-np.nan_to_num(activity, nan=-np.inf), kind="stable")
    width = figure_width(figsize, 5.6 if correlation is not None else 3.6)
    figure = new_figure(figsize, theme, height=0.17 * len(order) + 1.1, width=width)
    wide = correlation is not None
    grid = panels(figure, 1, 2 if wide else 1, theme, width_ratios=[1, 1.6] if wide else [1])
    bars = grid[0, 0]
    rows = np.arange(len(order))
    colours = [theme.schemes[0] if index in set(kept) else theme.schemes[1] for index in order]
    bars.barh(rows, np.nan_to_num(activity[order]), color=colours, height=0.75)
    bars.set_yticks(rows, [symbol(names[index]) for index in order])
    bars.set(ylim=(len(order) - 0.5, -0.5), xlabel="KL (nats)", ylabel="latent")
    if len(kept):
        bars.barh([np.nan], [0], color=theme.schemes[0], label="kept by scheme 3")
        bars.barh([np.nan], [0], color=theme.schemes[1], label="not kept")
        figure.legend(
            frameon=False,
            fontsize=SMALL,
            labelcolor=theme.foreground,
            loc="outside upper left",
            borderpad=0.1,
            ncols=2,
        )
    if correlation is not None:
        table = validation.numbers(correlation, (len(activity), len(factors)), "correlations")[order]
        _heat_map(
            figure, grid[0, 1], table, [plain(name) for name in factors], plain(correlation_name), theme
        )
        grid[0, 1].set_ylim(len(order) - 0.5, -0.5)
    return figure


def _heat_map(
    figure: Figure, axes: Axes, table: np.ndarray, names: list[str], label: str, theme: Theme
) -> None:
    """Draw correlations as colours, and strong ones also as numbers."""
    inches = (figure.get_size_inches()[0] - 1.4) * 0.55 / len(names)  # approximate width of a column
    size = min(5.5, 72 * inches / 2.6)
    drawn = axes.imshow(np.ma.masked_invalid(table), cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        if abs(value) >= 0.3 and size >= 4:
            colour = "white" if abs(value) > 0.65 else "#1a1a1a"
            axes.text(column, row, correlation(value), ha="center", va="center", fontsize=size, color=colour)
    axes.set_yticks([])
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlabel("factor")
    for spine in axes.spines.values():
        spine.set_visible(False)
    colourbar(figure, drawn, axes, label, theme, pad=0.02, fraction=0.06)
