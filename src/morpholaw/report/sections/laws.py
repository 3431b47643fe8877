"""The laws of scheme 4: their formulas, how good they are, and the best of them in detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np

from morpholaw.display import Loss, number, percent, percent_interval, span
from morpholaw.errors import MorpholawError
from morpholaw.evaluation.scoring import measured_columns
from morpholaw.models.classes import largest_classes
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table
from morpholaw.report.sections.law import DIGITS, law_figures
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.overview import guessing_sentence

LOSSES: dict[Loss, str] = {"hinge": "hinge loss on the labels", "mse": "squared error to scheme 3's outputs"}


def titles(material: Material) -> dict[str, str]:
    """Return the classifiers that are laws of two classes, the laws by either loss among them, and their titles."""
    found = {name_of(4, "hinge"): "Laws, hinge loss", name_of(4, "mse"): "Laws, squared error"}
    try:
        records = material.records
    except MorpholawError:
        return found  # each section says why
    for name, record in records.items():
        if record.scheme == 4 and record.two_classes and name not in found:
            found[name] = f"Laws, {name}"
    return found


def laws(material: Material, name: str) -> list[Block]:
    """All laws of a classifier, and the best of them in detail."""
    loss = next((f" with the {words}" for loss, words in LOSSES.items() if name == name_of(4, loss)), "")
    found = list(material.need(name, f"No laws have been searched for{loss}.").laws)
    record = material.records[name]
    if not record.two_classes:
        raise Absent(f"The laws found{loss} tell {len(record.classes)} classes apart; they are shown below.")
    return [
        *doubts(record),
        _table(material, name, found),
        Paragraph("The first law, the best on the training cells:"),
        *law_figures(material, name, 0),
    ]


def doubts(record: ClassifierRecord) -> list[Block]:
    """Return what stands above the laws of a classifier that cannot be told from guessing."""
    sentence = guessing_sentence(record)
    return [Paragraph(sentence, "warning")] if sentence else []


def search(record: ClassifierRecord) -> str:
    """Return how the laws of a classifier came about: "found with the hinge loss on the labels"."""
    return f"found with the {LOSSES[record.loss]}" if record.loss else "made by hand"


def _table(material: Material, name: str, found: list[Law]) -> Table:
    record = material.records[name]
    evaluation = record.evaluation
    rounded = rounding(material, name)
    rows = []
    for k, law in enumerate(found):
        share = evaluation.intervals[k]
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
    inputs = "" if record.inputs == "latents" else ", over shapes in standard deviations"
    caption = (
        f"Laws {search(record)}{inputs}, best first on the training cells; f ≥ 0 is "
        f"{record.positive}. Accuracy on {evaluation.test_cells:,} test cells, with "
        f"{interval_kind(evaluation)}. Constants are shown with {DIGITS} significant digits and used in full; the "
        "last column says what rounding them changes. The paper's laws have 11 to 20 nodes at 96.9 to 97.8 %."
    )
    return Table(columns, rows, caption)


def interval_kind(evaluation: Evaluation) -> str:
    """Say what the intervals of an evaluation are."""
    return f"its 95 % interval over the {evaluation.test_groups:,} groups (tracks, lineages or movies) of these cells"


def balanced(evaluation: Evaluation, k: int) -> str:
    """Return the balanced accuracy of law ``k``, with its interval where it is the law that is applied."""
    if k == evaluation.law:
        return percent_interval(*astuple(evaluation.balanced_interval))
    return percent(evaluation.balanced_accuracy[k])


def rounding(material: Material, name: str) -> list[str]:
    """For every law, what rounding its constants does on the test cells."""
    classifier = material.classifier(name)
    try:
        test = material.test(name)
    except Absent:
        return ["n/a"] * len(classifier.laws)
    inputs = measured_columns(classifier, test.images)
    if classifier.columns is not None:
        inputs = FeatureTable(classifier.columns.standardise(inputs), inputs.names)
    texts = []
    for k in range(classifier.members):
        laws = classifier.laws_of(k)
        before, after = (_called(one, inputs) for one in (laws, [law.rounded(DIGITS) for law in laws]))
        changed = int(np.count_nonzero(before != after))
        texts.append(f"{changed:,} of {len(test):,} calls change" if changed else "no call changes")
    return texts


def _called(laws: Sequence[Law], inputs: FeatureTable) -> np.ndarray:
    """Return the class numbers that a law, or one law per class, gives."""
    if len(laws) == 1:
        return laws[0].predict(inputs)
    return largest_classes(np.stack([law.score(inputs) for law in laws], axis=1))
