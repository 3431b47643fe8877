"""``classifiers/*/familiarity.json``: image statistics of the training cells of a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.familiarity import Familiarity
from morpholaw.interpretation.latent_summary import evenly_spaced
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.classifiers import place_of, record
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.record import Record

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder

CELLS = 2_000
"""Maximum number of training cells that are used."""
_FILE = "familiarity.json"


class FamiliarityRecord(Record):
    """Distribution of the image statistics of training cells.

    Attributes
    ----------
    classifier : str
        SHA-256 of the models that were trained on them.
    centre, precision, limit, cells
        See :class:`morpholaw.evaluation.familiarity.Familiarity`.
    """

    WHAT: ClassVar[str] = "description of training cells"
    REMEDY: ClassVar[str] = "delete it, or train the classifier again"

    classifier: str
    centre: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    limit: float
    cells: int


def familiarity(folder: StudyFolder, name: str) -> Familiarity | None:
    """Return the distribution of the training cells of a classifier; None if they are not known.

    It is read from the file if there is one, as for the shipped classifiers. Otherwise it is computed from the study's
    crops, without those of the test groups of the classifier.
    """
    classifier = record(folder, name)
    place = place_of(folder, name) / _FILE
    if place.exists():
        kept = FamiliarityRecord.read(place)
        if kept.classifier == classifier.sha256:
            return Familiarity(np.array(kept.centre), np.array(kept.precision), kept.limit, kept.cells)
    return None if classifier.trained_elsewhere else _measured(folder, classifier)


def keep_familiarity(folder: StudyFolder, found: ClassifierRecord) -> None:
    """Compute and store the distribution of the training cells of a classifier. The study must be locked."""
    cloud = _measured(folder, found)
    if cloud is not None and found.sha256:
        write_familiarity(place_of(folder, found.name), found.sha256, cloud)


def carry_familiarity(folder: StudyFolder, before: ClassifierRecord, after: ClassifierRecord) -> None:
    """Keep the distribution of the training cells of a classifier whose laws were reordered."""
    place = place_of(folder, after.name)
    if not (place / _FILE).exists():
        return
    kept = FamiliarityRecord.read(place / _FILE)
    if kept.classifier == before.sha256:
        kept.model_copy(update={"classifier": after.sha256}).write(place / _FILE)


def write_familiarity(classifier: Path, sha256: str, cloud: Familiarity) -> None:
    """Write the distribution of the training cells of a classifier to its folder."""
    FamiliarityRecord(
        classifier=sha256,
        centre=tuple(cloud.centre.tolist()),
        precision=tuple(map(tuple, cloud.precision.tolist())),
        limit=cloud.limit,
        cells=cloud.cells,
    ).write(classifier / _FILE)


def _measured(folder: StudyFolder, found: ClassifierRecord) -> Familiarity | None:
    """Compute the distribution from the crop sets of the training cells, without the test groups."""
    try:
        split = labelled_cells(folder, found.config)
    except InputError:  # the labels no longer exist
        return None
    table = folder.crops.cells
    sets, groups = table["set"].to_numpy(str), table["group"].to_numpy(str)
    rows = np.flatnonzero(np.isin(sets, np.unique(sets[split.train])) & ~np.isin(groups, groups[split.test]))
    rows = rows[evenly_spaced(len(rows), CELLS)]
    return Familiarity.fit(folder.crops[rows], groups[rows])
