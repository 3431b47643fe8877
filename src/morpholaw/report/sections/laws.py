"""The laws of two classes: a table of all laws of scheme 4, and the first of them in detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np

from morpholaw.display import Loss, counted, number, percent, percent_interval, span
from morpholaw.errors import MorpholawError
from morpholaw.evaluation.scoring import measured_columns
from morpholaw.models.classes import largest_classes
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.report.formula import typeset
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Block, Paragraph, Table
from morpholaw.report.sections.law import DIGITS, law_figures
from morpholaw.report.sections.performance import mark
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.evaluation_record import Evaluation

LOSSES: dict[Loss, str] = {"hinge": "hinge loss on the labels", "mse": "squared error to scheme 3's outputs"}


def titles(material: Material) -> dict[str, str]:
    """Return the title of each section of laws of two classes, by the name of the classifier."""
    titles = {name_of(4, "hinge"): "Laws, hinge loss", name_of(4, "mse"): "Laws, squared error"}
    try:
        records = material.records
    except MorpholawError:
        return titles  # each section gives the reason
    for name, record in records.items():
        if record.scheme == 4 and record.two_classes and name not in titles:
            titles[name] = f"Laws, {name}"
    return titles


def laws(material: Material, name: str) -> list[Block]:
    """Show all laws of a classifier, and the first of them in detail."""
    loss = next((f" with the {words}" for loss, words in LOSSES.items() if name == name_of(4, loss)), "")
    all_laws = list(material.need(name, f"No laws have been searched for{loss}.").laws)
    record = material.records[name]
    if not record.two_classes:
        raise Absent(f"The laws found{loss} distinguish {len(record.classes)} classes; they are shown below.")
    return [
        *mark(record),
        _table(material, name, all_laws),
        Paragraph("Law 1, which is the one that is applied:"),
        *law_figures(material, name, 0),
    ]


def search(record: ClassifierRecord) -> str:
    """Return the origin of the laws of a classifier: "found with the hinge loss on the labels"."""
    return f"found with the {LOSSES[record.loss]}" if record.loss else "entered by hand"


def _table(material: Material, name: str, all_laws: list[Law]) -> Table:
    record = material.records[name]
    evaluation = record.evaluation
    rounded = rounding(material, name)
    rows = []
    for k, law in enumerate(all_laws):
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
    columns = (
        "",
        "Law",
        "Nodes",
        "Complexity",
        "Accuracy, %",
        "95 % interval",
        f"Rounded to {DIGITS} digits",
    )
    inputs = "" if record.inputs == "latents" else ", with shapes in standard deviations"
    order = ""
    if len(all_laws) > 1 and _in_order_of_accuracy(all_laws[1:]):
        order = "; the others are in the order of their accuracy on the training set"
    caption = (
        f"Laws {search(record)}{inputs}. Cells with f ≥ 0 are {record.positive}. Law 1 is the one that is applied"
        f"{order}. Accuracies refer to {counted(evaluation.test_cells, 'test cell')}, with 95 % "
        f"confidence intervals over their {counted(evaluation.test_groups, 'group')} (tracks, lineages or movies). "
        f"Constants are rounded to {DIGITS} significant digits for display only; "
        "the last column shows the effect that rounding would have. In the paper, laws of 11 to 20 nodes have an "
        "accuracy of 96.9 to 97.8 %."
    )
    return Table(columns, rows, caption)


def _in_order_of_accuracy(laws: Sequence[Law]) -> bool:
    """Return whether the accuracies of laws on the training set are known and do not increase."""
    accuracies = [law.metadata.get("accuracy") for law in laws]
    known = [float(one) for one in accuracies if one is not None]
    return len(known) == len(laws) and known == sorted(known, reverse=True)


def balanced(evaluation: Evaluation, k: int) -> str:
    """Return the balanced accuracy of law ``k``, with its interval if it is the law that is applied."""
    if k == evaluation.law:
        return percent_interval(*astuple(evaluation.balanced_interval))
    return percent(evaluation.balanced_accuracy[k])


def rounding(material: Material, name: str) -> list[str]:
    """Return for every law the effect of rounding its constants on the predicted classes of the test cells."""
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
        rounded_laws = [law.rounded(DIGITS) for law in laws]
        changed = int(np.count_nonzero(_predicted(laws, inputs) != _predicted(rounded_laws, inputs)))
        texts.append(f"{changed:,} of {len(test):,} classes change" if changed else "no change")
    return texts


def _predicted(laws: Sequence[Law], inputs: FeatureTable) -> np.ndarray:
    """Return the class numbers that a law, or one law per class, predicts."""
    if len(laws) == 1:
        return laws[0].predict(inputs)
    return largest_classes(np.stack([law.score(inputs) for law in laws], axis=1))
