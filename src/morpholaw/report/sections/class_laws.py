"""Laws of more than two classes: formulas, each class in words, its vetoes, each pair, and where each is called."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np

from morpholaw.display import percent, percent_interval
from morpholaw.evaluation.scoring import measured_columns
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.features import FeatureTable
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Bullets, Fold, Formula, Paragraph, Table, drawing, photograph
from morpholaw.report.sections.law import DIGITS, WITHIN, excluding, inputs_table
from morpholaw.report.sections.laws import doubts, search
from morpholaw.store.law_reading import laws_in_units
from morpholaw.store.law_stability import stability_sentence

PAIRS = 15
"""Pairs of classes that are shown, at most: those that are confused most."""


def class_laws(material: Material) -> list[Block]:
    """Show the laws of each set with what they say of each class; what is about pairs is folded."""
    blocks: list[Block] = []
    for name, record in material.records.items():
        if record.scheme == 4 and not record.two_classes:
            blocks += [
                *formulas(material, name, 0),
                *in_words(material, name, 0),
                *regions(material, name, 0),
                Fold(f"{name}: each pair of classes", pairs(material, name, 0)),
            ]
    if not blocks:
        raise Absent("No laws of more than two classes have been searched for.")
    return blocks


def formulas(material: Material, name: str, k: int) -> list[Block]:
    """Show the law of each class in units, and how often the largest is right."""
    record, classifier = material.records[name], material.classifier(name)
    laws, tested = laws_in_units(classifier, k), record.evaluation
    intro = (
        f"{name}: {search(record)}, then fitted to each other; a cell is of the class whose law is largest. "
        f"Of {tested.test_cells:,} held-out cells {percent_interval(*astuple(tested.ensemble_accuracy))} are right, "
        f"{percent_interval(*astuple(tested.balanced_interval))} balanced over the classes."
    )
    blocks: list[Block] = [
        *doubts(record),
        Paragraph(intro),
        *(
            Formula(
                typeset(laws.laws[one], digits=DIGITS, size=14, class_name=one), f"{one}: {law.size} nodes."
            )
            for one, law in zip(laws.classes, classifier.laws_of(k), strict=True)
        ),
    ]
    if tested.undefined:
        blocks.append(Paragraph(f"{tested.undefined} of them have a law without a finite value.", "warning"))
    if classifier.columns is not None:
        used = {one for law in laws.laws.values() for one in law.expression.variables()}
        blocks.append(inputs_table(classifier.columns, used))
    return blocks


def in_words(material: Material, name: str, k: int) -> list[Block]:
    """Put each class into words, with the inputs that exclude it, and show a typical cell of each."""
    from morpholaw.figures.pictures import montage

    sentences, vetoes, typical, shown = [], [], [], []
    stable: list[str] = []
    classifier = material.classifier(name)
    first = material.reading(name, k, material.records[name].classes[0])
    for one, law in zip(classifier.classes, classifier.laws_of(k), strict=True):
        reading = first.of_class(one)
        if said_before := stability_sentence(material.study, name, law.text()):
            stable.append(f"{one}: {said_before}")
        sentence = reading.sentence()
        sentences.append(sentence.text)
        if excluded := reading.exclusions():
            vetoes.append((one, "; ".join(excluded)))
        if (row := getattr(sentence, "typical", None)) is not None:
            typical.append(int(reading.index[row]))
            shown.append(one)
    blocks: list[Block] = [Bullets(sentences), *([Bullets(stable)] if stable else [])]
    if typical:
        figure = montage(
            material.study.crops[np.array(typical)], labels=shown, columns=min(8, len(typical)),
            pixel_size=material.pixel_size,
        )  # fmt: skip
        caption = (
            "The typical cells: of the labelled cells of each class that are called so, the nearest to the median of "
            f"the class; among the study's crops {', '.join(f'{cell:,}' for cell in typical)}."
        )
        blocks.append(photograph(figure, f"Typical cells of {name}", caption))
    if not vetoes:
        return [*blocks, *excluding([])]
    caption = (
        f"Inputs that exclude a class, each by itself and whatever the others are, {WITHIN} (proved by interval "
        "arithmetic)."
    )
    return [*blocks, Table(("Class", "Excluded by"), vetoes, caption)]


def regions(material: Material, name: str, k: int) -> list[Block]:
    """Show which class is called over the two inputs that change the class of most cells."""
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
        "The class over two of the inputs that change the class of most cells, all others at their median"
        f"{f' ({held})' if held else ''}. Dots are labelled cells, whose other inputs are their own."
    )
    return [drawing(figure, "Regions of the classes", caption)]


def pairs(material: Material, name: str, k: int) -> list[Block]:
    """Show what tells the classes of each pair apart, those that are confused most first."""
    classes = material.records[name].classes
    counts = np.array(material.records[name].evaluation.confusion)
    both = [(a, b) for a in range(len(classes)) for b in range(a + 1, len(classes))]
    both.sort(key=lambda pair: -int(counts[pair] + counts[pair[::-1]]))
    laws, values, rows = laws_in_units(material.classifier(name), k), _test_inputs(material, name), []
    reading = material.reading(name, k, classes[0])
    for first, second in both[:PAIRS]:
        sentence = reading.of_pair(classes[second], classes[first]).sentence()
        confused = int(counts[first, second] + counts[second, first])
        right = "n/a"
        if values is not None:
            targets = material.test(name).targets
            right = _right_of_pair(laws, values, targets, (first, second))
        rows.append(
            (f"{classes[second]} rather than {classes[first]}", sentence.text, right, f"{confused:,}")
        )
    left = f" The {PAIRS} of {len(both)} pairs that are confused most." if len(both) > PAIRS else ""
    caption = (
        "The difference of the two laws, read over the labelled cells of the two classes. Right: of their held-out "
        f"cells, by this difference alone. Confused: held-out cells of one that all laws together call the other.{left}"
    )
    return [Table(("Pair", "In words", "Right", "Confused"), rows, caption)]


def _right_of_pair(laws: ClassLaws, values: FeatureTable, targets: np.ndarray, pair: tuple[int, int]) -> str:
    """Return the share of the held-out cells of two classes that the difference of their laws tells apart."""
    first, second = pair
    own = np.flatnonzero(np.isin(targets, pair))
    if not len(own):
        return "n/a"
    called = laws.against(laws.classes[second], laws.classes[first]).score(values.rows(own)) >= 0
    return percent(float(np.mean(called == (targets[own] == second))))


def _test_inputs(material: Material, name: str) -> FeatureTable | None:
    """Return the inputs of the held-out cells, in units; None where these cells are not there."""
    try:
        return measured_columns(material.classifier(name), material.test(name).images)
    except Absent:
        return None
