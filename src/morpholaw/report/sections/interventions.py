"""Dependence of predicted classes on the surroundings, position and orientation of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from markupsafe import Markup

from morpholaw.cells.segmentation import MARGIN
from morpholaw.display import capitalised, classifier_title, percent, percent_interval, span
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.interpretation.interventions import (
    DRAWS,
    NAMES,
    NEGLIGIBLE,
    Intervention,
    dependence,
    predictor,
    variants,
)
from morpholaw.interpretation.interventions import interventions as measure_interventions
from morpholaw.interpretation.surroundings import CellCrops, has_donor
from morpholaw.models.classifier import Classifier
from morpholaw.report.material import Material, TestCells
from morpholaw.report.page import Absent, Block, Paragraph, Table, photograph
from morpholaw.store.latent_sample import cell_crops

CELLS = 400
"""Maximum number of test cells, balanced over the classes."""
SHOWN = 2
"""Number of cells per class in the figure."""
ROWS = 8
"""Maximum number of cells in the figure."""
PICTURED = ("none", "same class", "other class", "other class, cell removed", "removed")


def interventions(material: Material) -> list[Block]:
    """Show the effect of each intervention on each classifier, and examples of changed crops."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so the effect of surroundings cannot be measured.")
    measured: dict[str, list[Intervention]] = {}
    missing: list[Block] = []
    prepared: dict[tuple[int, ...], CellCrops] = {}
    examples: list[Block] = []
    for name in material.names:
        try:
            cells = _test_cells(material, name)
        except Absent as absent:
            missing.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
            continue
        key = tuple(cells.index.tolist())
        if key not in prepared:
            prepared[key] = cell_crops(material.study, cells.index)
        measured[name] = _measured(material.classifier(name).applied, prepared[key], cells)
        examples = examples or [_examples(material, prepared[key], cells, material.records[name].classes)]
    if not measured:
        return missing
    columns = ("Test cells", *(classifier_title(name) for name in measured))
    rows = [
        (capitalised(NAMES[row[0].name]), *(_cell(intervention) for intervention in row))
        for row in zip(*measured.values(), strict=True)
    ]
    tracked = max(int(crops.tracked.sum()) for crops in prepared.values())
    return [*_verdicts(measured), Table(columns, rows, _caption(tracked)), *examples, *missing]


def of_one(material: Material, name: str, k: int) -> list[Block]:
    """Show the effect of each intervention on one model of a classifier."""
    cells = _test_cells(material, name)
    crops = cell_crops(material.study, cells.index)
    measured = _measured(material.classifier(name).select(k), crops, cells)
    rows = [
        (capitalised(NAMES[one.name]), percent_interval(*astuple(one.balanced_accuracy)), _flips(one))
        for one in measured
    ]
    table = Table(
        ("Test cells", "Balanced accuracy", "Changed classes"),
        rows,
        _caption(int(crops.tracked.sum())),
    )
    return [Paragraph(dependence(measured).sentence), table]


def _test_cells(material: Material, name: str) -> TestCells:
    cells = material.test(name).some(CELLS)
    cells = cells.rows(np.flatnonzero(has_donor(cells.targets)))
    if len(np.unique(cells.targets)) < 2:
        raise Absent("There are too few test cells to exchange their surroundings.")
    return cells


def _measured(classifier: Classifier, crops: CellCrops, cells: TestCells) -> list[Intervention]:
    return measure_interventions(predictor(scorer(classifier)), crops, cells.targets, cells.groups)


def _verdicts(measured: dict[str, list[Intervention]]) -> list[Block]:
    """State for each classifier whether it depends on the surroundings."""
    return [
        Paragraph(f"{classifier_title(name)}: {dependence(interventions).sentence}")
        for name, interventions in measured.items()
    ]


def _caption(tracked: int) -> str:
    mask = "its segmented nucleus"
    if tracked:
        mask = f"the tracker's mask ({tracked} cells) or {mask}"
    return (
        "Balanced accuracy with its 95 % confidence interval, and share of predicted classes that change, for at most "
        f"{CELLS} test cells. Values are means over the models (for scheme 4, the law that is applied) and over "
        f"{DRAWS} different surroundings, 8 directions or 7 orientations; intervals are over groups of cells "
        f"and models. The cell is {mask}, dilated by {MARGIN} px. Surroundings are exchanged in the "
        "grey values of the movie, and the new crop is normalised to the brightness of its cell. The rim consists of "
        "the pixels of the other cell that remain visible if that cell was larger. A classifier depends on the "
        f"surroundings if the whole confidence interval of the changed classes is above {percent(NEGLIGIBLE, 0)} when "
        "the surroundings are replaced (without the rim) or removed."
    )


def _examples(material: Material, crops: CellCrops, cells: TestCells, classes: Sequence[str]) -> Block:
    """Show some cells in their own and in other surroundings."""
    from morpholaw.figures.pictures import montage

    shown = np.concatenate([np.flatnonzero(cells.targets == c)[:SHOWN] for c in np.unique(cells.targets)])
    if len(shown) > ROWS:
        shown = shown[np.linspace(0, len(shown) - 1, ROWS).astype(int)]
    rows = [next(variants(name, crops, cells.targets, cells.groups)) for name in PICTURED]
    tiles = np.stack([row[k] for k in shown for row in rows])
    figure = montage(tiles, captions=list(PICTURED) * len(shown), columns=len(PICTURED), figsize=(6.4, None),
                     pixel_size=material.pixel_size)  # fmt: skip
    caption = (
        "Cells in their own and in other surroundings, as shown to the classifiers. From top to bottom: "
        f"{', '.join(classes[target] for target in cells.targets[shown])}."
    )
    return photograph(figure, "Cells in other surroundings", caption)


def _cell(one: Intervention) -> Markup:
    accuracy = one.balanced_accuracy
    text = Markup("{}<br><small>({})</small>").format(
        percent(accuracy.value), span(100 * accuracy.low, 100 * accuracy.high, 1)
    )
    return (
        text
        if one.name == "none"
        else text + Markup("<br><small>{} change</small>").format(percent(one.flips.value))
    )


def _flips(one: Intervention) -> str:
    return "none" if one.name == "none" else percent_interval(*astuple(one.flips))
