"""A law in words: the sentence above its formula, and the lines of Python that read it."""

from __future__ import annotations

from morpholaw.display import in_print
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.guessing import guessing_mark
from morpholaw.widgets.jobs.python_code import literal, step_code
from morpholaw.widgets.laws.law_entries import LawEntry
from morpholaw.widgets.laws.law_page import LawPage


def law_statement(record: ClassifierRecord, entry: LawEntry, page: LawPage, stable: str) -> str:
    """Return the number of the law, its inequality, its sentence, and ``stable``, a sentence about its stability.

    If the laws do not beat guessing, this is said first.
    """
    mark = guessing_mark(record)
    doubt = f"\N{WARNING SIGN} {mark}" if mark else ""
    confused, inequality = "", f"{entry.classes[1]} where {in_print(page.inequality)}. "
    if entry.other:
        lead, confused = f"Of the two, {inequality}", _confused(record, entry)
    elif not record.two_classes:
        lead = ""
    elif entry.place == 0:
        lead = f"Law 1, which is applied: {inequality}"
    else:
        lead = f"Law {entry.place + 1}: {inequality}"
    return "\n".join(filter(None, [doubt, f"{lead}{page.sentence}", confused, stable]))


def _confused(record: ClassifierRecord, entry: LawEntry) -> str:
    """Return how many held-out cells of two classes the laws confuse with each other, in words."""
    first, second = (record.classes.index(name) for name in entry.classes)
    counts = record.evaluation.confusion
    cells = sum(counts[first]) + sum(counts[second])
    wrong = counts[first][second] + counts[second][first]
    return f"Of {cells:,} held-out cells of the two, {wrong:,} are predicted as the other class."


def python_of_law(record: ClassifierRecord, entry: LawEntry, path: str) -> str:
    """Return the lines of Python that read a law from the study at ``path``."""
    if record.two_classes and record.name == name_of(4, record.loss):
        return step_code(path, "laws", {"loss": record.loss}) + f"law = laws[{entry.place}]\n"
    if entry.class_name is None:
        source = f"study.classifier({literal(record.name)}).laws[{entry.place}]"
    elif entry.other:
        names = f"{literal(entry.class_name)}, {literal(entry.other)}"
        source = f"study.class_laws({literal(record.name)}).against({names})"
    else:
        source = f"study.class_laws({literal(record.name)}).against_the_rest({literal(entry.class_name)})"
    return f"import morpholaw as ml\n\nstudy = ml.Study({literal(path)})\nlaw = {source}\n"
