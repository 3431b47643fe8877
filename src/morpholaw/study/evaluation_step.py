"""Evaluation of a classifier on held-out cells."""

from __future__ import annotations

from dataclasses import replace

from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.performance import measure
from morpholaw.evaluation.scoring import measured_columns
from morpholaw.models.classifier import Classifier
from morpholaw.models.law import DIGITS, Law
from morpholaw.models.law_digits import digits_needed
from morpholaw.models.law_units import law_in_units
from morpholaw.store import classifiers
from morpholaw.store.changes import provenance
from morpholaw.store.classifier_record import ClassifierRecord, Start
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.labelled_cells import Labelled, all_labels
from morpholaw.store.law_reading import laws_in_units, some_labelled
from morpholaw.store.study_folder import StudyFolder


def evaluate(folder: StudyFolder, classifier: Classifier, cells: Labelled) -> Evaluation:
    """Evaluate each model of a classifier, and their median score or the first law, on the test cells of a split."""
    scores = score_crops(classifier.eval(), folder.crops[cells.test])
    groups = folder.crops.cells["group"].to_numpy(str)[cells.test]
    measured = measure(scores, cells.test_targets, classifier.scheme, groups)
    law = 0 if classifier.scheme == 4 else None
    return Evaluation.of(measured, cells.fingerprint, len(cells.train), groups, law)


def keep(
    folder: StudyFolder,
    classifier: Classifier,
    name: str,
    cells: Labelled,
    config: ClassifierConfig,
    law_config: LawConfig | None = None,
    started_from: Start = "",
    complete: bool = True,
) -> ClassifierRecord:
    """Evaluate a classifier, store it under ``name``, and return its record."""
    if classifier.laws:
        classifier = _with_digits(folder, classifier)
    record = ClassifierRecord.of(
        classifier,
        name=name,
        evaluation=evaluate(folder, classifier, cells),
        config=config,
        provenance=provenance(folder, classifier.classes),
        law_config=law_config,
    )
    record = record.model_copy(update={"started_from": started_from, "complete": complete})
    return classifiers.save(folder, classifier, record)


def _with_digits(folder: StudyFolder, classifier: Classifier) -> Classifier:
    """Store with each law the number of digits with which it is printed."""
    cells = some_labelled(all_labels(folder), classifier.classes)
    table = measured_columns(classifier, folder.crops[cells])
    laws: list[Law] = []
    for k in range(classifier.members):
        of_model = classifier.laws_of(k)
        if len(of_model) == 1:
            digits = digits_needed(law_in_units(of_model[0], classifier.columns), table)
        else:
            digits = digits_needed(laws_in_units(classifier, k), table)
        laws += [replace(law, metadata={**law.metadata, DIGITS: digits}) for law in of_model]
    return Classifier.with_laws(classifier.encoder, laws, classifier.classes, classifier.columns)
