"""Choice of the law that scheme 4 applies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from morpholaw.errors import InputError
from morpholaw.models.classifier import Classifier
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.applied_classifier import one_law

T = TypeVar("T")


def apply_law(folder: StudyFolder, name: str, k: int) -> ClassifierRecord:
    """Move law ``k`` of ``name`` to the first place, where it is the one that is applied, and evaluate it.

    The others keep their order.

    Raises
    ------
    InputError
        If there is no such law, there are more than two classes, or the held-out cells no longer exist.
    """
    record = classifiers.record(folder, name)
    if not record.two_classes:
        raise InputError(
            f"{name} has one law per class, which are applied together; none of them can be chosen alone."
        )
    _, evaluation = one_law(folder, name, k)
    if k == 0 and record.evaluation.law == 0:
        return record
    classifier, before = classifiers.load(folder, name), record.evaluation
    evaluation = evaluation.model_copy(
        update={
            "law": 0,
            "accuracy": _first(before.accuracy, k),
            "balanced_accuracy": _first(before.balanced_accuracy, k),
            "intervals": _first(before.intervals, k),
        }
    )
    changed = Classifier.with_laws(
        classifier.encoder, _first(classifier.laws, k), classifier.classes, classifier.columns
    )
    return classifiers.save(
        folder,
        changed,
        record.model_copy(
            update={
                "laws": changed.laws,
                "evaluation": evaluation,
                "expression_sizes": tuple(changed.expression_sizes),
                "kept_latents": tuple(changed.kept_latents(one) for one in range(changed.members)),
            }
        ),
    )


def _first(values: Sequence[T], k: int) -> tuple[T, ...]:
    """Return the values with the one at index ``k`` moved to the front."""
    return (values[k], *values[:k], *values[k + 1 :])
