"""What the classifiers read: calls of the same cells in other surroundings, shifted and turned."""

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
"""Test cells that are put into other surroundings, as many of each class."""
SHOWN = 2
"""Cells of each class in the picture, where there are few classes."""
ROWS = 8
"""Cells in the picture at most."""
PICTURED = ("none", "same class", "other class", "other class, cell removed", "removed")


def interventions(material: Material) -> list[Block]:
    """Show a table: one row per intervention, one column per classifier; and cells in other surroundings."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so it is not known what one reads.")
    measured: dict[str, list[Intervention]] = {}
    missing: list[Block] = []
    prepared: dict[tuple[int, ...], CellCrops] = {}
    picture: list[Block] = []
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
        picture = picture or [_picture(material, prepared[key], cells, material.records[name].classes)]
    if not measured:
        return missing
    columns = ("Test cells", *(classifier_title(name) for name in measured))
    rows = [
        (capitalised(NAMES[found[0].name]), *(_cell(one) for one in found))
        for found in zip(*measured.values(), strict=True)
    ]
    tracked = max(int(crops.tracked.sum()) for crops in prepared.values())
    return [*_verdicts(measured), Table(columns, rows, _caption(tracked)), *picture, *missing]


def of_one(material: Material, name: str, k: int) -> list[Block]:
    """Show what interventions do to one model of a classifier."""
    cells = _test_cells(material, name)
    crops = cell_crops(material.study, cells.index)
    found = _measured(material.classifier(name).select(k), crops, cells)
    rows = [
        (capitalised(NAMES[one.name]), percent_interval(*astuple(one.balanced_accuracy)), _flips(one))
        for one in found
    ]
    table = Table(
        ("Test cells", "Balanced accuracy", "Predicted classes that change"),
        rows,
        _caption(int(crops.tracked.sum())),
    )
    return [Paragraph(dependence(found).sentence), table]


def _test_cells(material: Material, name: str) -> TestCells:
    cells = material.test(name).some(CELLS)
    cells = cells.rows(np.flatnonzero(has_donor(cells.targets)))
    if len(np.unique(cells.targets)) < 2:
        raise Absent("It has too few test cells to exchange their surroundings.")
    return cells


def _measured(classifier: Classifier, crops: CellCrops, cells: TestCells) -> list[Intervention]:
    return measure_interventions(predictor(scorer(classifier)), crops, cells.targets, cells.groups)


def _verdicts(measured: dict[str, list[Intervention]]) -> list[Block]:
    """Say of each classifier whether it reads the surroundings."""
    return [
        Paragraph(f"{classifier_title(name)}: {dependence(found).sentence}")
        for name, found in measured.items()
    ]


def _caption(tracked: int) -> str:
    own = "its segmented nucleus"
    if tracked:
        own = f"the tracker's outline ({tracked} cells), else {own}"
    return (
        "Balanced accuracy with its 95 % interval, and below it the share of predicted classes that change; at most "
        f"{CELLS} test cells; means over the models (of scheme 4 the first law, which is applied), over {DRAWS} draws "
        "of other surroundings, 8 directions or 7 orientations, and intervals by bootstrap over groups of cells and "
        f"models. A cell's own pixels are {own}, dilated by {MARGIN} px; surroundings are exchanged in "
        "the movie's grey values, and the new crop is divided by the brightness of its cell. The rim is what shows of "
        "the other cell where that is larger. A classifier is said to read the surroundings where more than "
        f"{percent(NEGLIGIBLE, 0)} of its predicted classes change with others (without the rim) or with none, by the "
        "whole interval."
    )


def _picture(material: Material, crops: CellCrops, cells: TestCells, classes: Sequence[str]) -> Block:
    """Show cells as they are and in other surroundings."""
    from morpholaw.figures.pictures import montage

    shown = np.concatenate([np.flatnonzero(cells.targets == c)[:SHOWN] for c in np.unique(cells.targets)])
    if len(shown) > ROWS:
        shown = shown[np.linspace(0, len(shown) - 1, ROWS).astype(int)]
    rows = [next(variants(name, crops, cells.targets, cells.groups)) for name in PICTURED]
    tiles = np.stack([row[k] for k in shown for row in rows])
    figure = montage(tiles, captions=list(PICTURED) * len(shown), columns=len(PICTURED), figsize=(6.4, None),
                     pixel_size=material.pixel_size)  # fmt: skip
    caption = (
        "Cells as they are and with other surroundings, as the classifiers are shown them; from above "
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
