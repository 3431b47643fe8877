"""Figures of laws: the components of one law, and the accuracy of all laws against their complexity."""

from __future__ import annotations

from typing import Any

import numpy as np

from morpholaw.models.law import Law
from morpholaw.store.classifier_record import ClassifierRecord

STEPS = 61
LIMIT = 3.0


def components_figure(
    law: Law,
    names: dict[str, str],
    ranges: dict[str, tuple[float, float]],
    units: dict[str, str],
    figsize: Any,
    theme: Any,
) -> Any:
    """Draw each component of a law over its inputs (paper, figures 11 and 13); without a range, from -3 to 3."""
    from morpholaw.figures.laws import law_components
    from morpholaw.interpretation.components import sample_parts

    axes = {name: np.linspace(*ranges.get(name, (-LIMIT, LIMIT)), STEPS) for name in law.names}
    parts = sample_parts(law, axes, names)
    return law_components(parts, units=units, theme=theme, figsize=figsize)


def front_figure(record: ClassifierRecord, chosen: int | None, figsize: Any, theme: Any) -> Any:
    """Draw the accuracy of the laws on held-out cells against their complexity."""
    from morpholaw.figures.laws import law_front

    complexity = np.array([law.complexity for law in record.laws], dtype=float)
    return law_front(
        complexity, np.array(record.evaluation.accuracy), chosen=chosen, theme=theme, figsize=figsize
    )
