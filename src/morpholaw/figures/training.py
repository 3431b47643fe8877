"""Losses while a model trains."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.style import (
    LIGHT,
    FigSize,
    Theme,
    heading,
    note,
    panel_grid,
    plain,
)


def training_curves(
    history: Mapping[str, np.ndarray],
    steps: np.ndarray | None = None,
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """One panel a quantity: reconstruction, mutual information, total correlation, KL (eq. 7).

    Parameters
    ----------
    history
        Name to (steps,) values, or (members, steps): then the mean and one standard deviation. Units go into
        the name, e.g. "total correlation (nats)".
    steps
        (steps,), where the values were taken; 1, 2, ... where empty.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If there is nothing, or lengths differ.
    """
    if not history:
        raise InputError("There is no training history to draw; at least one quantity is needed.")
    figure, grid = panel_grid(figsize, theme, len(history), 1.6, lambda width: min(width * 0.95, 2.2))
    for axes, (name, values) in zip(grid, history.items(), strict=True):
        runs = np.atleast_2d(np.asarray(values, dtype=np.float64))
        at = (
            np.arange(1, runs.shape[1] + 1)
            if steps is None
            else validation.numbers(steps, ("steps",), "steps")
        )
        runs = validation.numbers(runs, ("members", len(at)), f"history of {name}")
        _draw_curve(axes, at, runs, theme.schemes[1], theme)
        heading(axes, plain(name), theme)
        axes.set_xlabel("step")
    return figure


def _draw_curve(axes: Axes, steps: np.ndarray, runs: np.ndarray, colour: str, theme: Theme) -> None:
    """Values, pale, under their running mean; a log axis where they span more than a hundredfold."""
    finite = runs[np.isfinite(runs)]
    if not finite.size:
        note(axes, "no finite value yet", theme)
        return
    known = np.isfinite(runs).any(0)
    mean = np.full(runs.shape[1], np.nan)
    mean[known] = np.nanmean(runs[:, known], axis=0)
    if len(runs) > 1:
        sd = np.zeros(runs.shape[1])
        sd[known] = np.nanstd(runs[:, known], axis=0)
        axes.fill_between(steps, mean - sd, mean + sd, color=colour, alpha=0.25, linewidth=0)
    window = len(steps) // 25
    if window >= 3:
        axes.plot(steps, mean, color=colour, linewidth=0.6, alpha=0.4)
    axes.plot(
        steps,
        running_mean(mean, window),
        color=colour,
        linewidth=1.4,
        marker="o" if len(steps) == 1 else None,
    )
    low, high = np.percentile(finite, [5, 95])  # a few odd first steps don't make an axis logarithmic
    if finite.min() > 0 and high > 100 * low:
        axes.set_yscale("log")


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over ``window`` values around each, over fewer at the ends; NaN where all of them are."""
    if window < 3:
        return values
    known = np.isfinite(values)
    kernel = np.ones(window)
    total = np.convolve(np.where(known, values, 0.0), kernel, "same")
    count = np.convolve(known.astype(float), kernel, "same")
    mean: np.ndarray = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0.5)
    return mean
