"""``baselines.json``: evaluation of the baselines on the splits of the classifiers."""

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
    """Evaluation of a baseline on the test set of one split.

    Attributes
    ----------
    name, title : str
        Name, such as "shapes-logistic", and description.
    classes : tuple of str
        The classes that it distinguishes.
    split : str
        Fingerprint of the test groups.
    training : str
        Fingerprint of the training cells and their classes.
    test_cells : int
        Number of test cells.
    accuracy, balanced_accuracy : Estimate
        Accuracies with 95 % confidence intervals over groups.
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
    """The baselines of a study, for every split and set of classes.

    Attributes
    ----------
    measured : tuple of MeasuredBaseline
        The evaluated baselines.
    """

    WHAT: ClassVar[str] = "table of baselines"
    REMEDY: ClassVar[str] = "delete it; it is measured again with the next classifier"

    measured: tuple[MeasuredBaseline, ...] = ()


def baselines(folder: StudyFolder) -> tuple[MeasuredBaseline, ...]:
    """Return the evaluated baselines; empty if there is no file."""
    place = folder.path / FILE
    return BaselinesRecord.read(place).measured if place.exists() else ()


def measure_baselines(folder: StudyFolder, cells: Labelled) -> tuple[MeasuredBaseline, ...]:
    """Fit the baselines to the training set of a split, and evaluate them on its test set."""
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
    """Evaluate and store the baselines for a split, unless this was done before. The study must be locked."""
    from morpholaw.store.encoders import data_fingerprint
    from morpholaw.store.provenance import Provenance

    if not len(cells.train) or len(np.unique(cells.train_targets)) < len(cells.classes):
        return
    data = data_fingerprint(folder)
    place = folder.path / FILE
    before: tuple[MeasuredBaseline, ...] = ()
    try:
        record = BaselinesRecord.read(place) if place.exists() else None
    except InputError:  # the file is damaged and can be replaced
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
