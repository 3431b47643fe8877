"""The laws of scheme 4: their formulas, how good they are, and the best of them in detail."""

from __future__ import annotations

import numpy as np

from morpholaw.display import number, percent, span
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.metrics import accuracy
from morpholaw.models.law import Law
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table
from morpholaw.report.sections.law import DIGITS, law_figures
from morpholaw.store.classifier_record import Evaluation, name_of

LOSSES = {"hinge": "hinge loss on the labels", "mse": "squared error to scheme 3's outputs"}


def laws(material: Material, loss: str) -> list[Block]:
    """All laws found with a loss, and the best of them in detail."""
    found = list(
        material.need(name_of(4, loss), f"No laws have been searched for with the {LOSSES[loss]}.").laws
    )
    record = material.records[name_of(4, loss)]
    if not record.two_classes:
        raise Absent(
            f"The laws found with the {LOSSES[loss]} tell {len(record.classes)} classes apart; they are shown below."
        )
    blocks: list[Block] = [_table(material, loss, found)]
    blocks += [
        Paragraph("The first law, the best on the training cells:"),
        *law_figures(material, name_of(4, loss), 0),
    ]
    return blocks


def _table(material: Material, loss: str, found: list[Law]) -> Table:
    evaluation = material.records[name_of(4, loss)].evaluation
    rounded = rounding(material, loss)
    rows = []
    for k, law in enumerate(found):
        share = recorded_accuracy(evaluation, k)
        rows.append(
            (
                str(k + 1),
                typeset(law, digits=DIGITS, size=13),
                str(law.size),
                str(law.complexity),
                number(100 * share.value, 1),
                span(100 * share.low, 100 * share.high, 1),
                rounded[k],
            )
        )
    columns = ("", "Law", "Nodes", "Complexity", "Accuracy, %", "95 % interval", f"With {DIGITS} digits")
    caption = (
        f"Laws found with the {LOSSES[loss]}, best first on the training cells; f ≥ 0 is "
        f"{material.classifier(name_of(4, loss)).positive}. Accuracy on {evaluation.test_cells:,} test cells, with "
        f"{interval_kind(evaluation)}. Constants are shown with {DIGITS} significant digits and used in full; the "
        "last column says what rounding them changes. The paper's laws have 11 to 20 nodes at 96.9 to 97.8 %."
    )
    return Table(columns, rows, caption)


def interval_kind(evaluation: Evaluation) -> str:
    """Say what the intervals of an evaluation are."""
    if evaluation.test_groups is None:
        return "Wilson's interval over cells, which is too narrow where cells belong to one track or movie"
    return f"its 95 % interval over the {evaluation.test_groups:,} groups (tracks, lineages or movies) of these cells"


def recorded_accuracy(evaluation: Evaluation, k: int) -> Estimate:
    """Test accuracy of law ``k`` as it was measured, with its interval over groups; over cells in an older record."""
    if evaluation.intervals:
        return evaluation.intervals[k]
    n = evaluation.test_cells
    return accuracy(np.arange(n) < round(evaluation.accuracy[k] * n))


def rounding(material: Material, loss: str) -> list[str]:
    """For every law, what rounding its constants does on the test cells."""
    found = material.classifier(name_of(4, loss)).laws
    try:
        latents, targets = material.test_latents(name_of(4, loss)), material.test(name_of(4, loss)).targets
    except Absent:
        return ["n/a"] * len(found)
    texts = []
    for law in found:
        short = law.rounded(DIGITS)
        changed = int(np.count_nonzero(law.predict(latents) != short.predict(latents)))
        if not changed:
            texts.append("no call changes")
            continue
        calls = f"{changed} calls change" if changed > 1 else "one call changes"
        texts.append(f"{percent(short.accuracy(latents, targets))}: {calls}")
    return texts
