"""The classifiers of a study by name: their records, and the models themselves."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morpholaw.cells.files import replace_folder, temporary_path
from morpholaw.display import listed
from morpholaw.errors import InputError
from morpholaw.store import encoder_weights
from morpholaw.store.classifier_record import ClassifierRecord

if TYPE_CHECKING:
    from morpholaw.models.classifier import Classifier
    from morpholaw.store.study_folder import StudyFolder

# torch is imported when a model is opened, so that records are read without it.

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def place_of(folder: StudyFolder, name: str) -> Path:
    """Return the folder of the classifier called ``name``; InputError where no folder can be called so."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"A classifier cannot be called {name!r}; use at most 64 letters, digits, '-', '_' and '.'."
        )
    return folder.path / "classifiers" / name


def names(folder: StudyFolder) -> list[str]:
    """Return the names of the study's classifiers, e.g. ``["scheme1", "scheme2", "scheme4-hinge"]``."""
    places = (path.parent.name for path in folder.path.glob("classifiers/*/model.json"))
    return sorted(name for name in places if not name.startswith("."))  # a dot marks unfinished copies


def record(folder: StudyFolder, name: str) -> ClassifierRecord:
    """Read the record of the classifier ``name``; InputError if it does not exist or is damaged."""
    return ClassifierRecord.read(_trained(folder, name))


def records(folder: StudyFolder) -> dict[str, ClassifierRecord]:
    """Read the records of all classifiers of a study, by name; InputError if one is damaged."""
    return {name: record(folder, name) for name in names(folder)}


def readable_records(folder: StudyFolder, complain: Callable[[str], Any]) -> list[ClassifierRecord]:
    """Read the records of a study's classifiers, and call ``complain`` with a sentence on each damaged one."""
    readable = []
    for name in names(folder):
        try:
            readable.append(record(folder, name))
        except InputError as error:
            complain(str(error))
    return readable


def load(folder: StudyFolder, name: str) -> Classifier:
    """Load the classifier ``name``; InputError if it does not exist or is damaged."""
    from morpholaw.models.classifier import Classifier

    return Classifier.load(_trained(folder, name))


def check_replaceable(folder: StudyFolder, name: str, classes: Collection[str], replace: bool) -> None:
    """Raise if a new classifier would replace one that distinguishes other classes, unless ``replace`` is True.

    Raises
    ------
    InputError
        If there is a classifier ``name`` of other classes.
    """
    if replace or not (place_of(folder, name) / "model.json").exists():
        return
    try:
        existing = record(folder, name).classes
    except InputError:  # it is damaged, so nothing is lost
        return
    if set(existing) != set(classes):
        raise InputError(
            f"The study {folder.path} has {name} for {listed(existing)}; training it for {listed(classes)} "
            "would replace it. Choose another name (name=..., --name), or allow the replacement (replace=True, "
            "--replace)."
        )


def after_stop(folder: StudyFolder, name: str) -> str:
    """Return what a study has under a name after a stop that changed nothing: "scheme3 is unchanged"."""
    return f"{name} is unchanged" if name in names(folder) else f"the study has no classifier {name} yet"


def save(folder: StudyFolder, classifier: Classifier, record: ClassifierRecord) -> ClassifierRecord:
    """Save a classifier under the name in its record, and return the record as saved."""
    saved = write(place_of(folder, record.name), classifier, record)
    encoder_weights.remove_unread(folder.path)  # the replaced classifier may have been the last to read them
    return saved


def write(place: Path, classifier: Classifier, record: ClassifierRecord) -> ClassifierRecord:
    """Write a classifier to ``classifiers/<name>/`` and its encoder's weights to ``encoder/``; return the record."""
    encoder = classifier.encoder
    shared = None if encoder is None else encoder_weights.keep(place, encoder)
    classifier.save(place, record.description(), shared)
    return ClassifierRecord.read(place)


def adopt(folder: StudyFolder, source: Path | str) -> ClassifierRecord:
    """Copy a classifier of another study into this one.

    It must not have been trained on cells of this study, as all of them are treated as held out.
    """
    source_record = ClassifierRecord.read(source)
    place = place_of(folder, source_record.name)
    partial = temporary_path(place)
    adopted = source_record.model_copy(update={"trained_elsewhere": True})
    try:
        if source_record.encoder_apart:
            encoder_weights.copy(Path(source), place, source_record.encoder_fingerprint)
        shutil.copytree(source, partial)
        adopted.write(partial / "model.json")
        replace_folder(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return adopted


def kept_by_scheme_3(folder: StudyFolder) -> list[tuple[int, ...]]:
    """Return the latents that each model of scheme 3 kept; InputError if none kept any."""
    trained = record(folder, "scheme3")
    if trained.inputs == "shapes":
        raise InputError(
            "Scheme 3 reads measured shapes here and kept no latents; train it on latents first (inputs=latents), or "
            "name the latents."
        )
    kept = list(trained.kept_latents)
    if not any(kept):
        raise InputError("Scheme 3 kept no latents; train it with a lower sparsity first.")
    return kept


def _trained(folder: StudyFolder, name: str) -> Path:
    place = place_of(folder, name)
    if not (place / "model.json").exists():
        others = names(folder)
        remedy = (
            f"it has {listed(others)}. Choose one by its name, or train {name}"
            if others
            else "train it first"
        )
        raise InputError(f"The study {folder.path} has no trained {name}; {remedy}.")
    return place
