"""Sentences on classifiers whose accuracy on held-out cells cannot be distinguished from guessing."""

from __future__ import annotations

from morpholaw.display import counted, percent, percent_interval
from morpholaw.events import Message, Monitor
from morpholaw.store.classifier_record import ClassifierRecord

GUESSING = "not significantly better than guessing"
"""What is said of a classifier that does not beat guessing."""


def guessing_mark(record: ClassifierRecord) -> str:
    """Return a short warning, for where results are shown, if a classifier does not beat guessing; otherwise ""."""
    return "" if record.beats_guessing else f"The classifier {record.name} is {GUESSING}."


def guessing_sentence(record: ClassifierRecord) -> str:
    """Return the same warning with its reason, for the step that makes the classifier and for its page.

    If it would beat guessing were its cells independent, the reason is that they come from too few groups.
    """
    if record.beats_guessing:
        return ""
    from morpholaw.evaluation.metrics import wilson  # panels must not wait for scipy

    evaluation = record.evaluation
    balanced, guessing = evaluation.balanced_interval, 1 / len(record.classes)
    cells = len(record.classes) * min(one.cells for one in evaluation.by_class)
    reason, advice = "", "Do not draw conclusions from it."
    if cells and wilson(balanced.value, cells).low > guessing:
        groups = counted(evaluation.test_groups, "group")
        reason = f", as its held-out cells come from only {groups} (tracks, lineages or movies)"
        advice = "Label cells of more groups, or use cross-validate."
    return (
        f"The classifier {record.name} is {GUESSING}{reason}: its balanced accuracy on "
        f"{counted(evaluation.test_cells, 'held-out cell')} is "
        f"{percent_interval(balanced.value, balanced.low, balanced.high)}, and guessing gives "
        f"{percent(guessing, 0)}. {advice}"
    )


def tell_guessing(record: ClassifierRecord, monitor: Monitor) -> None:
    """Emit a warning if a classifier is not significantly better than guessing on held-out cells."""
    if sentence := guessing_sentence(record):
        monitor.emit(Message(sentence, "warning"))
