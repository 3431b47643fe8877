"""Changes of the pixels, labels and encoder of a study since a result was produced. Does not load torch."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

import numpy as np

from morpholaw.display import classifier_name
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.encoders import data_fingerprint
from morpholaw.store.labelled_cells import all_labels
from morpholaw.store.provenance import Provenance
from morpholaw.store.study_folder import StudyFolder


def provenance(folder: StudyFolder, classes: Iterable[str] = ()) -> Provenance:
    """Return the provenance of a new result from the study's crops and its labels of some classes."""
    stamp = Provenance.now(data_fingerprint(folder))
    classes = tuple(classes)
    labels = labels_digest(all_labels(folder), classes) if classes else ""
    return stamp.model_copy(update={"pixels": pixels(folder), "labels_digest": labels})


def pixels(folder: StudyFolder) -> dict[str, str]:
    """Return the fingerprint of the pixels of each crop set, by its name."""
    return {crop_set.name: crop_set.fingerprint for crop_set in folder.sets}


def labels_digest(labels: np.ndarray, classes: Iterable[str]) -> str:
    """Return a fingerprint of the labels of some classes, 16 hexadecimal digits."""
    cells = np.flatnonzero(np.isin(labels, list(classes)))
    text = "\n".join(f"{cell} {labels[cell]}" for cell in cells.tolist())
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def changes_since(
    folder: StudyFolder, record: ClassifierRecord, labels: np.ndarray | None = None
) -> list[str]:
    """Describe what has changed since a classifier was trained, as far as its record allows.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    record : ClassifierRecord
        Record of the classifier.
    labels : ndarray, str (n,), optional
        Labels of the study, if they have been read before.

    Returns
    -------
    list of str
        One sentence per change.
    """
    name, changes = classifier_name(record.name), []
    encoder = folder.encoder_record.sha256 if folder.has_encoder else None
    if encoder and record.encoder_fingerprint not in (None, encoder):
        changes.append(f"{name} was trained with another encoder than that of the study; train it again.")
    if record.trained_elsewhere:
        return changes
    changes += _changed_pixels(folder, record)
    if labels is None:
        labels = all_labels(folder) if folder.sets else np.array([], str)
    counts = Counter(labels.tolist())
    used = record.evaluation.training_cells + record.evaluation.test_cells
    now = sum(counts[one] for one in record.classes)
    digest = record.provenance.labels_digest
    if now != used:
        changes.append(f"{name} was trained and tested on {used} labelled cells; there are {now} now.")
    elif (
        digest
        and record.provenance.pixels.keys() == pixels(folder).keys()
        and digest != labels_digest(labels, record.classes)
    ):
        changes.append(f"The labels have changed since {name} was trained; train it again.")
    return changes


def tell_changes(folder: StudyFolder, names: Iterable[str], monitor: Monitor) -> None:
    """Emit warnings about what has changed since classifiers were trained."""
    for name in names:
        try:
            sentences = changes_since(folder, classifiers.record(folder, name))
        except InputError:  # reported when the record is used
            continue
        for sentence in sentences:
            monitor.warn(sentence)


def _changed_pixels(folder: StudyFolder, record: ClassifierRecord) -> list[str]:
    then, now = record.provenance.pixels, pixels(folder)
    changed = sorted(name for name in then.keys() & now.keys() if then[name] != now[name])
    if not changed:
        return []
    return [
        f"The pixels of the crop set {', '.join(changed)} have changed since {classifier_name(record.name)} was "
        "trained, so its accuracy refers to the earlier ones. Train it again."
    ]
