"""Warnings that the accuracy of classifiers may be that of recognising movies rather than cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from morpholaw.display import counted, percent
from morpholaw.errors import InputError
from morpholaw.evaluation.confounding import confounded_pairs
from morpholaw.events import Monitor
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.condition_record import condition_notes, condition_record
from morpholaw.store.labelled_cells import all_labels, chosen_classes, usual_classes
from morpholaw.store.study_folder import StudyFolder

CONFOUNDED = 0.75
"""Balanced accuracy of a guess from the crop set alone from which two classes count as confounded with sets."""


def confounding_notes(folder: StudyFolder, labels: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Return sentences on classes and crop sets that cannot be separated; empty if there is no such problem.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    labels : ndarray of str, shape (n,)
        Class of each crop; "" for none.
    classes : sequence of str
        Classes to compare.
    """
    if condition_record(folder) is not None:  # its classes are conditions, and its groups are replicates
        return condition_notes(folder)
    chosen = np.isin(labels, classes)
    if len(folder.sets) < 2 or not chosen.any():
        return []
    table = folder.crops.cells[chosen]
    pairs = confounded_pairs(
        table["set"].to_numpy(str), table["group"].to_numpy(str), labels[chosen], CONFOUNDED
    )
    if not pairs:
        return []
    worst, others = pairs[0], len(pairs) - 1
    likewise = f", and {counted(others, 'other pair')} of classes likewise" if others else ""
    return [
        f"Classes and crop sets are confounded: knowing only the crop set of a cell, one can tell {worst.first} and "
        f"{worst.second} apart with a balanced accuracy of {percent(worst.accuracy, 0)}{likewise}. If the sets differ "
        "in exposure, focus or staining, a classifier may recognise these instead of the cells, and its accuracy on "
        "held-out cells does not show it. Label cells of both classes in each set."
    ]


def classifiers_confounding(
    folder: StudyFolder, labels: np.ndarray, records: Iterable[ClassifierRecord]
) -> list[str]:
    """Return the sentences of `confounding_notes` for the classes that classifiers distinguish.

    Classifiers that were trained elsewhere have not seen these labels. Without others, the classes are those that would
    be distinguished by default.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    labels : ndarray of str, shape (n,)
        Class of each crop; "" for none.
    records : iterable of ClassifierRecord
        Records of the classifiers.
    """
    known = set(labels.tolist())
    told_apart = {frozenset(record.classes) for record in records if not record.trained_elsewhere}
    told_apart = told_apart or {
        frozenset(usual_classes(tuple(name for name in folder.classes if name in known)))
    }
    notes = [
        note
        for classes in sorted(map(sorted, told_apart))
        for note in confounding_notes(folder, labels, classes)
    ]
    return list(dict.fromkeys(notes))


def tell_confounding(folder: StudyFolder, classes: Sequence[str], monitor: Monitor) -> None:
    """Emit these sentences for the classes of a setting ``classes`` (see `chosen_classes`)."""
    try:
        notes = confounding_notes(folder, all_labels(folder), chosen_classes(folder, classes))
    except InputError:  # reported by the step
        return
    for sentence in notes:
        monitor.warn(sentence)
