"""Figures of classification performance: confusion matrix and ROC curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from morpholaw.display import percent
from morpholaw.evaluation import metrics
from morpholaw.figures import validation
from morpholaw.figures.palette import colours_on
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    TEXT,
    FigSize,
    Theme,
    dress,
    figure_width,
    heading,
    legend,
    note,
    one_panel,
    panel_grid,
    plain,
    scheme_look,
    scheme_name,
    short_name,
)

MOST_SHARES = 8
"""Maximum number of classes for which shares are written beside counts."""
MOST_CURVES = 8
"""Maximum number of classes whose ROC curves share one panel."""
FALSE_RATE, TRUE_RATE = "false positive rate", "true positive rate"


def confusion(
    matrix: np.ndarray,
    classes: Sequence[str],
    *,
    title: str | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot a confusion matrix with the share and number of cells per true class.

    With many classes, only the numbers are written, and columns are labelled by the numbers of their rows.

    Parameters
    ----------
    matrix : ndarray
        Number of cells, (classes, classes), by true class (rows) and predicted class (columns).
    classes : sequence of str
        Names of the classes.
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
        If the matrix does not have one row and one column per class.
    """
    matrix = validation.numbers(matrix, (len(classes), len(classes)), "confusion matrix")
    many = len(classes) > MOST_SHARES
    width = figure_width(figsize, 1.6 + (0.4 if many else 0.75) * len(classes))
    figure, axes = one_panel(figsize, theme, width, 0.9, fixed_aspect=True)
    names = [plain(f"{place} {name}") if many else short_name(name) for place, name in enumerate(classes, 1)]
    totals = matrix.sum(1, keepdims=True)
    share = np.divide(matrix, totals, out=np.full_like(matrix, np.nan), where=totals > 0)
    edges = np.arange(len(classes) + 1) - 0.5
    axes.pcolormesh(edges, edges, np.ma.masked_invalid(share), cmap="Blues", vmin=0, vmax=1)
    axes.set(aspect="equal", ylim=(edges[-1], edges[0]))
    room = 72 * (width - 1.2) / len(classes)
    size = float(np.clip(room / (4 if many else 6), SMALL - 1.5, SMALL + 1))
    for (row, column), part in np.ndenumerate(share):
        text = "n/a" if np.isnan(part) else f"{percent(part)}\n({matrix[row, column]:,.0f})"
        if many:
            text = f"{matrix[row, column]:,.0f}" if matrix[row, column] else ""
        colour = theme.muted if np.isnan(part) else "white" if part > 0.55 else "#1a1a1a"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    if many:
        axes.set_xticks(range(len(names)), [str(place + 1) for place in range(len(names))])
    else:
        slanted = len(names) > 2
        axes.set_xticks(
            range(len(names)), names, rotation=35 if slanted else 0, ha="right" if slanted else "center"
        )
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.set(xlabel="predicted class", ylabel="true class")
    for spine in axes.spines.values():
        spine.set_visible(False)
    if title:
        heading(axes, plain(title), theme)
    return figure


def roc(
    scores: Mapping[int | str, np.ndarray],
    labels: np.ndarray,
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot one ROC curve per scheme, as mean and standard deviation over its models, with the area under the curve.

    Parameters
    ----------
    scores : mapping
        Scores f(x) by scheme, (members, n) or (n,). Cells whose score is not finite are left out.
    labels : ndarray
        Labels, (n,): +1 for the positive and -1 for the negative class (eq. 2).
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
    positive = validation.numbers(labels, ("n",), "labels") > 0
    figure, axes = one_panel(figsize, theme, 3.8, 1)
    axes.set(
        xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02)
    )
    axes.set_box_aspect(1)
    if positive.all() or not positive.any():
        note(axes, "cells of both classes are needed", theme)
        return figure
    curves = _roc_curves(scores, positive)
    drawn_on = [axes]
    if curves and min(curve.area.mean() for curve in curves) > 0.95:
        zoom = dress(axes.inset_axes((0.42, 0.42, 0.53, 0.5)), theme, frame=True)
        zoom.set(xlim=(0, 0.1), ylim=(0.9, 1.003))
        drawn_on.append(zoom)
    else:
        axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=0.8, linestyle=":")
    for position, curve in enumerate(curves):
        look = scheme_look(curve.scheme, position, theme) | {"marker": None}
        low, high = np.clip(curve.mean - curve.sd, 0, 1), np.clip(curve.mean + curve.sd, 0, 1)
        spread = f" ± {curve.area.std(ddof=1):.4f}" if len(curve.area) > 1 else ""
        name = f"{scheme_name(curve.scheme)}: area {curve.area.mean():.4f}{spread}"
        for one in drawn_on:
            one.fill_between(_RATES, low, high, color=look["color"], alpha=0.2, linewidth=0)
            one.plot(np.r_[0, _RATES], np.r_[0, curve.mean], linewidth=1.4, label=name, **look)
    legend(axes, theme, loc="lower right")
    return figure


