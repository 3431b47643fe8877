"""Sentences on classifiers whose accuracy on held-out cells cannot be distinguished from guessing."""

from __future__ import annotations

from itertools import combinations

from morpholaw.display import classifier_name, counted, first_few, percent, percent_interval
from morpholaw.events import Monitor
from morpholaw.store.classifier_record import ClassifierRecord

GUESSING = "not significantly better than guessing"
"""What is said of a classifier that does not beat guessing."""


Z = 1.96
"""Quantile of the normal distribution for a 95 % confidence interval."""
ONE_CLASS = 0.75
"""Share of the held-out cells from which the commonest class makes an accuracy misleading by itself."""
MOST_PAIRS = 3
"""Maximum number of pairs of classes that are named."""


def guessing_mark(record: ClassifierRecord) -> str:
    """Return a short warning, for where results are shown, if a classifier does not beat guessing; otherwise "".

    A classifier of more than two classes may beat guessing without telling two of them apart.
    """
    if not record.beats_guessing:
        return f"The classifier {classifier_name(record.name)} is {GUESSING}."
    if record.two_classes or not (pairs := confused_pairs(record)):
        return ""
    shown = first_few((f"{first} from {second}" for first, second in pairs), MOST_PAIRS)
    return f"The classifier {classifier_name(record.name)} does not tell {shown} significantly better than guessing."


def confused_pairs(record: ClassifierRecord) -> list[tuple[str, str]]:
    """Return the pairs of classes that a classifier does not tell apart significantly better than guessing.

    Of the held-out cells of the two classes, those count that are predicted as one of the two.
    """
    pairs = []
    counts = record.evaluation.confusion
    for a, b in combinations(range(len(record.classes)), 2):
        first, second = counts[a][a] + counts[a][b], counts[b][a] + counts[b][b]
        if not (first and second):
            continue
        balanced = (counts[a][a] / first + counts[b][b] / second) / 2
        cells = 2 * min(first, second)
        if balanced <= 0.5 + Z * (0.25 / cells) ** 0.5:  # the score test that the Wilson interval inverts
            pairs.append((record.classes[a], record.classes[b]))
    return pairs


def guessing_sentence(record: ClassifierRecord) -> str:
    """Return the same warning with its reason or advice, for the step that makes the classifier and for its page.

    If it would beat guessing were its cells independent, the reason is that they come from too few groups.
    """
    if record.beats_guessing:
        mark = guessing_mark(record)
        return mark and f"{mark} Label more cells of these classes, or merge them."
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
        f"The classifier {classifier_name(record.name)} is {GUESSING}{reason}: its balanced accuracy on "
        f"{counted(evaluation.test_cells, 'held-out cell')} is "
        f"{percent_interval(balanced.value, balanced.low, balanced.high)}, and guessing gives "
        f"{percent(guessing, 0)}. {advice}"
    )


def imbalance(record: ClassifierRecord) -> str:
    """Return a clause for the end of a sentence with an accuracy that is high if one class is always guessed.

    It gives the number of held-out cells of the commonest class, and the balanced accuracy; "" if no class prevails.
    """
    evaluation = record.evaluation
    commonest = max(zip(evaluation.by_class, record.classes, strict=True), key=lambda one: one[0].cells)
    cells, name = commonest[0].cells, commonest[1]
    if cells < ONE_CLASS * evaluation.test_cells:
        return ""
    balanced = evaluation.balanced_interval
    return (
        f"; {cells:,} of these cells are {name}, and the balanced accuracy is "
        f"{percent_interval(balanced.value, balanced.low, balanced.high)}"
    )


def tell_guessing(record: ClassifierRecord, monitor: Monitor) -> None:
    """Emit a warning if a classifier, or its distinction of two classes, is not significantly better than guessing."""
    if sentence := guessing_sentence(record):
        monitor.warn(sentence)
