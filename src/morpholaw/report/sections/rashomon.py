"""The Rashomon set: size and accuracy of the models that were tested on the same cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from morpholaw.display import counted, percent
from morpholaw.interpretation.rashomon import ModelPoint, model_points, smallest_within
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, drawing

TOLERANCE = 0.01
"""Largest loss of accuracy, compared with the best model, that is accepted of a smaller model."""


def rashomon_set(
    material: Material, constraints: dict[str, dict[str, np.ndarray]] | None = None
) -> list[Block]:
    """Plot size and accuracy of all models of the study, coloured by each measured constraint.

    Accuracies for other classes or other test cells cannot be compared, so each such set of models has its own plots.
    """
    tested: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, record in material.records.items():
        tested.setdefault((record.evaluation.split, record.classes), []).append(name)
    if not tested:
        raise Absent("No classifier has been trained yet, so there is no set of models to compare.")
    return [
        block
        for names in tested.values()
        for block in _rashomon_set(material, names, constraints or {}, alone=len(tested) == 1)
    ]


def _rashomon_set(
    material: Material, names: Sequence[str], constraints: dict[str, dict[str, np.ndarray]], alone: bool
) -> list[Block]:
    """Plot the models that have the same classes and test cells, which are all those of the study if ``alone``."""
    from morpholaw.figures.rashomon import rashomon

    points: list[ModelPoint] = []
    titles: list[str] = []
    shades: dict[str, list[np.ndarray]] = {meaning: [] for meaning in constraints}
    for name in names:
        record = material.records[name]
        members = model_points(record.scheme, record.evaluation.accuracy, record.expression_sizes)
        points += members
        titles += [material.title(name)] * len(members)
        for meaning, values in constraints.items():
            shades[meaning].append(values.get(name, np.full(len(members), np.nan)))
    smallest = smallest_within(points, TOLERANCE)
    sizes, accuracies = (
        np.array([getattr(point, name) for point in points]) for name in ("size", "accuracy")
    )
    options: list[dict[str, Any]] = [
        {"colour": np.concatenate(values), "colour_name": meaning}
        for meaning, values in shades.items()
        if np.isfinite(np.concatenate(values)).any()
    ]
    counted_models = f"all {counted(len(points), 'model')} of the study"
    if not alone:
        first = material.records[names[0]]
        counted_models = (
            f"the {counted(len(points), 'model')} that distinguish {', '.join(first.classes)}, on the same "
            f"{counted(first.evaluation.test_cells, 'test cell')}"
        )
    caption = (
        f"Accuracy and size of {counted_models}. The smallest model whose accuracy is within "
        f"{counted(round(100 * TOLERANCE), 'percentage point')} of the best is "
        f"model {smallest.member + 1} of {titles[points.index(smallest)]}, with "
        f"{counted(smallest.size, 'node')} and an accuracy of {percent(smallest.accuracy)}."
    )
    blocks: list[Block] = []
    for place, option in enumerate(options or [{}]):
        figure = rashomon(
            sizes, accuracies, [point.scheme for point in points],
            within=TOLERANCE, figsize=(5.6, None), **option,
        )  # fmt: skip
        text = caption if not place else f"The same models, coloured by {option['colour_name']}."
        blocks.append(drawing(figure, "The Rashomon set", text))
    return blocks
