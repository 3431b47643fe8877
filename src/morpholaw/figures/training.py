"""Training curves: losses over the steps of a training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.style import LIGHT, FigSize, Theme, heading, note, panel_grid, plain


def training_curves(
    history: Mapping[str, np.ndarray],
    steps: np.ndarray | None = None,
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot each quantity in its own panel: reconstruction, mutual information, total correlation, KL (eq. 7).

    Parameters
    ----------
    history : mapping of str to ndarray
        Values by name, (steps,), or (members, steps) to plot mean and standard deviation. Names include units, such as
        "total correlation (nats)".
    steps : ndarray, optional
        Steps at which the values were recorded, (steps,); by default 1, 2, ...
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
        If there are no values, or the lengths differ.
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
    """Draw values, pale, below their running mean; the axis is logarithmic if they span more than a factor of 100."""
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
    low, high = np.percentile(finite, [5, 95])  # a few unusual first steps do not make an axis logarithmic
    if finite.min() > 0 and high > 100 * low:
        axes.set_yscale("log")


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return running means over ``window`` values, over fewer at the ends; NaN where all of them are NaN."""
    if window < 3:
        return values
    known = np.isfinite(values)
    kernel = np.ones(window)
    total = np.convolve(np.where(known, values, 0.0), kernel, "same")
    count = np.convolve(known.astype(float), kernel, "same")
    mean: np.ndarray = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0.5)
    return mean
