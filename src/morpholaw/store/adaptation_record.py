"""``adaptations/CLASSIFIER/SET.json``: the adaptation of a classifier's scores to one crop set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from morpholaw.display import counted, p_value, percent, significant
from morpholaw.evaluation.adaptation import Adaptation
from morpholaw.evaluation.class_adaptation import ClassAdaptation
from morpholaw.store.provenance import ResultRecord

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder


SIGNIFICANT = 0.05
"""p value below which a difference is not attributed to chance."""
FEW = 5
"""Number of labelled cells of each class below which an adaptation is rough, as one wrong label misleads it."""


class AdaptationRecord(ResultRecord):
    """Adaptation of a classifier's scores to a crop set.

    Attributes
    ----------
    classifier : str
        Name of the classifier.
    sha256 : str
        SHA-256 of the models to which the adaptation applies.
    crop_set : str
        Name of the crop set.
    threshold, scale : float
        With two classes, adapted scores are scale * (score - threshold).
    offsets : dict of str to float
        With more than two classes, the offset that is added to the score of each class; otherwise empty.
    labels : dict of str to int
        Number of labelled cells of each class that were used; empty for an adaptation without labels.
    cells : int
        Number of cells whose scores were used.
    accuracy_before, accuracy_after : float or None
        Balanced accuracy on the labelled cells of the set, without and with an adaptation that has not seen the labels
        of their groups; None if there are too few.
    p : float or None
        Two-sided p value of the difference of the two, over groups; None if it is not known.
    changed : int or None
        Number of these cells whose predicted class the adaptation changes; None in records of earlier versions.
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
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    p: float | None = None
    changed: int | None = None

    @property
    def adaptation(self) -> Adaptation | ClassAdaptation:
        """The adaptation of scores."""
        if self.offsets:
            return ClassAdaptation(self.scale, tuple(self.offsets.values()))
        return Adaptation(self.threshold, self.scale)

    @property
    def sentence(self) -> str:
        """Description of the adaptation, whether the labelled cells show a gain, and a caution about few labels."""
        how = ", ".join(f"{count} {name}" for name, count in self.labels.items())
        source = (
            f"from labels of {how}"
            if how
            else f"from the scores of {counted(self.cells, 'cell')}, without labels"
        )
        caution = ""
        if self.labels and min(self.labels.values()) < FEW:
            caution = (
                f" So few labels are a rough guide; label at least {FEW} cells of each class and adapt again."
            )
        changed = ""
        if self.changed is not None:
            changed = f" It changes the predicted class of {self.changed:,} of {counted(self.cells, 'cell')}."
        return (
            f"{self.classifier} on {self.crop_set}: {self.numbers}, {source}.{changed} {self.gain}{caution}"
        )

    @property
    def numbers(self) -> str:
        """The fitted numbers: "threshold 0.31, scale 1.2"."""
        added = ", ".join(f"{name} {offset:+.2g}" for name, offset in self.offsets.items())
        first = f"offsets {added}" if added else f"threshold {significant(round(self.threshold, 6) + 0.0)}"
        return f"{first}, scale {self.scale:.3g}"

    @property
    def gain(self) -> str:
        """Whether the labelled cells show that the adaptation helps, in one or two sentences."""
        if self.accuracy_before is None or self.accuracy_after is None:
            return "The set has too few labelled cells to show whether it helps."
        unseen = ", fitted without their groups" if self.labels else ""
        sentence = (
            f"Balanced accuracy on the labelled cells of the set: {percent(self.accuracy_before)} without the "
            f"adaptation, {percent(self.accuracy_after)} with it{unseen}."
        )
        if self.accuracy_after == self.accuracy_before:
            return f"{sentence} These cells do not show that it helps."
        shown = "" if self.p is None else f" ({p_value(self.p)})"
        if self.p is None or self.p >= SIGNIFICANT:
            return f"{sentence} The difference may be chance{shown}; more labels would show whether it helps."
        if self.accuracy_after > self.accuracy_before:
            return f"{sentence} It helps{shown}."
        return f"{sentence} It does harm{shown}: undo it, or label more cells and adapt again."


def adaptation_file(folder: StudyFolder, classifier: str, crop_set: str) -> Path:
    """Return the file of the adaptation of a classifier to a crop set."""
    return folder.path / "adaptations" / classifier / f"{crop_set}.json"


def adaptation_of(
    folder: StudyFolder, classifier: str, sha256: str, crop_set: str
) -> AdaptationRecord | None:
    """Return the adaptation of a classifier to a crop set; None if there is none or the models have changed."""
    file = adaptation_file(folder, classifier, crop_set)
    if not file.is_file():
        return None
    record = AdaptationRecord.read(file)
    return record if record.sha256 == sha256 else None
