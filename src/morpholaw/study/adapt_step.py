"""Fit the scores of a classifier to one crop set, from its labels or, of two classes, from its scores alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from morpholaw.cells.crop_set import CropSet
from morpholaw.errors import InputError
from morpholaw.evaluation.adaptation import Adaptation, adapt_to_labels, adapt_to_scores
from morpholaw.evaluation.class_adaptation import ClassAdaptation, adapt_classes_to_labels
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.performance import median_score
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.models.classifier import Classifier
from morpholaw.sample import sample_folder
from morpholaw.store import classifiers
from morpholaw.store.adaptation_record import AdaptationRecord, adaptation_file, adaptation_of
from morpholaw.store.changes import provenance
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.labelled_cells import all_labels, class_numbers, held_out
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.applied_classifier import AppliedClassifier, applied


def adapt(
    folder: StudyFolder, name: str, crop_set: str, labels: bool = True, monitor: Monitor = SILENT
) -> AdaptationRecord:
    """Adapt a classifier to a crop set of the study and keep the numbers beside the models."""
    classifier, evaluation = applied(folder, name)
    classes = classifier.classes
    rows = np.flatnonzero(folder.crops.cells["set"].to_numpy(str) == crop_set)
    if not len(rows):
        known = ", ".join(one.name for one in folder.sets) or "none"
        raise InputError(f"There are no crops of a set {crop_set!r} in the study; its sets are {known}.")
    label = all_labels(folder)[rows]
    labelled = np.isin(label, classes)
    each = {one: int(np.sum(label == one)) for one in classes}
    if len(classes) > 2:
        _check_labels(name, crop_set, each, labels)
    elif labels and labelled.any() and not all(each.values()):
        monitor.emit(
            Message(f"Cells of one class alone are labelled in {crop_set}; its scores are used.", "warning")
        )
    if labels and all(each.values()):
        scores = _scores(classifier, folder.crops[rows[labelled]], monitor)
        targets = class_numbers(label[labelled], classes)
        found: Adaptation | ClassAdaptation
        found, used, cells = _from_labels(scores, targets, evaluation), each, int(labelled.sum())
    else:
        scores = _scores(classifier, folder.crops[rows], monitor)
        found, used, cells = (
            adapt_to_scores(scores, *_known(folder, name, classifier, crop_set)),
            {},
            len(rows),
        )
    record = AdaptationRecord(
        classifier=name,
        sha256=classifiers.record(folder, name).sha256 or "",
        crop_set=crop_set,
        threshold=found.threshold if isinstance(found, Adaptation) else 0.0,
        scale=found.scale,
        offsets={} if isinstance(found, Adaptation) else dict(zip(classes, found.offsets, strict=True)),
        labels=used,
        cells=cells,
        provenance=provenance(folder, classes),
    )
    file = adaptation_file(folder, name, crop_set)
    file.parent.mkdir(parents=True, exist_ok=True)
    record.write(file)
    monitor.emit(Message(record.sentence))
    return record


def _from_labels(
    scores: np.ndarray, targets: np.ndarray, evaluation: Evaluation | None
) -> Adaptation | ClassAdaptation:
    if scores.ndim == 1:
        return adapt_to_labels(scores, targets, None if evaluation is None else evaluation.calibration)
    known = None if evaluation is None else evaluation.temperature
    return adapt_classes_to_labels(scores, targets, 1.0 if known is None else known.temperature)


def _check_labels(name: str, crop_set: str, each: dict[str, int], labels: bool) -> None:
    """Refuse to adapt more than two classes without labels of each: scores alone cannot say which class is which."""
    missing = [one for one, count in each.items() if not count]
    if missing:
        remedy = f"label a few cells of each class in {crop_set}; none is labelled {' or '.join(missing)}"
    elif not labels:
        remedy = "leave out --no-labels (labels=False)"
    else:
        return
    raise InputError(
        f"{name} tells {len(each)} classes apart, which are adapted from labels of each alone: {remedy}."
    )


def undo(folder: StudyFolder, name: str, crop_set: str) -> None:
    """Remove the adaptation of a classifier to a crop set."""
    file = adaptation_file(folder, name, crop_set)
    if not file.is_file():
        raise InputError(f"{name} is not adapted to {crop_set}; there is nothing to undo.")
    file.unlink()


def own_set(folder: StudyFolder, place: Path) -> str | None:
    """Return the name of the study's crop set in the folder ``place``; None where it is none of the study's."""
    sets = (folder.path / "crops").resolve()
    return place.name if place.resolve().parent == sets else None


def adapted_to(
    folder: StudyFolder,
    applied: AppliedClassifier,
    name: str,
    crop_set: str,
    monitor: Monitor = SILENT,
    *,
    required: bool = False,
) -> AppliedClassifier:
    """Return a classifier with its adaptation to a crop set, and say so; as it is where it has none.

    Raises
    ------
    InputError
        When an adaptation is ``required`` and there is none.
    """
    record = adaptation_of(folder, name, classifiers.record(folder, name).sha256 or "", crop_set)
    if record is None:
        if required:
            raise InputError(f"{name} is not adapted to {crop_set}; adapt it first, or leave that out.")
        return applied
    classes = applied.classifier.classes
    if len(record.offsets) != (len(classes) if len(classes) > 2 else 0):
        raise InputError(
            f"The adaptation of {name} to {crop_set} is not one of {len(classes)} classes; adapt again, or undo it."
        )
    monitor.emit(Message(f"Adapted scores: {record.sentence}"))
    return replace(applied, adaptation=record.adaptation)


def _scores(classifier: Classifier, images: np.ndarray, monitor: Monitor) -> np.ndarray:
    return median_score(score_crops(classifier, images, monitor=monitor))


def _known(
    folder: StudyFolder, name: str, classifier: Classifier, crop_set: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and classes of cells of other sets, whose scores say how far apart the classes lie.

    They are the held-out cells; all labelled ones where new labels have changed the split; the shipped ones where the
    classifier was trained elsewhere.
    """
    classes = classifier.classes
    if classifiers.record(folder, name).trained_elsewhere:
        sample = CropSet(sample_folder() / "labelled")
        label = sample.cells["label"].to_numpy(str)
        rows = np.flatnonzero(np.isin(label, classes))
        return _scores(classifier, np.asarray(sample.images[rows]), SILENT), class_numbers(
            label[rows], classes
        )
    label = all_labels(folder)
    try:
        cells, targets = held_out(folder, name)
    except InputError:
        cells = np.flatnonzero(np.isin(label, classes))
        targets = class_numbers(label[cells], classes)
    elsewhere = folder.crops.cells["set"].to_numpy(str)[cells] != crop_set
    images, targets = folder.crops[cells[elsewhere]], targets[elsewhere]
    if len(np.unique(targets)) < 2:
        raise InputError(
            f"{name} has no labelled cells of both classes outside {crop_set}, so it cannot be adapted without labels; "
            "label a few cells of each class."
        )
    return _scores(classifier, images, SILENT), targets
