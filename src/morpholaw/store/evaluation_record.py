"""How good a classifier is on held-out cells, as its record holds it."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, PlainSerializer

from morpholaw.evaluation.calibration import Calibration, Temperature
from morpholaw.evaluation.estimate import Estimate
from morpholaw.store.record import Number, Part

if TYPE_CHECKING:
    from morpholaw.evaluation.metrics import ClassPerformance
    from morpholaw.evaluation.performance import Performance


def _read_estimate(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 3:
        numbers = [float("nan") if number is None else number for number in value]  # JSON has no NaN
        return dict(zip(("value", "low", "high"), numbers, strict=True))
    return value


EstimateInFile = Annotated[Estimate, BeforeValidator(_read_estimate), PlainSerializer(astuple)]


class ClassEvaluation(Part):
    """How well one class is told from the others on held-out cells, with 95 % intervals.

    Attributes
    ----------
    cells : int
        Test cells of the class.
    precision, recall, f1 : Estimate
        Of the median score; the precision is NaN where no cell is predicted as this class.
    roc_auc : float
        Area under the ROC curve, this class against the rest.
    """

    cells: int = Field(ge=0)
    precision: EstimateInFile
    recall: EstimateInFile
    f1: EstimateInFile
    roc_auc: Number = float("nan")

    @classmethod
    def of(cls, measured: ClassPerformance) -> ClassEvaluation:
        """Return what was measured of a class."""
        return cls(
            cells=measured.cells,
            precision=measured.precision,
            recall=measured.recall,
            f1=measured.f1,
            roc_auc=measured.area,
        )


class Evaluation(Part):
    """How the models do on cells of groups that none of them was trained on.

    Attributes
    ----------
    split : str
        Fingerprint of the test groups.
    training_cells, test_cells : int
        Cells trained on and tested on.
    accuracy, balanced_accuracy : tuple of float
        Of each model, in [0, 1]. A score that is not finite counts as wrong.
    intervals : tuple of Estimate
        Accuracy of each model with its 95 % interval.
    ensemble_accuracy, balanced_interval : Estimate
        Accuracy and balanced accuracy of the median score over the models, with 95 % intervals over groups of cells.
    test_groups : int
        Groups (tracks, movies) of the cells tested on.
    confusion : tuple of tuple of int
        Of the median score: true classes in rows, predicted classes in columns.
    roc_auc : float
        Area under the ROC curve of the median score, with more than two classes the mean of one against the rest; NaN
        where it is undefined.
    by_class : tuple of ClassEvaluation
        Each class by itself, in the order of the classes.
    calibration : Calibration, optional
        Platt scaling of the median score of two classes; None where finite scores are of one class.
    temperature : Temperature, optional
        Calibration of more than two classes.
    undefined : int
        Scores, over all models and cells, that are not finite.
    law : int, optional
        Scheme 4: the law whose scores take the place of the median above; None for the median of all.
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
        """Return the probabilities of the classes if all were equally frequent, from median scores.

        Parameters
        ----------
        scores : ndarray
            (n,) of two classes, (n, classes) of more.

        Returns
        -------
        ndarray or None
            float64 (n, classes), NaN where a score is undefined; None where the scores are not calibrated.
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
        """Return what was measured on some held-out cells.

        Parameters
        ----------
        measured : Performance
            The measurement.
        split : str
            Fingerprint of the test groups.
        training_cells : int
            Cells trained on.
        groups : ndarray, (n,)
            Group of each cell tested on.
        law : int, optional
            As the attribute.
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
