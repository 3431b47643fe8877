"""How well classes are told apart: confusion matrix, ROC curves, score histogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.figures import checks
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    FigSize,
    Theme,
    class_colours,
    dress,
    figure_width,
    legend,
    new_figure,
    note,
    plain,
    scheme_look,
    scheme_name,
)


def confusion(
    matrix: np.ndarray,
    classes: Sequence[str],
    *,
    heading: str | None = None,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Confusion matrix: shares of each true class, with counts.

    Parameters
    ----------
    matrix
        (classes, classes), cells by true class (rows) and predicted class (columns).
    classes
        Their names.
    heading
        A line above.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If the matrix doesn't have a row and a column a class.
    """
    matrix = checks.numbers(matrix, (len(classes), len(classes)), "confusion matrix")
    width = figure_width(figsize, 1.6 + 0.75 * len(classes))
    figure = new_figure(figsize, theme, height=width * 0.9, width=width)
    axes = dress(figure.add_subplot(), theme)
    totals = matrix.sum(1, keepdims=True)
    share = np.divide(matrix, totals, out=np.full_like(matrix, np.nan), where=totals > 0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    size = float(np.clip(72 * (width - 1.2) / len(classes) / 6, 4, SMALL + 1))
    for (row, column), part in np.ndenumerate(share):
        text = "–" if np.isnan(part) else f"{100 * part:.1f} %\n({matrix[row, column]:,.0f})"
        colour = theme.muted if np.isnan(part) else "white" if part > 0.55 else "#1a1a1a"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    names = [plain(name) for name in classes]
    axes.set_xticks(
        range(len(names)),
        names,
        rotation=0 if len(names) < 3 else 35,
        ha="center" if len(names) < 3 else "right",
    )
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.set(xlabel="predicted class", ylabel="true class")
    for spine in axes.spines.values():
        spine.set_visible(False)
    if heading:
        axes.set_title(plain(heading))
    return figure


def roc(
    scores: Mapping[int | str, np.ndarray],
    labels: np.ndarray,
    *,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """ROC curves, one a scheme: mean and one standard deviation over its models, with the area under it.

    Parameters
    ----------
    scores
        Scheme to scores f(x), (members, n) or (n,). Cells whose score isn't finite are left out.
    labels
        (n,), +1 for the positive class and -1 for the negative (eq. 2).
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If lengths differ.
    """
    positive = checks.numbers(labels, ("n",), "labels") > 0
    width = figure_width(figsize, 3.8)
    figure = new_figure(figsize, theme, height=width, width=3.8)
    axes = dress(figure.add_subplot(), theme)
    axes.set(
        xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02)
    )
    axes.set_box_aspect(1)
    if positive.all() or not positive.any():
        note(axes, "cells of both classes are needed", theme)
        return figure
    axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=0.8, linestyle=":")
    at = np.linspace(0, 1, 501)
    for position, (scheme, values) in enumerate(scores.items()):
        members = np.atleast_2d(np.asarray(values, dtype=np.float64))
        members = checks.numbers(members, ("members", len(positive)), f"scores of {scheme_name(scheme)}")
        curves = [curve for curve in (roc_curve(row, positive) for row in members) if len(curve[0]) > 1]
        if not curves:
            continue
        rates = np.array([np.interp(at, *curve) for curve in curves])
        areas = np.array([np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2) for fpr, tpr in curves])
        mean, sd = rates.mean(0), rates.std(0)
        look = scheme_look(scheme, position, theme) | {"marker": None}
        spread = f" ± {areas.std(ddof=1):.4f}" if len(areas) > 1 else ""
        axes.fill_between(
            at,
            np.clip(mean - sd, 0, 1),
            np.clip(mean + sd, 0, 1),
            color=look["color"],
            alpha=0.2,
            linewidth=0,
        )
        axes.plot(
            np.r_[0, at], np.r_[0, mean], linewidth=1.4,
            label=f"{scheme_name(scheme)}: area {areas.mean():.4f}{spread}", **look,
        )  # fmt: skip
    legend(axes, theme, loc="lower right")
    return figure


def roc_curve(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates at every threshold, cells with equal scores taken together.

    Empty where the finite scores hold cells of one class only.
    """
    finite = np.isfinite(scores)
    scores, positive = scores[finite], positive[finite]
    if not len(scores) or positive.all() or not positive.any():
        return np.empty(0), np.empty(0)
    order = np.argsort(-scores, kind="stable")
    hits, last = positive[order], np.r_[np.diff(scores[order]) != 0, True]
    true, false = np.cumsum(hits)[last], np.cumsum(~hits)[last]
    return np.r_[0, false / false[-1]], np.r_[0, true / true[-1]]


def score_histogram(
    scores: np.ndarray,
    labels: Sequence[str],
    *,
    classes: Sequence[str] | None = None,
    bins: int = 50,
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Scores f(x) of all cells, a histogram a class, with the boundary f = 0.

    Parameters
    ----------
    scores
        (n,), those that aren't finite are counted in the legend and left out.
    labels
        n class names; "" for none.
    classes
        Classes to show, in this order; all that occur where empty.
    bins
        Number of bins over the central 99 % of scores.
    theme, figsize
        See :mod:`morpholaw.figures`.

    Raises
    ------
    InputError
        If lengths differ.
    """
    scores = checks.numbers(scores, ("n",), "scores")
    names = np.asarray(checks.same_length(labels, len(scores), "labels"), dtype=str)
    shown = list(classes) if classes is not None else sorted(set(names) - {""}) or [""]
    width = figure_width(figsize, 4.2)
    figure = new_figure(figsize, theme, height=width * 0.65, width=4.2)
    axes = dress(figure.add_subplot(), theme)
    axes.set(xlabel="score f(x)", ylabel="cells")
    finite = np.isfinite(scores)
    if not finite.any():
        note(axes, "no score is finite", theme)
        return figure
    low, high = np.percentile(scores[finite], [0.5, 99.5])
    low, high = min(low, 0.0), max(high, 0.0)
    span = (low, high) if high > low else (-1.0, 1.0)
    for name, colour in zip(shown, class_colours(shown), strict=True):
        values = np.clip(scores[finite & (names == name)], *span)
        axes.hist(values, bins, range=span, histtype="stepfilled", color=colour, alpha=0.35)
        axes.hist(
            values,
            bins,
            range=span,
            histtype="step",
            color=colour,
            linewidth=1.2,
            label=f"{plain(name) or 'cells'} ({len(values):,})",
        )
    axes.axvline(0, color=theme.zero, linestyle="--", linewidth=1.2)
    missing = int((~finite).sum())
    if missing:
        axes.plot([], [], " ", label=f"not finite: {missing:,}")
    legend(axes, theme, loc="best")
    return figure
