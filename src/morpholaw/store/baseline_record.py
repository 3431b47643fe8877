"""``baselines.json``: regressions and trees on measured shapes, on the splits that classifiers are tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from morpholaw.cells.files import fingerprint
from morpholaw.errors import InputError
from morpholaw.store.evaluation_record import EstimateInFile
from morpholaw.store.provenance import ResultRecord
from morpholaw.store.record import Part

if TYPE_CHECKING:
    from morpholaw.store.labelled_cells import Labelled
    from morpholaw.store.study_folder import StudyFolder

FILE = "baselines.json"


class MeasuredBaseline(Part):
    """A baseline on the test cells of one split.

    Attributes
    ----------
    name, title : str
        "shapes-logistic", and what it is in words.
    classes : tuple of str
        The classes that it tells apart.
    split : str
        Fingerprint of the test groups.
    training : str
        Fingerprint of the training cells and their classes.
    test_cells : int
        Cells tested on.
    accuracy, balanced_accuracy : Estimate
        With 95 % intervals over groups.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    split: str
    training: str = ""
    test_cells: int = Field(ge=0)
    accuracy: EstimateInFile
    balanced_accuracy: EstimateInFile


class BaselinesRecord(ResultRecord):
    """The baselines of a study, one for each split and set of classes.

    Attributes
    ----------
    measured : tuple of MeasuredBaseline
        All of them.
    """

    WHAT: ClassVar[str] = "table of baselines"
    REMEDY: ClassVar[str] = "delete it; it is measured again with the next classifier"

    measured: tuple[MeasuredBaseline, ...] = ()


def baselines(folder: StudyFolder) -> tuple[MeasuredBaseline, ...]:
    """Return the baselines that were measured; none where the file is missing."""
    place = folder.path / FILE
    return BaselinesRecord.read(place).measured if place.exists() else ()


def measure_baselines(folder: StudyFolder, cells: Labelled) -> tuple[MeasuredBaseline, ...]:
    """Fit the baselines to the training cells of a split and measure them on its test cells."""
    from morpholaw.evaluation.baselines import BASELINES, baseline_features, predict_baseline
    from morpholaw.evaluation.bootstrap import accuracy_interval

    training, testing = (baseline_features(folder.crops[part]) for part in (cells.train, cells.test))
    groups = folder.crops.cells["group"].to_numpy(str)[cells.test]
    measured = []
    for name, title in BASELINES.items():
        right = predict_baseline(name, training, cells.train_targets, testing) == cells.test_targets
        measured.append(
            MeasuredBaseline(
                name=name,
                title=title,
                classes=cells.classes,
                split=cells.fingerprint,
                training=_training(cells),
                test_cells=len(cells.test),
                accuracy=accuracy_interval(right, groups),
                balanced_accuracy=accuracy_interval(right, groups, cells.test_targets),
            )
        )
    return tuple(measured)


def keep_baselines(folder: StudyFolder, cells: Labelled) -> None:
    """Measure the baselines on a split and keep them, unless they are there; the study must be locked for writing."""
    from morpholaw.store.encoders import data_fingerprint
    from morpholaw.store.provenance import Provenance

    if not len(cells.train) or len(np.unique(cells.train_targets)) < len(cells.classes):
        return
    data = data_fingerprint(folder)
    place = folder.path / FILE
    before: tuple[MeasuredBaseline, ...] = ()
    try:
        record = BaselinesRecord.read(place) if place.exists() else None
    except InputError:  # it is damaged: nothing is lost
        record = None
    if record is not None and record.provenance.data == data:
        before = record.measured
    same = [one for one in before if (one.split, one.classes) == (cells.fingerprint, cells.classes)]
    if same and all(one.training == _training(cells) for one in same):
        return
    measured = (*(one for one in before if one not in same), *measure_baselines(folder, cells))
    BaselinesRecord(measured=measured, provenance=Provenance.now(data)).write(place)


def _training(cells: Labelled) -> str:
    return fingerprint(np.concatenate([cells.train, cells.train_targets]))[:16]
