"""Figures of cells over time: durations of phases, shares of classes, conditions and aligned values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from morpholaw.display import MINUS, p_value
from morpholaw.errors import InputError
from morpholaw.evaluation.aligned import Aligned
from morpholaw.evaluation.survival import Survival
from morpholaw.figures.style import (
    LIGHT,
    LINES,
    MARKERS,
    SMALL,
    TEXT,
    FigSize,
    Theme,
    heading,
    legend,
    note,
    one_panel,
    panel_grid,
    plain,
    short_name,
    symbol,
)

VALUES = {"area": "area (px²)", "axis_ratio": "axis ratio", "score": "score f(x)"}
"""Labels of values along tracks, with units; other values are shown by name, without a unit."""
SHOWN_TRACKS = 40
"""Maximum number of single tracks drawn behind a mean."""
SHOWN_POINTS = 300
"""Maximum number of single cells per replicate in a superplot."""


def survival_curves(
    curves: Mapping[str, Survival],
    unit: str,
    *,
    what: str = "",
    p: float | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the share of phases that last longer, one Kaplan-Meier curve per condition with 95 % confidence bands.

    Parameters
    ----------
    curves : mapping of str to Survival
        Curve of each condition.
    unit : str
        Unit of time: "min" or "frames".
    what : str
        Name of the class, for the axes.
    p : float, optional
        P value of a test between the curves, written above.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure
    """
    figure, axes = one_panel(figsize, theme, 4.6, 0.62)
    axes.set(
        xlabel=f"time in {plain(what)} ({unit})" if what else f"time ({unit})",
        ylabel="share of phases that last longer",
        ylim=(-0.02, 1.04),
    )
    drawn = False
    for place, (name, curve) in enumerate(curves.items()):
        if not curve.count:
            continue
        drawn = True
        colour, line = _look(place, theme)
        time = np.append(0.0, curve.time)
        share, low, high = (np.append(1.0, values) for values in (curve.share, curve.low, curve.high))
        median = curve.median.value
        at = f", median {median:.3g} {unit}" if np.isfinite(median) else ""
        label = f"{plain(name)} (n = {curve.count}{at})"
        axes.step(time, share, where="post", color=colour, linestyle=line, linewidth=1.4, label=label)
        axes.fill_between(time, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
        lost = curve.at_risk - curve.ended - np.append(curve.at_risk[1:], 0) > 0
        axes.plot(curve.time[lost], curve.share[lost], "|", color=colour, markersize=5, markeredgewidth=0.9)
    if not drawn:
        note(axes, "no phase with a known beginning", theme)
    if p is not None and np.isfinite(p):
        heading(axes, f"log-rank over cells: {p_value(p)}", theme)
    legend(axes, theme, loc="best")
    axes.set_xlim(left=0)
    return figure


def shares_over_time(
    shares: pd.DataFrame,
    times: Mapping[str, float],
    unit: str,
    *,
    what: str = "cells",
    title: str = "",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the share of one class over time, one line per group with its 95 % confidence band.

    Parameters
    ----------
    shares : DataFrame
        Columns ``group``, ``t``, ``share``, ``low`` and ``high``; bands are left out where NaN.
    times : mapping of str to float
        Time between frames for each group, in units of ``unit``.
    unit : str
        Unit of time: "min" or "frames"; minutes are shown as hours.
    what : str
        Name of the class, for the axis.
    title : str
        Title, such as the meaning of the bands.
    theme : Theme
        Colours of the figure.
    figsize : tuple of float, optional
        Width and height in inches; with a height of None, the function chooses it.

    Returns
    -------
    Figure
    """
    figure, axes = one_panel(figsize, theme, 4.6, 0.55)
    hours = unit == "min"
    axes.set(xlabel="time (h)" if hours else "frame", ylabel=plain(what))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None, symbol=" %"))
    for place, (name, rows) in enumerate(shares.groupby("group", sort=False)):
        colour, line = _look(place, theme)
        time = rows["t"].to_numpy(np.float64) * times[str(name)] / (60 if hours else 1)
        axes.plot(time, rows["share"], color=colour, linestyle=line, linewidth=1.3, label=short_name(name))
        axes.fill_between(time, rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    if title:
        heading(axes, title, theme, SMALL)
    if shares["group"].nunique() > 1:
        legend(axes, theme, loc="best")
    return figure


def superplot(
    values: pd.DataFrame,
    unit: str,
    *,
    what: str = "",
    means: pd.DataFrame | None = None,
    title: str = "",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot every cell as a dot and every replicate's mean as a large marker, side by side per condition.

    Parameters
    ----------
    values : DataFrame
        Columns ``condition``, ``replicate``, ``value`` and ``whole`` (False if the end was not observed: an open dot).
    unit : str
        Unit of the values.
    what : str
        Name of the values, for the axis.
    means : DataFrame, optional
        Columns ``condition``, ``replicate`` and ``mean``; by default the means of the values.
    title : str
        Title, such as a p value.
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
        If there are no values.
    """
    if not len(values):
        raise InputError("There are no values to draw.")
    names = list(dict.fromkeys(values["condition"]))
    width = max(3.0, 1.2 + 1.1 * len(names))
    figure, axes = one_panel(figsize, theme, width, 0.95 if len(names) < 4 else 0.6)
    axes.set_ylabel(f"{plain(what)} ({unit})" if what else unit)
    rng = np.random.default_rng(0)
    if means is None:
        grouped = values.groupby(["condition", "replicate"], sort=False)["value"].mean()
        means = grouped.rename("mean").reset_index()
    for place, condition in enumerate(names):
        mine = values[values["condition"] == condition]
        averages = means[means["condition"] == condition].set_index("replicate")["mean"]
        replicates = list(dict.fromkeys(mine["replicate"]))
        width = 0.7 / len(replicates)
        for k, replicate in enumerate(replicates):
            x = place + width * (k - (len(replicates) - 1) / 2)
            marker = MARKERS[k % len(MARKERS)]
            _draw_cells(axes, mine[mine["replicate"] == replicate], x, width, marker, rng, theme)
            if replicate in averages:
                colour = theme.schemes[k % len(theme.schemes)]
                look: dict[str, Any] = {"color": colour, "markeredgecolor": theme.foreground}
                axes.plot(x, averages[replicate], marker, markersize=7.5, zorder=3, **look)
        if len(averages):
            left, right = place - 0.38, place + 0.38
            axes.hlines(averages.mean(), left, right, color=theme.foreground, linewidth=1.4, zorder=2)
    axes.set_xticks(range(len(names)), [short_name(name) for name in names])
    axes.tick_params(axis="x", labelsize=SMALL + 1)
    axes.set_xlim(-0.55, len(names) - 0.45)
    axes.set_ylim(bottom=0)
    _superplot_legend(figure, bool(values["whole"].all()), theme)
    if title:
        heading(axes, plain(title), theme)
    return figure


def _draw_cells(
    axes: Axes,
    cells: pd.DataFrame,
    x: float,
    width: float,
    marker: str,
    rng: np.random.Generator,
    theme: Theme,
) -> None:
    """Draw the cells of a replicate around ``x``; dots are open if the end was not observed."""
    if len(cells) > SHOWN_POINTS:
        cells = cells.sample(SHOWN_POINTS, random_state=0)
    at = x + rng.uniform(-0.3, 0.3, len(cells)) * width
    whole, value = cells["whole"].to_numpy(bool), cells["value"].to_numpy(np.float64)
    for chosen, face in ((whole, theme.muted), (~whole, "none")):
        axes.scatter(
            at[chosen], value[chosen], s=7, marker=marker, facecolors=face, edgecolors=theme.muted, linewidths=0.5,
            alpha=0.6, zorder=1,
        )  # fmt: skip


def _superplot_legend(figure: Figure, all_whole: bool, theme: Theme) -> None:
    def dot(label: str, **look: Any) -> Line2D:
        style: dict[str, Any] = {"color": theme.muted, "markersize": 3} | look
        return Line2D([], [], marker="o", linestyle="", label=label, **style)

    handles = [dot("one cell")]
    if not all_whole:
        handles.append(dot("end not seen", markerfacecolor="none"))
    average = {"color": theme.schemes[0], "markeredgecolor": theme.foreground, "markersize": 6}
    handles.append(dot("mean of a replicate", **average))
    look: dict[str, Any] = {"fontsize": SMALL, "labelcolor": theme.foreground, "handletextpad": 0.2}
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, frameon=False, columnspacing=1.0, **look
    )


def aligned_values(
    aligned: Sequence[Aligned],
    event: str,
    *,
    per_frame: float = 1.0,
    unit: str = "frames",
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot values along tracks aligned at an event: single tracks, their mean with 95 % band, and the onset of change.

    Parameters
    ----------
    aligned : sequence of Aligned
        Values to plot, one panel each; the earliest onset first.
    event : str
        Name of the event at time zero, for the axes.
    per_frame : float
        Time between frames, in units of ``unit``.
    unit : str
        Unit of time.
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
        If there is nothing to draw.
    """
    if not aligned:
        raise InputError("There are no values to draw along the tracks.")
    figure, grid = panel_grid(figsize, theme, len(aligned), 2.1, lambda width: min(width * 0.85, 2.2))
    for axes, one in zip(grid, aligned, strict=True):
        _draw_aligned(axes, one, per_frame, theme)
    figure.supxlabel(f"time from {plain(event)} ({unit})", fontsize=TEXT, color=theme.foreground)
    return figure


def _draw_aligned(axes: Axes, one: Aligned, per_frame: float, theme: Theme) -> None:
    time = one.frame * per_frame
    known = np.isfinite(one.values).any(axis=1)
    shown = np.flatnonzero(known)
    if len(shown) > SHOWN_TRACKS:
        shown = np.random.default_rng(0).choice(shown, SHOWN_TRACKS, replace=False)
    for track in one.values[shown]:
        axes.plot(time, track, color=theme.muted, linewidth=0.5, alpha=0.45)
    axes.fill_between(time, one.low, one.high, color=theme.schemes[1], alpha=0.35, linewidth=0)
    axes.plot(time, one.mean, color=theme.foreground, linewidth=1.8)
    axes.axvline(0, color=theme.foreground, linewidth=0.8, linestyle=":")
    finite = one.values[shown][np.isfinite(one.values[shown])]
    if finite.size:
        low, high = np.quantile(finite, [0.01, 0.99])
        ends = [
            value for value in (low, high, np.nanmin(one.mean), np.nanmax(one.mean)) if np.isfinite(value)
        ]
        margin = 0.08 * (max(ends) - min(ends)) or 1.0
        axes.set_ylim(min(ends) - margin, max(ends) + margin)
    onset = one.onset
    if np.isfinite(onset.value):
        span = "one family, no interval"
        if np.isfinite(onset.low):
            axes.axvspan(
                onset.low * per_frame, onset.high * per_frame, color=theme.zero, alpha=0.18, linewidth=0
            )
            span = f"{_rounded(onset.low * per_frame)} to {_rounded(onset.high * per_frame)}"
        axes.axvline(onset.value * per_frame, color=theme.zero, linewidth=1.1, linestyle="--")
        heading(axes, f"moves at {_rounded(onset.value * per_frame)} ({span})", theme, SMALL)
    axes.set_ylabel(VALUES.get(one.name, symbol(one.name)))


def _look(place: int, theme: Theme) -> tuple[str, Any]:
    """Return a colour and a line style, so that lines can be told apart without colours."""
    order = (1, 0, 2, 3)
    return theme.schemes[order[place % len(order)]], LINES[place % len(LINES)]


def _rounded(value: float) -> str:
    """Return a time with at most one decimal and a true minus sign."""
    return f"{value:.1f}".removesuffix(".0").replace("-", MINUS)
