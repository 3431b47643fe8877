"""Figures of one track: its score and its class probabilities over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from morpholaw.errors import InputError
from morpholaw.figures import validation
from morpholaw.figures.palette import colours_on
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    FigSize,
    Theme,
    figure_width,
    heading,
    legend,
    note,
    one_panel,
    plain,
    row_by_row,
    short_name,
)

FAR = 8.0
"""A symmetric logarithmic axis is used if the largest magnitude of the scores exceeds this multiple of the median."""


def score_over_time(
    t: np.ndarray,
    score: np.ndarray,
    *,
    called: Sequence[str] | None = None,
    divisions: Sequence[float] = (),
    classes: tuple[str, str] = ("interphase", "metaphase"),
    colours: Mapping[str, str] | None = None,
    title: str | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the score f(x) of one track over time, with regions of classes shaded and divisions as lines.

    Parameters
    ----------
    t : ndarray
        Frames, (n,), increasing.
    score : ndarray
        Scores, (n,), or (members, n) to plot mean and standard deviation. Gaps where not finite.
    called : sequence of str, optional
        Class of each frame, inferred from the whole track, drawn as a dot in its colour.
    divisions : sequence of float
        Frames at which the track begins or ends with a division.
    classes : tuple of str
        Names of the classes of f < 0 and f >= 0 (eq. 2).
    colours : mapping of str to str, optional
        Colour of each class; by default from :func:`morpholaw.figures.palette.class_colours`.
    title : str, optional
        Title of the figure.
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
        If the lengths differ.
    """
    if called is not None and len(called) != len(t):
        raise InputError(f"There are {len(called)} classes for {len(t)} frames; expected one per frame.")
    frames = validation.numbers(t, ("n",), "frames")
    runs = validation.numbers(
        np.atleast_2d(np.asarray(score, dtype=np.float64)), ("members", len(frames)), "scores"
    )
    figure, axes = one_panel(figsize, theme, 4.6, 0.55)
    axes.set(xlabel="frame", ylabel="score f(x)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    shown = colours_on(theme.background, classes, colours)
    if title:
        heading(axes, plain(title), theme)
    finite = runs[np.isfinite(runs)]
    if not finite.size:
        note(axes, "no score is finite", theme)
        return figure
    bottom, top = min(float(finite.min()), -1.0), max(float(finite.max()), 1.0)
    if max(-bottom, top) > FAR * max(float(np.median(np.abs(finite))), 1.0):
        # the tails of a law such as e^z would flatten everything else
        axes.set_yscale("symlog", linthresh=1.0)
        bottom, top = 1.5 * bottom, 1.5 * top
    else:
        margin = 0.08 * (top - bottom)
        bottom, top = bottom - margin, top + margin
    entries: list[Artist] = []
    for (low, high), (name, colour) in zip(((bottom, 0), (0, top)), shown.items(), strict=True):
        axes.axhspan(low, high, color=colour, alpha=0.14, linewidth=0)
        entries.append(
            Patch(facecolor=colour, alpha=0.6, label=short_name(name))
        )  # listed in the legend, unlike the span
    axes.axhline(0, color=theme.zero, linestyle="--", linewidth=1)
    mean, sd = runs.mean(0), runs.std(0, ddof=1 if len(runs) > 1 else 0)
    if len(runs) > 1:
        axes.fill_between(frames, mean - sd, mean + sd, color=theme.foreground, alpha=0.25, linewidth=0)
    axes.plot(frames, mean, color=theme.foreground, linewidth=1.3, marker="o", markersize=2.5)
    if called is not None:
        dots = [shown.get(name, theme.zero) for name in called]
        axes.scatter(frames, mean, c=dots, s=22, edgecolors=theme.foreground, linewidths=0.6, zorder=3)
    lines = [axes.axvline(frame, color=theme.negative, linewidth=1.3) for frame in divisions]
    if lines:
        lines[0].set_label("division")
        entries.append(lines[0])
    axes.set_ylim(bottom, top)
    legend(axes, theme, loc="best", handles=entries)
    return figure


def probabilities_over_time(
    t: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    *,
    colours: Mapping[str, str] | None = None,
    divisions: Sequence[float] = (),
    title: str | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the class probabilities of one track over time, stacked, with divisions as lines.

    Parameters
    ----------
    t : ndarray
        Frames, (n,), increasing.
    probabilities : ndarray
        Probabilities, (n, classes), which add up to 1; gaps where not finite.
    classes : sequence of str
        Names of the classes.
    colours : mapping of str to str, optional
        Colour of each class; by default from :func:`morpholaw.figures.palette.class_colours`.
    divisions : sequence of float
        Frames at which the track begins or ends with a division.
    title : str, optional
        Title of the figure.
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
        If the lengths differ.
    """
    frames = validation.numbers(t, ("n",), "frames")
    shares = validation.numbers(probabilities, (len(frames), len(classes)), "probabilities")
    figure, axes = one_panel(figsize, theme, 4.6, 0.6)
    axes.set(xlabel="frame", ylabel="probability", ylim=(0, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if title:
        heading(axes, plain(title), theme)
    known = np.isfinite(shares).all(axis=1)
    if not known.any():
        note(axes, "no probability is known", theme)
        return figure
    bottom = np.zeros(len(frames))
    entries: list[Artist] = []
    for number, (name, colour) in enumerate(colours_on(theme.background, classes, colours).items()):
        top = bottom + np.where(known, shares[:, number], 0)
        axes.fill_between(frames, bottom, top, where=list(known), step="mid", color=colour, linewidth=0)
        entries.append(Patch(facecolor=colour, label=short_name(name)))
        bottom = top
    lines = [axes.axvline(frame, color=theme.negative, linewidth=1.3) for frame in divisions]
    if lines:
        lines[0].set_label("division")
        entries.append(lines[0])
    columns = max(1, int(figure_width(figsize, 4.6) / 1.1))
    figure.legend(
        handles=row_by_row(entries, columns), loc="outside lower center", ncols=columns, frameon=False,
        fontsize=SMALL, labelcolor=theme.foreground, columnspacing=1.0,
    )  # fmt: skip
    return figure
