"""Laws of more than two classes: formulas, descriptions, vetoes, regions of the classes, and pairs of classes."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np

from morpholaw.display import counted, percent, percent_interval
from morpholaw.evaluation.scoring import measured_columns
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.features import FeatureTable
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Bullets, Fold, Formula, Paragraph, Table, drawing, photograph
from morpholaw.report.sections.law import WITHIN, excluding, inputs_table
from morpholaw.report.sections.laws import search
from morpholaw.report.sections.performance import mark
from morpholaw.store.law_reading import laws_in_units
from morpholaw.store.law_stability import stability_sentence

PAIRS = 15
"""Maximum number of pairs of classes shown, those that are confused most."""


def class_laws(material: Material) -> list[Block]:
    """Show the laws of more than two classes; the table of pairs is folded."""
    blocks: list[Block] = []
    for name, record in material.records.items():
        if record.scheme == 4 and not record.two_classes:
            blocks += [
                *mark(record),
                *formulas(material, name, 0),
                *in_words(material, name, 0),
                *regions(material, name, 0),
                Fold(f"{name}: each pair of classes", pairs(material, name, 0)),
            ]
    if not blocks:
        raise Absent("No laws of more than two classes have been searched for.")
    return blocks


def formulas(material: Material, name: str, k: int) -> list[Block]:
    """Show the law of each class in units, and the accuracy of all laws together."""
    record, classifier = material.records[name], material.classifier(name)
    laws, evaluation = laws_in_units(classifier, k), record.evaluation
    digits = material.reading(name, k, record.classes[0]).digits
    intro = (
        f"{name}: laws {search(record)} and then fitted jointly. A cell belongs to the class whose law is largest. Of "
        f"{evaluation.test_cells:,} held-out cells, {percent_interval(*astuple(evaluation.ensemble_accuracy))} are "
        f"classified correctly; the balanced accuracy is {percent_interval(*astuple(evaluation.balanced_interval))}."
    )
    blocks: list[Block] = [
        Paragraph(intro),
        *(
            Formula(
                typeset(laws.laws[class_name], digits=digits, size=14, class_name=class_name),
                f"{class_name}: {counted(law.size, 'node')}.",
            )
            for class_name, law in zip(laws.classes, classifier.laws_of(k), strict=True)
        ),
    ]
    if evaluation.undefined:
        blocks.append(
            Paragraph(
                f"For {evaluation.undefined} of the held-out cells, a law of {name} has no finite value.",
                "warning",
            )
        )
    if classifier.columns is not None:
        used = {variable for law in laws.laws.values() for variable in law.expression.variables()}
        blocks.append(inputs_table(classifier.columns, used))
    return blocks


def in_words(material: Material, name: str, k: int) -> list[Block]:
    """Describe each class in words, list the inputs that exclude it, and show a typical cell of each."""
    from morpholaw.figures.pictures import montage

    sentences, vetoes, typical, typical_classes = [], [], [], []
    stability: list[str] = []
    classifier = material.classifier(name)
    first = material.reading(name, k, material.records[name].classes[0])
    for class_name, law in zip(classifier.classes, classifier.laws_of(k), strict=True):
        reading = first.of_class(class_name)
        if stored := stability_sentence(material.study, name, law.text()):
            stability.append(f"{class_name}: {stored}")
        sentence = reading.sentence()
        sentences.append(sentence.text)
        if excluded := reading.exclusions():
            vetoes.append((class_name, "; ".join(excluded)))
        if (row := getattr(sentence, "typical", None)) is not None:
            typical.append(int(reading.index[row]))
            typical_classes.append(class_name)
    blocks: list[Block] = [Bullets(sentences), *([Bullets(stability)] if stability else [])]
    if typical:
        figure = montage(
            material.study.crops[np.array(typical)], labels=typical_classes, columns=min(8, len(typical)),
            pixel_size=material.pixel_size,
        )  # fmt: skip
        caption = (
            "Typical cell of each class: the correctly classified cell that is closest to the median of its class. "
            f"The cells have the indices {', '.join(f'{cell:,}' for cell in typical)} in the study."
        )
        blocks.append(photograph(figure, f"Typical cells of {name}", caption))
    if not vetoes:
        return [*blocks, *excluding([])]
    caption = (
        f"Inputs that exclude a class on their own, regardless of all other inputs, {WITHIN}, as "
        "proved by interval arithmetic."
    )
    return [*blocks, Table(("Class", "Excluded by"), vetoes, caption)]


def regions(material: Material, name: str, k: int) -> list[Block]:
    """Show the predicted class over the two inputs that change the class of most cells."""
    from morpholaw.figures.class_regions import class_regions as draw
    from morpholaw.figures.law_boundary import cells_on_map
    from morpholaw.interpretation.class_regions import class_regions, read_inputs
    from morpholaw.interpretation.input_slice import held_text

    reading = material.reading(name, k, material.records[name].classes[0])
    laws = reading.laws
    if laws is None or len(read_inputs(laws)) < 2:
        return []
    computed = class_regions(laws, reading.cells, reading.map_ranges(read_inputs(laws)))
    colours = material.study.class_colours(laws.classes)
    x, y = reading.cells.select(computed.names).T
    cells = cells_on_map(x, y, reading.labels, colours)
    labels = (reading.axis_label(computed.names[0]), reading.axis_label(computed.names[1]))
    figure = draw(computed, labels, laws.classes, colours, cells, figsize=(6.4, None))
    held = held_text(computed.held, reading.units_of(computed.held))
    caption = (
        "Predicted class over two of the inputs that change the class of most cells, with all others at their median"
        f"{f' ({held})' if held else ''}. Dots are labelled cells; their other inputs are not at the median."
    )
    return [drawing(figure, "Regions of the classes", caption)]


def pairs(material: Material, name: str, k: int) -> list[Block]:
    """Show what distinguishes the classes of each pair, beginning with the pair that is confused most."""
    classes = material.records[name].classes
    counts = np.array(material.records[name].evaluation.confusion)
    both = [(a, b) for a in range(len(classes)) for b in range(a + 1, len(classes))]
    both.sort(key=lambda pair: -int(counts[pair] + counts[pair[::-1]]))
    laws, values, rows = laws_in_units(material.classifier(name), k), _test_inputs(material, name), []
    reading = material.reading(name, k, classes[0])
    for first, second in both[:PAIRS]:
        sentence = reading.of_pair(classes[second], classes[first]).sentence()
        confused = int(counts[first, second] + counts[second, first])
        accuracy = "n/a"
        if values is not None:
            targets = material.test(name).targets
            accuracy = _accuracy_of_pair(laws, values, targets, (first, second))
        rows.append(
            (f"{classes[second]} rather than {classes[first]}", sentence.text, accuracy, f"{confused:,}")
        )
    selection = (
        f" The table shows the {PAIRS} of {len(both)} pairs that are confused most."
        if len(both) > PAIRS
        else ""
    )
    caption = (
        "Difference of the laws of two classes, described over their labelled cells. Accuracy: share of their held-out "
        "cells that the sign of this difference classifies correctly. Confused: held-out cells of one class that "
        f"all laws together assign to the other.{selection}"
    )
    return [Table(("Pair", "Difference", "Accuracy", "Confused"), rows, caption)]


def _accuracy_of_pair(
    laws: ClassLaws, values: FeatureTable, targets: np.ndarray, pair: tuple[int, int]
) -> str:
    """Return the share of the held-out cells of two classes that the difference of their laws classifies correctly."""
    first, second = pair
    cells = np.flatnonzero(np.isin(targets, pair))
    if not len(cells):
        return "n/a"
    predicted = laws.against(laws.classes[second], laws.classes[first]).score(values.rows(cells)) >= 0
    return percent(float(np.mean(predicted == (targets[cells] == second))))


def _test_inputs(material: Material, name: str) -> FeatureTable | None:
    """Return the inputs of the held-out cells in their units; None if these cells no longer exist."""
    try:
        return measured_columns(material.classifier(name), material.test(name).images)
    except Absent:
        return None
