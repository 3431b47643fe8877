"""What a study holds at a glance, what is out of date in it, and what comes next. Read without torch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from morpholaw.display import percent, percent_interval
from morpholaw.errors import InputError
from morpholaw.store import classifiers
from morpholaw.store.changes import changes_since
from morpholaw.store.classifier_record import STARTS, ClassifierRecord
from morpholaw.store.condition_record import condition_notes
from morpholaw.store.labelled_cells import all_labels
from morpholaw.store.study_folder import StudyFolder

FEW_LABELS = 25
"""Labelled cells of a class below which a classifier can hardly be trained and tested."""


@dataclass(frozen=True)
class NextStep:
    """What to do next.

    Attributes
    ----------
    text : str
        A sentence.
    command : str
        The shell command that does it; "" where it is done in napari alone.
    panel : str
        The panel in which it is done; "" where there is none.
    """

    text: str
    command: str
    panel: str = ""


@dataclass(frozen=True)
class Overview:
    """What a study holds.

    Attributes
    ----------
    sets : dict of str to int
        Crops of each crop set, by its name.
    labels : dict of str to int
        Labelled cells of each class, the most frequent first.
    encoder : str
        The encoder in a sentence; "" where there is none.
    classifiers : tuple of ClassifierRecord
        The trained schemes, by name.
    warnings : tuple of str
        What is damaged or out of date, a sentence each.
    next_step : NextStep
        What comes next.
    """

    sets: dict[str, int]
    labels: dict[str, int]
    encoder: str
    classifiers: tuple[ClassifierRecord, ...]
    warnings: tuple[str, ...]
    next_step: NextStep

    @property
    def crops(self) -> int:
        """Crops of all sets."""
        return sum(self.sets.values())

    @property
    def labelled(self) -> int:
        """Cells that have a class."""
        return sum(self.labels.values())


def overview(folder: StudyFolder) -> Overview:
    """Describe what a study holds and what comes next.

    Parameters
    ----------
    folder : StudyFolder
        The study.

    Returns
    -------
    Overview
        Damaged crop sets and classifiers are left out, with a sentence each in ``warnings``.
    """
    sets = {crop_set.name: len(crop_set) for crop_set in folder.sets}
    warnings = list(folder.problems)
    try:
        warnings += condition_notes(folder)
    except InputError as error:
        warnings.append(str(error))
    given = all_labels(folder) if sets else np.array([], str)
    labels = Counter(given.tolist())
    labels.pop("", None)
    try:
        encoder = _encoder_sentence(folder)
    except InputError as error:
        encoder = ""
        warnings.append(str(error))
    records = tuple(classifiers.readable_records(folder, warnings.append))
    for record in records:
        warnings += changes_since(folder, record, given)
        warnings += [sentence for sentence in (guessing_sentence(record),) if sentence]
    counts = dict(labels.most_common())
    step = _next_step(folder, sets, counts, bool(encoder), {record.scheme for record in records})
    return Overview(sets, counts, encoder, records, tuple(warnings), step)


def performance(record: ClassifierRecord) -> str:
    """Return a classifier's accuracy on held-out cells with its interval, as a phrase."""
    evaluation = record.evaluation
    found = evaluation.ensemble_accuracy
    where = " of the study it comes from" if record.trained_elsewhere else ""
    share = percent_interval(found.value, found.low, found.high)
    return f"{share} of {evaluation.test_cells} held-out cells{where} right"


def guessing_sentence(record: ClassifierRecord) -> str:
    """Say that a classifier cannot be told from guessing on held-out cells, as with labels dealt at random; else ""."""
    found, guessing = record.evaluation.balanced_interval, 1 / len(record.classes)
    if found.low > guessing:
        return ""
    return (
        f"{record.name} cannot be told from guessing: balanced over the classes, "
        f"{percent_interval(found.value, found.low, found.high)} of {record.evaluation.test_cells} held-out cells are "
        f"right, and guessing gets {percent(guessing, 0)}. Do not read anything into it."
    )


def start_sentence(record: ClassifierRecord) -> str:
    """Say which encoder's weights the CNNs of scheme 1 started from; "" where none are recorded."""
    if not record.started_from:
        return ""
    whose = STARTS[record.started_from]
    if record.trained_elsewhere and record.started_from == "study":
        whose = "the encoder of the study they come from"
    return f"The CNNs started from the weights of {whose}."


def _encoder_sentence(folder: StudyFolder) -> str:
    if not folder.has_encoder:
        return ""
    record = folder.encoder_record
    crops = f"trained on {record.crops:,} crops" if record.crops else "loaded"
    scale = f", {record.pixel_size:.4g} µm per pixel" if record.pixel_size else ""
    state = "" if record.complete else "; its training was stopped before the end"
    return f"{record.settings.latents} latents, {crops}{scale}{state}"


def _next_step(
    folder: StudyFolder, sets: dict[str, int], labels: dict[str, int], encoder: bool, schemes: set[int]
) -> NextStep:
    study = f"--study {folder.path}"
    enough = [name for name, count in labels.items() if count >= FEW_LABELS]
    steps = (
        (not sets, "Cut crops from a tracked movie.", f"morpholaw crop MOVIE TRACKS {study}", "Cells"),
        (not encoder, "Train or load the encoder.", f"morpholaw train-encoder {study}", "Latents"),
        (len(enough) < 2, f"Label {FEW_LABELS} cells or more of two classes.", "", "Cells"),
        (
            3 not in schemes,
            "Train the sparse head, which shows what decides.",
            f"morpholaw train-classifier {study} --scheme 3",
            "Classify",
        ),
        (4 not in schemes, "Search for a law.", f"morpholaw discover-law {study}", "Laws"),
    )
    for missing, text, command, panel in steps:
        if missing:
            return NextStep(text, command, panel)
    return NextStep("Write the report.", f"morpholaw report {study} --out report.html")
