"""Overview of a study: its contents, what is out of date, and the next step. Does not load torch."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass

import numpy as np

from morpholaw.display import counted, percent_interval
from morpholaw.errors import InputError
from morpholaw.store import classifiers
from morpholaw.store.changes import changes_since
from morpholaw.store.classifier_record import STARTS, ClassifierRecord, name_of
from morpholaw.store.confounding import classifiers_confounding
from morpholaw.store.guessing import guessing_mark, imbalance
from morpholaw.store.labelled_cells import all_labels, usual_classes
from morpholaw.store.stopped_training import resumable_training
from morpholaw.store.study_folder import StudyFolder

FEW_LABELS = 25
"""Minimum number of labelled cells of a class for training and testing a classifier."""


@dataclass(frozen=True)
class NextStep:
    """The next step.

    Attributes
    ----------
    text : str
        Description in one sentence.
    command : str
        Shell command for it; "" if it is only possible in napari.
    panel : str
        Panel for it; "" if there is none.
    """

    text: str
    command: str
    panel: str = ""


@dataclass(frozen=True)
class Overview:
    """Overview of a study.

    Attributes
    ----------
    sets : dict of str to int
        Number of crops of each crop set.
    labels : dict of str to int
        Number of labelled cells of each class, most frequent first.
    classes : tuple of str
        Classes that a law distinguishes by default: those of scheme 3 if it is trained.
    encoder : str
        Description of the encoder; "" if there is none.
    resumable : bool
        Whether a training of the encoder was stopped and can be resumed.
    classifiers : tuple of ClassifierRecord
        Records of the classifiers, by name.
    warnings : tuple of str
        Sentences on what is damaged or out of date.
    next_step : NextStep
        The next step.
    """

    sets: dict[str, int]
    labels: dict[str, int]
    classes: tuple[str, ...]
    encoder: str
    resumable: bool
    classifiers: tuple[ClassifierRecord, ...]
    warnings: tuple[str, ...]
    next_step: NextStep

    @property
    def crops(self) -> int:
        """Number of crops in all sets."""
        return sum(self.sets.values())

    @property
    def labelled(self) -> int:
        """Number of labelled cells."""
        return sum(self.labels.values())


def overview(folder: StudyFolder) -> Overview:
    """Return an overview of a study.

    Parameters
    ----------
    folder : StudyFolder
        The study.

    Returns
    -------
    Overview
        The overview. Damaged crop sets and classifiers are left out and reported in ``warnings``.
    """
    sets = {crop_set.name: len(crop_set) for crop_set in folder.sets}
    warnings = list(folder.problems)
    given = all_labels(folder) if sets else np.array([], str)
    labels = Counter(given.tolist())
    labels.pop("", None)
    encoder, resumable = "", False
    try:
        encoder = _encoder_sentence(folder)
        resumable = resumable_training(folder) is not None
    except InputError as error:
        warnings.append(str(error))
    records = tuple(classifiers.readable_records(folder, warnings.append))
    try:
        warnings += classifiers_confounding(folder, given, records)
    except InputError as error:
        warnings.append(str(error))
    for record in records:
        warnings += changes_since(folder, record, given)
        if mark := guessing_mark(record):
            warnings.append(mark)
    counts = dict(labels.most_common())
    step = _next_step(folder, sets, counts, bool(encoder), resumable, {record.scheme for record in records})
    labelled = tuple(name for name in folder.classes if name in counts)
    # a search for laws distinguishes the classes of scheme 3
    heads = next((record.classes for record in records if record.name == name_of(3)), None)
    classes = heads or usual_classes(labelled)
    return Overview(sets, counts, classes, encoder, resumable, records, tuple(warnings), step)


def performance(record: ClassifierRecord) -> str:
    """Return the accuracy of a classifier on held-out cells with its confidence interval, as a phrase."""
    evaluation = record.evaluation
    accuracy = evaluation.ensemble_accuracy
    origin = " of the study of origin" if record.trained_elsewhere else ""
    share = percent_interval(accuracy.value, accuracy.low, accuracy.high)
    cells = counted(evaluation.test_cells, "held-out cell")
    return f"accuracy {share} on {cells}{origin}{imbalance(record)}"


def start_sentence(record: ClassifierRecord) -> str:
    """Return a sentence on the encoder with which the CNNs of scheme 1 were initialised; "" if none is recorded."""
    if not record.started_from:
        return ""
    encoder = STARTS[record.started_from]
    if record.trained_elsewhere and record.started_from == "study":
        encoder = "the encoder of the study of origin"
    return f"The CNNs were initialised with the weights of {encoder}."


def _encoder_sentence(folder: StudyFolder) -> str:
    if not folder.has_encoder:
        return ""
    record = folder.encoder_record
    crops = f"trained on {record.crops:,} crops" if record.crops else "loaded"
    scale = f", {record.pixel_size:.4g} µm per pixel" if record.pixel_size else ""
    state = "" if record.complete else "; its training was not completed"
    return f"{record.settings.latents} latents, {crops}{scale}{state}"


def _next_step(
    folder: StudyFolder,
    sets: dict[str, int],
    labels: dict[str, int],
    encoder: bool,
    resumable: bool,
    schemes: set[int],
) -> NextStep:
    study = f"--study {shlex.quote(str(folder.path))}"
    sufficient = [name for name, count in labels.items() if count >= FEW_LABELS]
    steps = (
        (not sets, "Cut crops from a tracked movie.", f"morpholaw crop MOVIE TRACKS {study}", "Cells"),
        (
            resumable and 3 not in schemes,
            "Resume the training of the encoder.",
            f"morpholaw train-encoder {study} --resume",
            "Latents",
        ),
        (not encoder, "Train or load the encoder.", f"morpholaw train-encoder {study}", "Latents"),
        (len(sufficient) < 2, f"Label at least {FEW_LABELS} cells of each of two classes.", "", "Cells"),
        (
            3 not in schemes,
            "Train the sparse head.",
            f"morpholaw train-classifier {study} --scheme 3",
            "Classify",
        ),
        (4 not in schemes, "Search for a law.", f"morpholaw discover-law {study}", "Laws"),
    )
    for missing, text, command, panel in steps:
        if missing:
            return NextStep(text, command, panel)
    return NextStep("Write the report.", f"morpholaw report {study} --out report.html")