def class_roc(
    scores: np.ndarray,
    targets: np.ndarray,
    classes: Sequence[str],
    colours: Mapping[str, str] | None = None,
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the ROC curve of each class against the rest, with its area; many classes have a panel each.

    Parameters
    ----------
    scores : ndarray
        Scores, (n, classes), larger for likelier classes. Cells with scores that are not finite are left out.
    targets : ndarray
        Class number of each cell, (n,).
    classes : sequence of str
        Names of the classes.
    colours : dict of str to str, optional
        Colours of the classes; by default from :func:`morpholaw.figures.palette.class_colours`.
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
    scores = validation.numbers(scores, ("n", len(classes)), "scores")
    truth = validation.numbers(targets, (len(scores),), "targets")
    curves = [roc_curve(scores[:, number], truth == number) for number in range(len(classes))]
    titles = [
        f"area {np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2):.3f}" if len(false) else "too few cells"
        for false, true in curves
    ]
    shown = colours_on(theme.background, classes, colours)
    if len(classes) > MOST_CURVES:
        return _curve_by_curve(curves, titles, shown, theme, figsize)
    width = figure_width(figsize, 5.2)
    figure, axes = one_panel(
        figsize, theme, width, height=max(width * 0.62, 0.16 * len(classes) + 0.6), fixed_aspect=True
    )
    axes.set(xlabel=FALSE_RATE, ylabel=TRUE_RATE, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_box_aspect(1)
    axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=0.8, linestyle=":")
    for curve, (name, colour), title in zip(curves, shown.items(), titles, strict=True):
        axes.plot(*curve, color=colour, linewidth=1.3, label=f"{plain(name)}: {title}")
    legend(axes, theme, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def _curve_by_curve(
    curves: Sequence[tuple[np.ndarray, np.ndarray]],
    titles: Sequence[str],
    colours: Mapping[str, str],
    theme: Theme,
    figsize: FigSize,
) -> Figure:
    """Draw each curve in its own panel, over the curves of all other classes in grey."""
    figure, grid = panel_grid(
        figsize,
        theme,
        len(curves),
        1.3,
        lambda width: width + 0.25,
        width=5.2,
        above=0.3,
        sharex=True,
        sharey=True,
    )
    for axes, curve, title, (name, colour) in zip(grid, curves, titles, colours.items(), strict=True):
        for other in curves:
            axes.plot(*other, color=theme.muted, alpha=0.35, linewidth=0.5)
        axes.plot(*curve, color=colour, linewidth=1.5)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axes.set_box_aspect(1)
        axes.set_title(f"{plain(name)}\n{title}", fontsize=SMALL, color=theme.foreground)
    figure.supxlabel(FALSE_RATE, fontsize=TEXT, color=theme.foreground)
    figure.supylabel(TRUE_RATE, fontsize=TEXT, color=theme.foreground)
    return figure


_RATES = np.linspace(0, 1, 1001)
"""False positive rates at which the models' curves are averaged."""


@dataclass(frozen=True)
class _Curve:
    """True positive rates at ``_RATES``, as mean and standard deviation over models, and the area of each model."""

    scheme: int | str
    mean: np.ndarray
    sd: np.ndarray
    area: np.ndarray


def _roc_curves(scores: Mapping[int | str, np.ndarray], positive: np.ndarray) -> list[_Curve]:
    """Return one curve per scheme that has a model with finite scores of both classes."""
    curves = []
    for scheme, values in scores.items():
        members = np.atleast_2d(np.asarray(values, dtype=np.float64))
        members = validation.numbers(members, ("members", len(positive)), f"scores of {scheme_name(scheme)}")
        points = [point for point in (roc_curve(row, positive) for row in members) if len(point[0])]
        if points:
            rates = np.array([np.interp(_RATES, *point) for point in points])
            areas = np.array([np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2) for fpr, tpr in points])
            curves.append(_Curve(scheme, rates.mean(0), rates.std(0, ddof=min(1, len(rates) - 1)), areas))
    return curves


def roc_curve(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates at every threshold; scores that are not finite are left out.

    The arrays are empty if finite scores exist for only one class.
    """
    finite = np.isfinite(scores)
    scores, positive = scores[finite], positive[finite]
    if not len(scores) or positive.all() or not positive.any():
        return np.empty(0), np.empty(0)
    false, true, _ = metrics.roc(positive, scores)
    return false, true
