"""A classifier as it is applied: one law or all models, along tracks or frame by frame, adapted or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.adaptation import Adaptation
from morpholaw.evaluation.calibration import Calibration, Temperature
from morpholaw.evaluation.class_adaptation import ClassAdaptation
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.familiarity import Familiarity
from morpholaw.evaluation.performance import measure
from morpholaw.evaluation.prevalence import shift_probabilities
from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.models.classifier import Classifier
from morpholaw.store import classifiers
from morpholaw.store.condition_record import condition_record
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.labelled_cells import held_out
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.stages import stage_order

LEAST_ERROR, MOST_ERROR = 0.02, 0.5
"""Limits of a classifier's error along tracks, as few held-out cells say little about rare errors."""


class AlongTracks(NamedTuple):
    """Settings of the classification along tracks.

    Attributes
    ----------
    calibration : Calibration or Temperature
        Calibration of the scores of two classes, or of more.
    always : bool
        Classify along tracks even if no division is known. For two classes, tracks without divisions add little.
    order : StageOrder, optional
        The order of stages, for more than two classes.
    error : float
        Error rate of the classifier on held-out cells, for more than two classes.
    """

    calibration: Calibration | Temperature
    always: bool
    order: StageOrder | None = None
    error: float = 0.0


@dataclass(frozen=True)
class AppliedClassifier:
    """A classifier with everything that its application to cells depends on.

    Attributes
    ----------
    classifier : Classifier
        The models, whose median score is used.
    evaluation : Evaluation, optional
        Their evaluation on held-out cells, which calibrates the scores.
    along : AlongTracks, optional
        Settings of the classification along tracks; None for frame by frame.
    familiarity : Familiarity, optional
        Description of the training cells, from which unusual crops are recognised.
    adaptation : Adaptation or ClassAdaptation, optional
        Adaptation of the scores to the source of the cells.
    shares : ndarray, optional
        Expected share of each class, (classes,); None for equally frequent classes.
    """

    classifier: Classifier
    evaluation: Evaluation | None = None
    along: AlongTracks | None = None
    familiarity: Familiarity | None = None
    adaptation: Adaptation | ClassAdaptation | None = None
    shares: np.ndarray | None = None

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability of each class, float64 (n, classes); NaN if scores are not calibrated."""
        equal = None if self.evaluation is None else self.evaluation.probabilities(scores)
        if equal is None:
            return np.full((len(scores), len(self.classifier.classes)), np.nan)
        return equal if self.shares is None else shift_probabilities(equal, self.shares)


def chosen(folder: StudyFolder, name: str, law: int | Literal["median"] | None) -> AppliedClassifier:
    """Return a classifier with a law, with the median of all laws, or with its default if ``law`` is None.

    Raises
    ------
    InputError
        If there is no such classifier or law.
    """
    if law == "median":
        return AppliedClassifier(*_all_models(folder, name))
    return AppliedClassifier(*(applied(folder, name) if law is None else one_law(folder, name, law)))


def applied(folder: StudyFolder, name: str) -> tuple[Classifier, Evaluation | None]:
    """Return what is applied by default, which is the first law or all models, with its evaluation.

    The evaluation is None if only that of all laws together is known and the held-out cells no longer exist.
    """
    classifier, evaluation = classifiers.load(folder, name), classifiers.record(folder, name).evaluation
    if classifier.scheme != 4:
        return classifier, evaluation
    if evaluation.law == 0 or classifier.members == 1:
        return classifier.select(0), evaluation
    try:
        return one_law(folder, name, 0)
    except InputError:
        return classifier.select(0), None


def one_law(folder: StudyFolder, name: str, law: int) -> tuple[Classifier, Evaluation]:
    """Return one law of scheme 4 as a classifier, with its evaluation on the held-out cells.

    Raises
    ------
    InputError
        If there is no such law, or the held-out cells no longer exist.
    """
    classifier = classifiers.load(folder, name)
    if classifier.scheme != 4 or not 0 <= law < classifier.members:
        raise InputError(
            f"{name} has {classifier.members if classifier.scheme == 4 else 'no'} laws; there is no law {law + 1}."
        )
    selected = classifier.select(law)
    return selected, _evaluated(folder, name, selected, law)


def _all_models(folder: StudyFolder, name: str) -> tuple[Classifier, Evaluation | None]:
    """Return all models of a classifier, with the evaluation of their median score."""
    classifier, evaluation = classifiers.load(folder, name), classifiers.record(folder, name).evaluation
    if evaluation.law is None:
        return classifier, evaluation
    try:
        return classifier, _evaluated(folder, name, classifier)
    except InputError:
        return classifier, None


def _evaluated(folder: StudyFolder, name: str, classifier: Classifier, law: int | None = None) -> Evaluation:
    """Evaluate some models of a classifier on its held-out cells; InputError if these no longer exist."""
    cells, targets = held_out(folder, name)
    groups = folder.crops.cells["group"].to_numpy(str)[cells]
    measured = measure(score_crops(classifier, folder.crops[cells]), targets, groups=groups)
    stored = classifiers.record(folder, name).evaluation
    return Evaluation.of(measured, stored.split, stored.training_cells, groups, law)


def along_tracks(
    folder: StudyFolder,
    name: str,
    requested: bool | None,
    evaluation: Evaluation | None,
    order: StageOrder | None = None,
) -> AlongTracks | None:
    """Return the settings of the classification along tracks; None for frame by frame.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    name : str
        Name of the classifier.
    requested : bool or None
        Whether to classify along tracks. None for the default: for two classes if divisions are known, for more if the
        order of stages is known, and in both cases only if scores are calibrated.
    evaluation : Evaluation or None
        Evaluation of the classifier, which holds the calibration.
    order : StageOrder, optional
        The order of stages. The default is that of the study.

    Raises
    ------
    InputError
        If it is requested, but the scores are not calibrated, the order of stages is not known, or the classes of the
        study are conditions.
    """
    record = classifiers.record(folder, name)
    if order is not None:
        order.check(record.classes)
    if condition_record(folder) is not None:
        if requested:
            raise InputError("The classes of this study are conditions, which stay the same along a track.")
        return None
    if requested is False:
        return None
    calibration = None if evaluation is None else evaluation.calibration or evaluation.temperature
    if calibration is None:
        if requested:
            raise InputError(
                f"Classification along tracks needs calibrated scores, but the held-out cells of {name} have finite "
                "scores for one class only. Train it again, or classify frame by frame."
            )
        return None
    if record.two_classes:
        return AlongTracks(calibration, always=bool(requested))
    order = order or stage_order(folder, record.classes)
    if order is None:
        if requested:
            raise InputError(
                f"{name} distinguishes {len(record.classes)} classes, and neither the study nor its labelled tracks "
                "say in which order a cell passes through them. Give the stages in order, or classify frame by frame."
            )
        return None
    assert evaluation is not None
    error = 1 - evaluation.balanced_interval.value
    return AlongTracks(calibration, bool(requested), order, min(max(error, LEAST_ERROR), MOST_ERROR))
