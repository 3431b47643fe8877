"""Plot of the accuracy of classifiers under interventions such as swapped surroundings, shifts and orientations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from morpholaw.figures import validation
from morpholaw.figures.style import (
    LIGHT,
    SMALL,
    FigSize,
    Theme,
    legend,
    one_panel,
    plain,
    scheme_look,
    scheme_name,
)


def intervention_accuracies(
    accuracy: np.ndarray,
    interventions: Sequence[str],
    *,
    schemes: Sequence[int | str],
    theme: Theme = LIGHT,
    figsize: FigSize = None,
) -> Figure:
    """Plot the balanced accuracy of classifiers under each intervention, with 95 % confidence intervals.

    Parameters
    ----------
    accuracy : ndarray
        Balanced accuracy with the lower and upper end of its interval, (schemes, interventions, 3), in [0, 1]; NaN if
        not measured.
    interventions : sequence of str
        Names of the interventions; the first is drawn at the top.
    schemes : sequence of int or str
        Numbers or names of the classifiers.
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
    shares = validation.numbers(accuracy, (len(schemes), len(interventions), 3), "accuracy") * 100
    rows = len(interventions)
    figure, axes = one_panel(figsize, theme, 5.4, height=0.7 + rows * (0.14 + 0.055 * len(schemes)))
    apart = 0.7 / max(1, len(schemes))
    for position, (scheme, values) in enumerate(zip(schemes, shares, strict=True)):
        look = {
            name: value for name, value in scheme_look(scheme, position, theme).items() if name != "linestyle"
        }
        y = np.arange(rows) + (position - (len(schemes) - 1) / 2) * apart
        axes.hlines(y, values[:, 1], values[:, 2], color=look["color"], linewidth=1.2, alpha=0.7)
        axes.plot(values[:, 0], y, linestyle="", markersize=3.8, label=scheme_name(scheme), **look)
    axes.axvline(50, color=theme.muted, linewidth=0.8, linestyle=":")
    axes.set_yticks(np.arange(rows), [plain(name) for name in interventions], fontsize=SMALL)
    axes.set(ylim=(rows - 0.4, -0.6), xlim=(_least(shares), 101))
    axes.set_xlabel("balanced accuracy (%), with 95 % interval")
    legend(axes, theme, loc="lower left")
    return figure


def _least(shares: np.ndarray) -> float:
    """Return the lower limit of the axis, below every interval."""
    known = shares[np.isfinite(shares)]
    least = float(known.min()) if len(known) else 0.0
    return max(0.0, 10 * math.floor(least / 10) - 2)
