"""Laws of more than two classes: one expression a class, and how their largest does (paper, section 8)."""

from __future__ import annotations

import numpy as np

from morpholaw.display import percent, span
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table, drawing
from morpholaw.report.sections.law import DIGITS
from morpholaw.report.sections.laws import LOSSES
from morpholaw.store.class_laws import place_of, record
from morpholaw.store.class_laws_record import ClassLawsRecord


def class_laws(material: Material) -> list[Block]:
    """Show the laws of each loss, and their confusion matrix on the held-out cells."""
    blocks: list[Block] = []
    for loss, words in LOSSES.items():
        if place_of(material.study, loss).exists():
            blocks += _of_loss(record(material.study, loss), words)
    if not blocks:
        raise Absent("No laws of more than two classes have been searched for.")
    return blocks


def _of_loss(found: ClassLawsRecord, words: str) -> list[Block]:
    from morpholaw.figures.performance import confusion

    tested, laws = found.evaluation, found.laws
    rows = [
        (name, typeset(law, digits=DIGITS, size=13), str(law.size), str(law.complexity))
        for name, law in laws.laws.items()
    ]
    share = tested.accuracy
    caption = (
        f"Found with the {words}, each class against the rest; a cell is of the class whose law is largest. Of "
        f"{tested.test_cells:,} held-out cells {percent(share.value)} are right (95 % interval "
        f"{span(100 * share.low, 100 * share.high, 1)}), {percent(tested.balanced_accuracy)} balanced over the classes."
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
