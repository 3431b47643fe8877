"""Evaluation of a classifier on held-out cells, as stored in its record."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, PlainSerializer

from morpholaw.evaluation.calibration import Calibration, Temperature
from morpholaw.evaluation.estimate import Estimate
from morpholaw.store.record import Number, Part

if TYPE_CHECKING:
    from morpholaw.evaluation.class_performance import ClassPerformance
    from morpholaw.evaluation.performance import Performance


def _read_estimate(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 3:
        numbers = [float("nan") if number is None else number for number in value]  # JSON has no NaN
        return dict(zip(("value", "low", "high"), numbers, strict=True))
    return value


EstimateInFile = Annotated[Estimate, BeforeValidator(_read_estimate), PlainSerializer(astuple)]


class ClassEvaluation(Part):
    """Performance for one class against the rest on held-out cells, with 95 % confidence intervals.

    Attributes
    ----------
    cells : int
        Number of test cells of the class.
    precision, recall, f1 : Estimate
        Metrics of the median score. The precision is NaN if no cell is predicted to be of this class.
    roc_auc : float
        Area under the ROC curve.
    """

    cells: int = Field(ge=0)
    precision: EstimateInFile
    recall: EstimateInFile
    f1: EstimateInFile
    roc_auc: Number = float("nan")

    @classmethod
    def of(cls, measured: ClassPerformance) -> ClassEvaluation:
        """Return the record of the performance for a class."""
        return cls(
            cells=measured.cells,
            precision=measured.precision,
            recall=measured.recall,
            f1=measured.f1,
            roc_auc=measured.area,
        )


class Evaluation(Part):
    """Evaluation of a classifier on the test set.

    Attributes
    ----------
    split : str
        Fingerprint of the test groups.
    training_cells, test_cells : int
        Number of training cells and of test cells.
    accuracy, balanced_accuracy : tuple of float
        Accuracies of each model, in [0, 1]. Scores that are not finite count as errors.
    intervals : tuple of Estimate
        Accuracy of each model with its 95 % confidence interval.
    ensemble_accuracy, balanced_interval : Estimate
        Accuracy and balanced accuracy of the median score of the models, with 95 % confidence intervals over groups.
    test_groups : int
        Number of groups (tracks, movies) in the test set.
    confusion : tuple of tuple of int
        Confusion matrix of the median score, with true classes as rows and predicted classes as columns.
    roc_auc : float
        Area under the ROC curve of the median score. With more than two classes, the mean of those of each class
        against the rest. NaN if undefined.
    by_class : tuple of ClassEvaluation
        Performance for each class against the rest, in the order of the classes.
    calibration : Calibration, optional
        Platt scaling of the median score of two classes; None if all finite scores are of the same class.
    temperature : Temperature, optional
        Calibration of the median score of more than two classes.
    undefined : int
        Number of scores of single models that are not finite.
    law : int, optional
        For scheme 4, the law whose scores replace the median score; None for the median of all laws.
    """

    split: str
    training_cells: int = Field(ge=0)
    test_cells: int = Field(ge=0)
    accuracy: tuple[float, ...]
    balanced_accuracy: tuple[float, ...]
    ensemble_accuracy: EstimateInFile
    balanced_interval: EstimateInFile
    intervals: tuple[EstimateInFile, ...]
    test_groups: int = Field(ge=0)
    confusion: tuple[tuple[int, ...], ...]
    roc_auc: Number = float("nan")
    by_class: tuple[ClassEvaluation, ...]
    calibration: Calibration | None = None
    temperature: Temperature | None = None
    undefined: int = 0
    law: int | None = None

    def probabilities(self, scores: np.ndarray) -> np.ndarray | None:
        """Return the probabilities of the classes from median scores, assuming equally frequent classes.

        Parameters
        ----------
        scores : ndarray
            Median scores, (n,) for two classes, (n, classes) for more.

        Returns
        -------
        ndarray or None
            Probabilities, float64 (n, classes), NaN for undefined scores; None if the scores are not calibrated.
        """
        calibration = self.calibration or self.temperature
        return None if calibration is None else calibration.probabilities(scores)

    @classmethod
    def of(
        cls,
        measured: Performance,
        split: str,
        training_cells: int,
        groups: np.ndarray,
        law: int | None = None,
    ) -> Evaluation:
        """Return the evaluation for a performance on the test set.

        Parameters
        ----------
        measured : Performance
            The performance.
        split : str
            Fingerprint of the test groups.
        training_cells : int
            Number of training cells.
        groups : ndarray, (n,)
            Group of each test cell.
        law : int, optional
            See the attribute.
        """
        return cls(
            split=split,
            training_cells=training_cells,
            test_cells=len(groups),
            accuracy=tuple(measured.accuracy),
            balanced_accuracy=tuple(measured.balanced_accuracy),
            ensemble_accuracy=measured.ensemble,
            balanced_interval=measured.balanced,
            intervals=tuple(measured.intervals),
            test_groups=len(np.unique(groups)),
            confusion=tuple(map(tuple, measured.confusion.tolist())),
            roc_auc=measured.area,
            by_class=tuple(map(ClassEvaluation.of, measured.by_class)),
            calibration=measured.calibration,
            temperature=measured.temperature,
            undefined=measured.undefined,
            law=law,
        )
