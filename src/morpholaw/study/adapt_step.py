"""Adaptation of a classifier's scores to one crop set, from labels or, for two classes, from the scores alone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from morpholaw.cells.crop_set import CropSet
from morpholaw.errors import InputError
from morpholaw.evaluation.adaptation import Adaptation, adapt_to_labels, adapt_to_scores
from morpholaw.evaluation.adaptation_check import check_fitted_to_labels, check_fitted_to_scores, predicted
from morpholaw.evaluation.class_adaptation import ClassAdaptation, adapt_classes_to_labels
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.performance import median_score
from morpholaw.events import SILENT, Monitor
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
    """Adapt a classifier to a crop set of the study, and store the adaptation with the models."""
    classifier, evaluation = applied(folder, name)
    classes = classifier.classes
    rows = np.flatnonzero(folder.crops.cells["set"].to_numpy(str) == crop_set)
    if not len(rows):
        names = ", ".join(one.name for one in folder.sets) or "none"
        raise InputError(f"There are no crops of a set {crop_set!r} in the study; its sets are {names}.")
    label = all_labels(folder)[rows]
    labelled = np.isin(label, classes)
    counts = {one: int(np.sum(label == one)) for one in classes}
    if len(classes) > 2:
        _check_labels(name, crop_set, counts, labels)
    elif labels and labelled.any() and not all(counts.values()):
        monitor.warn(
            f"Only one class has labelled cells in {crop_set}; the scores of all cells are used instead."
        )
    targets = class_numbers(label[labelled], classes)
    groups = folder.crops.cells["group"].to_numpy(str)[rows[labelled]]
    adaptation: Adaptation | ClassAdaptation
    if labels and all(counts.values()):
        scores = _scores(classifier, folder.crops[rows[labelled]], monitor)
        fit = partial(_from_labels, evaluation=evaluation)
        adaptation, labels_used, cells = fit(scores, targets), counts, int(labelled.sum())
        check = check_fitted_to_labels(scores, targets, groups, fit)
    else:
        scores = _scores(classifier, folder.crops[rows], monitor)
        adaptation = adapt_to_scores(scores, *_known(folder, name, classifier, crop_set))
        labels_used, cells = {}, len(rows)
        checkable = all(counts.values())
        check = check_fitted_to_scores(scores[labelled], targets, groups, adaptation) if checkable else None
    record = AdaptationRecord(
        classifier=name,
        sha256=classifiers.record(folder, name).sha256 or "",
        crop_set=crop_set,
        threshold=adaptation.threshold if isinstance(adaptation, Adaptation) else 0.0,
        scale=adaptation.scale,
        offsets={}
        if isinstance(adaptation, Adaptation)
        else dict(zip(classes, adaptation.offsets, strict=True)),
        labels=labels_used,
        cells=cells,
        accuracy_before=None if check is None else check.before,
        accuracy_after=None if check is None else check.after,
        p=None if check is None else check.p,
        changed=int(np.count_nonzero(predicted(scores) != predicted(adaptation.apply(scores)))),
        provenance=provenance(folder, classes),
    )
    file = adaptation_file(folder, name, crop_set)
    file.parent.mkdir(parents=True, exist_ok=True)
    record.write(file)
    return record


def _from_labels(
    scores: np.ndarray, targets: np.ndarray, evaluation: Evaluation | None
) -> Adaptation | ClassAdaptation:
    if scores.ndim == 1:
        return adapt_to_labels(scores, targets, None if evaluation is None else evaluation.calibration)
    scaling = None if evaluation is None else evaluation.temperature
    return adapt_classes_to_labels(scores, targets, 1.0 if scaling is None else scaling.temperature)


def _check_labels(name: str, crop_set: str, counts: dict[str, int], labels: bool) -> None:
    """Raise if more than two classes are to be adapted without labelled cells of each."""
    missing = [one for one, count in counts.items() if not count]
    if missing:
        remedy = f"label a few cells of each class in {crop_set}; there are none of {' and '.join(missing)}"
    elif not labels:
        remedy = "leave out --no-labels (labels=False)"
    else:
        return
    raise InputError(
        f"{name} distinguishes {len(counts)} classes, whose adaptation needs labelled cells of each: {remedy}."
    )


def undo(folder: StudyFolder, name: str, crop_set: str) -> None:
    """Remove the adaptation of a classifier to a crop set."""
    file = adaptation_file(folder, name, crop_set)
    if not file.is_file():
        raise InputError(f"{name} is not adapted to {crop_set}; there is nothing to undo.")
    file.unlink()


def own_set(folder: StudyFolder, place: Path) -> str | None:
    """Return the name of the study's crop set in the folder ``place``; None if it is not in the study."""
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
    """Return a classifier with its adaptation to a crop set, or unchanged if it has none.

    Raises
    ------
    InputError
        If an adaptation is ``required`` and there is none.
    """
    record = adaptation_of(folder, name, classifiers.record(folder, name).sha256 or "", crop_set)
    if record is None:
        if required:
            raise InputError(f"{name} is not adapted to {crop_set}; adapt it first, or leave out --adapted.")
        return applied
    classes = applied.classifier.classes
    if len(record.offsets) != (len(classes) if len(classes) > 2 else 0):
        raise InputError(
            f"The adaptation of {name} to {crop_set} does not have {len(classes)} classes; adapt it again, or undo it."
        )
    monitor.tell(f"Adapted scores: {record.sentence}")
    return replace(applied, adaptation=record.adaptation)


def _scores(classifier: Classifier, images: np.ndarray, monitor: Monitor) -> np.ndarray:
    return median_score(score_crops(classifier, images, monitor=monitor))


def _known(
    folder: StudyFolder, name: str, classifier: Classifier, crop_set: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and classes of cells of other sets, which show how far apart the scores of the classes are.

    These are the held-out cells, or all labelled cells if new labels have changed the split, or the cells of the
    shipped sample if the classifier was trained on another study.
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
