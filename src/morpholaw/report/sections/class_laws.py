"""Laws of more than two classes: one expression a class, and how their largest does (paper, section 8)."""

from __future__ import annotations

import numpy as np

from morpholaw.display import percent, span
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing
from morpholaw.report.sections.law import DIGITS
from morpholaw.report.sections.laws import LOSSES
from morpholaw.store.classifier_record import ClassifierRecord


def class_laws(material: Material) -> list[Block]:
    """Show the laws of each set, and their confusion matrix on the held-out cells."""
    blocks: list[Block] = []
    for record in material.records.values():
        if record.scheme == 4 and not record.two_classes:
            blocks += _laws_of(record)
    if not blocks:
        raise Absent("No laws of more than two classes have been searched for.")
    return blocks


def _laws_of(found: ClassifierRecord) -> list[Block]:
    from morpholaw.figures.performance import confusion

    tested, laws = found.evaluation, found.class_laws
    words = LOSSES[found.loss] if found.loss else "hand"
    rows = [
        (name, typeset(law, digits=DIGITS, size=13), str(law.size), str(law.complexity))
        for name, law in laws.laws.items()
    ]
    share, balanced = tested.ensemble_accuracy, float(np.mean(tested.balanced_accuracy))
    caption = (
        f"{found.name}: found with the {words}, then fitted to each other; a cell is of the class whose law is "
        f"largest. Of {tested.test_cells:,} held-out cells {percent(share.value)} are right (95 % interval "
        f"{span(100 * share.low, 100 * share.high, 1)}), {percent(balanced)} balanced over the classes."
    )
    blocks: list[Block] = [Table(("Class", "Law", "Nodes", "Complexity"), rows, caption)]
    counts = np.array(tested.confusion)
    figure = confusion(counts, laws.classes, figsize=(1.2 + 0.9 * len(laws.classes), None))
    blocks.append(
        drawing(figure, "Confusion of the classes", "Held-out cells: rows are labels, columns calls.")
    )
    if tested.undefined:
        blocks.append(Paragraph(f"{tested.undefined} of them have a law without a finite value.", "warning"))
    return blocks
