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
    """Draw each component of a law over its inputs (paper, figures 11 and 13); without a range, from -3 to 3.

    An input whose name has a minus sign is drawn over what the name says, from minus the end of its range.
    """
    from morpholaw.figures.laws import law_components
    from morpholaw.interpretation.components import sample_parts
    from morpholaw.interpretation.latent_names import split_sign
    from morpholaw.interpretation.oriented_law import law_in_words

    law, words = law_in_words(law, names)
    axes = {}
    for name in law.names:
        low, high = ranges.get(name, (-LIMIT, LIMIT))
        sign = split_sign(names.get(name, ""))[1]
        axes[name] = np.linspace(low, high, STEPS) if sign > 0 else np.linspace(-high, -low, STEPS)
    parts = sample_parts(law, axes, words)
    return law_components(parts, units=units, theme=theme, figsize=figsize)


def front_figure(record: ClassifierRecord, chosen: int | None, figsize: Any, theme: Any) -> Any:
    """Draw the accuracy of the laws on held-out cells against their complexity."""
    from morpholaw.figures.laws import law_front

    complexity = np.array([law.complexity for law in record.laws], dtype=float)
    return law_front(
        complexity, np.array(record.evaluation.accuracy), chosen=chosen, theme=theme, figsize=figsize
    )
