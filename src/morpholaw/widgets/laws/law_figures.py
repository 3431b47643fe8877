"""Figures of laws: the components of one law, and all laws against their complexity."""

from __future__ import annotations

from typing import Any

import numpy as np

from morpholaw.models.expressions import Expression, Variable, to_latex
from morpholaw.models.law import Law
from morpholaw.widgets.laws.saved_laws import SavedLaws
from morpholaw.widgets.pictures.slice import readable

STEPS = 61
LIMIT = 3.0


def drawable_parts(law: Law) -> list[tuple[str, Expression, int]]:
    """Return the terms of a law that depend on one or two latents; of larger terms, the factors that do.

    Returns
    -------
    list of (kind, expression, sign)
        Kind is "term" or "factor"; factors that are a single latent are left out.
    """
    from morpholaw.interpretation.components import components

    parts: list[tuple[str, Expression, int]] = []
    for part in components(law):
        if len(part.expression.variables()) in (1, 2):
            parts.append(("term", part.expression, part.sign))
        elif len(part.expression.variables()) > 2:
            parts += [
                ("factor", factor, 1)
                for factor in part.factors
                if len(factor.variables()) in (1, 2) and not isinstance(factor, Variable)
            ]
    return parts


def components_figure(law: Law, names: dict[str, str], figsize: Any, theme: Any) -> Any:
    """Draw each part of a law over its latents (paper, figures 11 and 13)."""
    from morpholaw.figures.laws import Component, law_components

    axis = np.linspace(-LIMIT, LIMIT, STEPS)
    drawn = []
    for _, expression, sign in drawable_parts(law):
        used = expression.variables()
        grid = np.meshgrid(*[axis] * len(used), indexing="xy")
        z = np.zeros((grid[0].size, len(law.names)))
        for name, values in zip(used, grid, strict=True):
            z[:, law.names.index(name)] = values.ravel()
        with np.errstate(all="ignore"):
            values = readable(sign * expression.evaluate(z).reshape(grid[0].shape), empty=len(used) == 1)
        latex = to_latex(expression, names)
        if sign < 0:
            latex = latex[1:].strip() if latex.startswith("-") else f"-{latex}"
        drawn.append(
            Component(latex, tuple(names.get(name, name) for name in used), (axis,) * len(used), values)
        )
    return law_components(drawn, theme=theme, figsize=figsize)


def front_figure(found: SavedLaws, chosen: int | None, figsize: Any, theme: Any) -> Any:
    """Draw the test accuracy of the laws against their complexity."""
    from morpholaw.figures.laws import law_front

    complexity = np.array([law.complexity for law in found.laws], dtype=float)
    return law_front(complexity, found.accuracy, chosen=chosen, theme=theme, figsize=figsize)
