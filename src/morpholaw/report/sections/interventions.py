"""Dependence of predicted classes on the surroundings, position and orientation of cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple
from functools import cache

import numpy as np
from markupsafe import Markup

from morpholaw.cells.segmentation import MARGIN
from morpholaw.display import capitalised, classifier_title, listed, percent, percent_interval, span
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.interpretation.interventions import (
    DRAWS,
    NAMES,
    NEGLIGIBLE,
    SURROUNDINGS,
    Dependence,
    Intervention,
    dependence,
    predictor,
    variants,
)
from morpholaw.interpretation.interventions import interventions as measure_interventions
from morpholaw.interpretation.latent_summary import MORPHOLOGY_SHARE
from morpholaw.interpretation.surroundings import CellCrops, has_donor
from morpholaw.report.material import Material, TestCells
from morpholaw.report.page import Absent, Block, Paragraph, Table, photograph, with_notes
from morpholaw.store.latent_sample import cell_crops

CELLS = 400
"""Maximum number of test cells, balanced over the classes."""
SHOWN = 2
"""Number of cells per class in the figure."""
ROWS = 8
"""Maximum number of cells in the figure."""
MOST_INPUTS = 6
"""Maximum number of inputs that a sentence lists."""
PICTURED = ("none", "same class", "other class", "other class, cell removed", "removed")


class Surroundings:
    """The measured effect of the interventions on the classifiers of a study, each computed once."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.measured = cache(self._measured)
        self.verdict = cache(self._verdict)
        self._crops: dict[tuple[int, ...], CellCrops] = {}

    def _measured(
        self, name: str, k: int | None = None, names: tuple[str, ...] = tuple(NAMES)
    ) -> list[Intervention]:
        """Measure interventions on the models of a classifier that are applied, or on one of its models.

        Raises Absent with the reason if there are too few test cells.
        """
        cells, classifier = _test_cells(self.material, name), self.material.classifier(name)
        predict = predictor(scorer(classifier.applied if k is None else classifier.select(k)))
        return measure_interventions(
            predict, self.crops(cells), cells.targets, cells.groups, names=names, classes=classifier.classes
        )

    def _verdict(self, name: str, k: int) -> Dependence:
        """Measure one model of a classifier only as far as the verdict on it needs."""
        return dependence(self._measured(name, k, SURROUNDINGS))

    def crops(self, cells: TestCells) -> CellCrops:
        """Return test cells with their masks."""
        key = tuple(cells.index.tolist())
        if key not in self._crops:
            self._crops[key] = cell_crops(self.material.study, cells.index)
        return self._crops[key]


def interventions(material: Material, surroundings: Surroundings) -> list[Block]:
    """Show the effect of each intervention on each classifier, and examples of changed crops."""
    if not material.names:
        raise Absent("No classifier has been trained yet, so the effect of surroundings cannot be measured.")
    measured: dict[str, list[Intervention]] = {}
    missing: list[Block] = []
    for name in material.names:
        try:
            measured[name] = surroundings.measured(name)
        except Absent as absent:
            missing.append(Paragraph(f"{material.title(name)}: {absent}", "absent"))
    if not measured:
        return missing
    columns = ("Test cells", *(classifier_title(name) for name in measured))
    rows = [
        (capitalised(NAMES[row[0].name]), *(_cell(intervention) for intervention in row))
        for row in zip(*measured.values(), strict=True)
    ]
    first, cells = next(iter(measured)), [_test_cells(material, name) for name in measured]
    tracked = max(int(surroundings.crops(one).tracked.sum()) for one in cells)
    examples = _examples(material, surroundings.crops(cells[0]), cells[0], material.records[first].classes)
    verdicts = [
        Paragraph(f"{classifier_title(name)}: {dependence(one).sentence}{_what_it_reads(material, name)}")
        for name, one in measured.items()
    ]
    return [*verdicts, Table(columns, rows, _caption(tracked)), examples, *missing]


def of_one(material: Material, surroundings: Surroundings, name: str, k: int) -> list[Block]:
    """Show the effect of each intervention on one model of a classifier."""
    measured = surroundings.measured(name, k)
    crops = surroundings.crops(_test_cells(material, name))
    rows = [
        (capitalised(NAMES[one.name]), percent_interval(*astuple(one.balanced_accuracy)), _flips(one))
        for one in measured
    ]
    table = Table(
        ("Test cells", "Balanced accuracy", "Changed classes"),
        rows,
        _caption(int(crops.tracked.sum())),
    )
    return [Paragraph(dependence(measured).sentence + _what_it_reads(material, name, k)), table]


def inputs_from_surroundings(material: Material, name: str, k: int | None = None) -> list[str]:
    """Return the inputs of a classifier that the surroundings affect, such as "z3 (neighbourhood): 59 %".

    These are latents with the share of their variance that surroundings cause, unless they describe morphology, and
    shapes of the neighbours. Without ``k``, they are the inputs that at least half of the models use, or those of the
    law that is applied.
    """
    classifier = material.classifier(name)
    models = classifier.applied if k is None else classifier.select(k)
    used = Counter(column for member in range(models.members) for column in models.kept_columns(member))
    columns = [column for column, count in used.items() if 2 * count >= models.members]
    features = models.columns.features if models.columns is not None else ()
    about_neighbours = [one.name for one in features if one.about == "neighbourhood" and one.name in columns]
    latents = [z for z in material.latents_of(name).active if f"z{z}" in columns] if models.encoder else []
    shares = material.latents_of(name).surroundings if latents else None
    return about_neighbours + [
        f"{material.called(z, name)}: {percent(shares[z], 0)}"
        for z in latents
        if shares is not None and shares[z] >= MORPHOLOGY_SHARE
    ]


def _what_it_reads(material: Material, name: str, k: int | None = None) -> str:
    """Return a sentence on the inputs that the surroundings affect; "" if there are none."""
    inputs = inputs_from_surroundings(material, name, k)
    if not inputs:
        return ""
    if len(inputs) > MOST_INPUTS:
        return f" It uses {len(inputs)} inputs that the surroundings affect; the table of latents has their shares."
    return f" It uses inputs that the surroundings affect (share of their variance): {listed(inputs)}."


def _test_cells(material: Material, name: str) -> TestCells:
    cells = material.test(name).some(CELLS)
    cells = cells.rows(np.flatnonzero(has_donor(cells.targets)))
    if len(np.unique(cells.targets)) < 2:
        raise Absent("There are too few test cells to exchange their surroundings.")
    return cells


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
    interval = f"({span(100 * accuracy.low, 100 * accuracy.high, 1)})"
    change = [] if one.name == "none" else [f"{percent(one.flips.value)} change"]
    return with_notes(percent(accuracy.value), interval, *change)


def _flips(one: Intervention) -> str:
    return "none" if one.name == "none" else percent_interval(*astuple(one.flips))
