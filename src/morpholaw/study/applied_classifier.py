"""What is applied of a classifier: one law or all models, along tracks or frame by frame, adapted or not."""

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
"""Bounds of a classifier's error along tracks: few held-out cells say little about rare mistakes."""


class AlongTracks(NamedTuple):
    """How cells are classified with their whole tracks in view.

    Attributes
    ----------
    calibration : Calibration or Temperature
        Likelihood ratios of the scores of two classes, or the probabilities of more.
    always : bool
        Also where no division is known; tracks without divisions add little to what single frames say of two classes.
    order : StageOrder, optional
        The order of stages, of more than two classes.
    error : float
        How often the classifier errs on held-out cells, of more than two classes.
    """

    calibration: Calibration | Temperature
    always: bool
    order: StageOrder | None = None
    error: float = 0.0


@dataclass(frozen=True)
class AppliedClassifier:
    """A classifier as it is applied to cells.

    Attributes
    ----------
    classifier : Classifier
        The models whose median score is applied.
    evaluation : Evaluation, optional
        What was measured of them on held-out cells; it makes probabilities of scores.
    along : AlongTracks, optional
        How cells are classified with their whole tracks in view; None for frame by frame.
    familiarity : Familiarity, optional
        The description of the training cells, by which other crops are marked as unusual.
    adaptation : Adaptation or ClassAdaptation, optional
        The numbers that were fitted to the source of the cells.
    shares : ndarray, optional
        Share of the cells that each class has, (classes,); None where all are taken to be equally frequent.
    """

    classifier: Classifier
    evaluation: Evaluation | None = None
    along: AlongTracks | None = None
    familiarity: Familiarity | None = None
    adaptation: Adaptation | ClassAdaptation | None = None
    shares: np.ndarray | None = None

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability of each class, float64 (n, classes); NaN where scores are not calibrated."""
        equal = None if self.evaluation is None else self.evaluation.probabilities(scores)
        if equal is None:
            return np.full((len(scores), len(self.classifier.classes)), np.nan)
        return equal if self.shares is None else shift_probabilities(equal, self.shares)


def chosen(folder: StudyFolder, name: str, law: int | Literal["median"] | None) -> AppliedClassifier:
    """Return what is applied of a classifier: a law, the median of all laws, or the default where ``law`` is None.

    Raises
    ------
    InputError
        When there is no such classifier or law.
    """
    if law == "median":
        return AppliedClassifier(*_all_models(folder, name))
    return AppliedClassifier(*(applied(folder, name) if law is None else one_law(folder, name, law)))


def applied(folder: StudyFolder, name: str) -> tuple[Classifier, Evaluation | None]:
    """Return what is applied of a classifier where nothing is chosen: of laws the first, else all models.

    The evaluation is None where only that of all laws together is known, and the held-out cells are no longer there.
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
    """Return one law of scheme 4 as a classifier, and what is measured of it on the held-out cells.

    Raises
    ------
    InputError
        When there is no such law, or the held-out cells cannot be found again.
    """
    classifier = classifiers.load(folder, name)
    if classifier.scheme != 4 or not 0 <= law < classifier.members:
        raise InputError(
            f"{name} has {classifier.members if classifier.scheme == 4 else 'no'} laws; there is no law {law + 1}."
        )
    one = classifier.select(law)
    return one, _measured_again(folder, name, one, law)


def _all_models(folder: StudyFolder, name: str) -> tuple[Classifier, Evaluation | None]:
    """Return all models of a classifier, whose median is applied, and what is measured of it."""
    classifier, evaluation = classifiers.load(folder, name), classifiers.record(folder, name).evaluation
    if evaluation.law is None:
        return classifier, evaluation
    try:
        return classifier, _measured_again(folder, name, classifier)
    except InputError:
        return classifier, None


def _measured_again(
    folder: StudyFolder, name: str, classifier: Classifier, law: int | None = None
) -> Evaluation:
    """Measure some models of a classifier on its held-out cells; InputError where those are no longer there."""
    cells, targets = held_out(folder, name)
    groups = folder.crops.cells["group"].to_numpy(str)[cells]
    measured = measure(score_crops(classifier, folder.crops[cells]), targets, groups=groups)
    before = classifiers.record(folder, name).evaluation
    return Evaluation.of(measured, before.split, before.training_cells, groups, law)


def along_tracks(
    folder: StudyFolder,
    name: str,
    wanted: bool | None,
    evaluation: Evaluation | None,
    order: StageOrder | None = None,
) -> AlongTracks | None:
    """Return what classification along tracks needs of a classifier; None where it is not ``wanted``.

    ``wanted`` is None for the default: along tracks wherever divisions are known and scores are calibrated, by
    ``evaluation``; of more than two classes also where the order of stages is known: ``order``, or that of the study.

    Raises
    ------
    InputError
        When it is wanted, and the classifier's scores could not be calibrated, the order of stages is not known, or the
        study's classes are conditions.
    """
    record = classifiers.record(folder, name)
    if order is not None:
        order.check(record.classes)
    if condition_record(folder) is not None:
        if wanted:
            raise InputError("The classes of this study are conditions, which stay the same along a track.")
        return None
    if wanted is False:
        return None
    calibration = None if evaluation is None else evaluation.calibration or evaluation.temperature
    if calibration is None:
        if wanted:
            raise InputError(
                f"The scores of {name} are not calibrated, which classification along tracks needs: its held-out cells "
                "have finite scores for one class only. Train it again, or classify frame by frame."
            )
        return None
    if record.two_classes:
        return AlongTracks(calibration, always=bool(wanted))
    order = order or stage_order(folder, record.classes)
    if order is None:
        if wanted:
            raise InputError(
                f"{name} tells {len(record.classes)} classes apart, and neither the study nor its labelled tracks say "
                "in which order a cell passes through them: give the stages in their order, or classify frame by frame."
            )
        return None
    assert evaluation is not None
    error = 1 - evaluation.balanced_interval.value
    return AlongTracks(calibration, bool(wanted), order, min(max(error, LEAST_ERROR), MOST_ERROR))
