"""Scores and predicted classes of the cells of a study, in the order of the study's crops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.cells.crop_set import Crops
    from morpholaw.store.classifier_record import ClassifierRecord

MISLABELLED = "maybe mislabelled"
"""Name in the panels for labelled cells for which a classifier predicts another class."""


@dataclass(frozen=True)
class CellScores:
    """Scores and predicted classes of the crops of a study.

    Attributes
    ----------
    classifier : ClassifierRecord
        The classifier.
    scores : ndarray, float64 (crops,)
        Median score of each crop; NaN if it was not scored.
    predicted : ndarray, object (crops,)
        Predicted class of each crop; "" if it was not scored.
    by_frame : ndarray, object (crops,)
        Class predicted from the score of the crop alone; ``predicted`` may also use the whole track.
    """

    classifier: ClassifierRecord
    scores: np.ndarray
    predicted: np.ndarray
    by_frame: np.ndarray

    @classmethod
    def of_table(
        cls, classifier: ClassifierRecord, table: pd.DataFrame, crops: Crops, only: str = ""
    ) -> CellScores | None:
        """Return the scores in a table of :meth:`morpholaw.Study.classify`; None if the table is of other cells.

        Parameters
        ----------
        classifier : ClassifierRecord
            The classifier that was applied.
        table : DataFrame
            Scores of all crops of the study, or of one set, in the order of the crops.
        crops : Crops
            The crops of the study.
        only : str
            Name of the set that was scored; "" for all sets.
        """
        names = [crop_set.name for crop_set in crops.sets]
        if only and only not in names:
            return None
        start, end = 0, len(crops)
        if only:
            place = names.index(only)
            start, end = int(crops.offsets[place]), int(crops.offsets[place + 1])
        if len(table) != end - start:
            return None
        scores = np.full(len(crops), np.nan)
        scores[start:end] = table["score"].to_numpy(np.float64, na_value=np.nan)
        predicted, by_frame = (np.full(len(crops), "", object) for _ in range(2))
        predicted[start:end] = table["class"].fillna("").astype(str)
        frame = table["frame_class"] if "frame_class" in table else table["class"]
        by_frame[start:end] = frame.fillna("").astype(str)
        return cls(classifier, scores, predicted, by_frame)

    def same_as(self, other: CellScores) -> bool:
        """Return whether both hold the same scores and predictions of the same classifier."""
        return (
            self.classifier.name == other.classifier.name
            and np.array_equal(self.scores, other.scores, equal_nan=True)
            and np.array_equal(self.predicted, other.predicted)
        )

    @property
    def sureness(self) -> np.ndarray:
        """Distance of each score from the boundary, float64 (crops,); -1 if there is no score."""
        return np.asarray(np.nan_to_num(np.abs(self.scores), nan=-1.0))

    def contradicts(self, labels: np.ndarray) -> np.ndarray:
        """Return which crops have a label that the classifier knows but another predicted class, bool (crops,)."""
        known = np.isin(labels.astype(str), self.classifier.classes)
        return np.asarray(known & (self.predicted != "") & (self.predicted != labels))


def disagreement(scores: list[CellScores]) -> np.ndarray:
    """Return the number of pairs of classifiers that predict different classes for each crop, int64 (crops,).

    Only classifiers of the same classes are compared.
    """
    if not scores:
        return np.empty(0, np.int64)
    count = np.zeros(len(scores[0].scores), np.int64)
    for place, first in enumerate(scores):
        for other in scores[place + 1 :]:
            if set(first.classifier.classes) == set(other.classifier.classes):
                count += (
                    (first.predicted != "") & (other.predicted != "") & (first.predicted != other.predicted)
                )
    return count
