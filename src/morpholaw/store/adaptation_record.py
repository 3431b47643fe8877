"""``adaptations/CLASSIFIER/SET.json``: the few numbers that fit a classifier to one crop set, beside the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from morpholaw.evaluation.adaptation import Adaptation
from morpholaw.evaluation.class_adaptation import ClassAdaptation
from morpholaw.store.provenance import ResultRecord

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder


class AdaptationRecord(ResultRecord):
    """Numbers that fit a classifier's scores to a crop set; the classifier is as it was.

    Attributes
    ----------
    classifier : str
        Name of the classifier.
    sha256 : str
        Its models; for others the adaptation does not apply.
    crop_set : str
        Name of the set.
    threshold, scale : float
        Adapted scores are scale * (score - threshold).
    offsets : dict of str to float
        Of more than two classes, what is added to the score of each in place of the threshold; empty of two.
    labels : dict of str to int
        Class to the number of labelled cells that were used; empty where the scores alone were.
    cells : int
        Cells of the set whose scores were used.
    """

    WHAT: ClassVar[str] = "adaptation"
    REMEDY: ClassVar[str] = "delete it, or adapt again"

    classifier: str
    sha256: str
    crop_set: str
    threshold: float
    scale: float = Field(gt=0)
    offsets: dict[str, float] = Field(default_factory=dict)
    labels: dict[str, int] = Field(default_factory=dict)
    cells: int = Field(ge=0)

    @property
    def adaptation(self) -> Adaptation | ClassAdaptation:
        """The numbers, as they are applied."""
        if self.offsets:
            return ClassAdaptation(self.scale, tuple(self.offsets.values()))
        return Adaptation(self.threshold, self.scale)

    @property
    def sentence(self) -> str:
        """What was set and from what, as one sentence."""
        how = ", ".join(f"{count} {name}" for name, count in self.labels.items())
        source = f"from labels of {how}" if how else f"from the scores of {self.cells} cells, without labels"
        added = ", ".join(f"{name} {offset:+.2g}" for name, offset in self.offsets.items())
        first = f"offsets {added}" if added else f"threshold {self.threshold:.3g}"
        numbers = f"{first}, scale {self.scale:.3g}"
        return f"{self.classifier} on {self.crop_set}: {numbers}, {source}."


def adaptation_file(folder: StudyFolder, classifier: str, crop_set: str) -> Path:
    """Return where the adaptation of a classifier to a crop set is kept."""
    return folder.path / "adaptations" / classifier / f"{crop_set}.json"


def adaptation_of(
    folder: StudyFolder, classifier: str, sha256: str, crop_set: str
) -> AdaptationRecord | None:
    """Return the adaptation of a classifier to a crop set; None without one, or where the models have changed."""
    file = adaptation_file(folder, classifier, crop_set)
    if not file.is_file():
        return None
    record = AdaptationRecord.read(file)
    return record if record.sha256 == sha256 else None
