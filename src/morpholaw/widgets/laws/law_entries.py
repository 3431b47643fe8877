"""The laws of a study as rows of a table: one per law for two classes, one per class for more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from morpholaw.display import ANOTHER
from morpholaw.errors import MorpholawError
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.law import Law
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord, name_of

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder  # imports pandas

LOSS_WORDS = {"hinge": "from the labels (hinge)", "mse": "from scheme 3 (MSE)"}
INPUT_WORDS = {"latents": "", "shapes": ", over shapes", "both": ", over latents and shapes"}


@dataclass(frozen=True)
class LawEntry:
    """A row of the table of laws.

    Attributes
    ----------
    place : int
        Index of the law in the study's list; with more than two classes, the number of the class.
    law : Law
        The law.
    decision : Law
        The function that predicts the second of ``classes`` where it is 0 or more: the law, or its lead over the laws
        of all other classes.
    classes : (str, str)
        The classes predicted for f < 0 and for f >= 0.
    accuracy : float
        Accuracy on the held-out cells; with more than two classes, the recall of the class.
    class_name : str or None
        The class, if there are more than two.
    other : str
        The class against which the law is read; "" for all other classes.
    """

    place: int
    law: Law
    decision: Law
    classes: tuple[str, str]
    accuracy: float
    class_name: str | None = None
    other: str = ""

    @property
    def member(self) -> int:
        """Index of the model: that of the law for two classes, 0 for more."""
        return self.place if self.class_name is None else 0

    @property
    def class_or_pair(self) -> str | tuple[str, str] | None:
        """The class read against all others, or the pair read against each other; None if there are two classes."""
        return (self.class_name, self.other) if self.class_name and self.other else self.class_name

    def against(self, laws: ClassLaws, other: str) -> LawEntry:
        """Return the row read against one other class; its law is the difference of the laws of the two classes."""
        assert self.class_name is not None
        law = laws.against(self.class_name, other)
        return replace(self, law=law, decision=law, classes=(other, self.class_name), other=other)


def law_entries(record: ClassifierRecord) -> list[LawEntry]:
    """Return the rows for a set of laws."""
    if record.two_classes:
        return [
            LawEntry(place, law, law, record.pair, accuracy)
            for place, (law, accuracy) in enumerate(zip(record.laws, record.evaluation.accuracy, strict=True))
        ]
    laws, entries = record.class_laws, []
    for place, (name, counts) in enumerate(zip(laws.classes, record.evaluation.confusion, strict=True)):
        right = counts[place] / sum(counts) if sum(counts) else 0.0
        entries.append(
            LawEntry(place, laws.laws[name], laws.against_the_rest(name), (ANOTHER, name), right, name)
        )
    return entries


def law_sets(study: StudyFolder | None) -> dict[str, str]:
    """Return the sets of laws of a study, as a mapping from name to title in the panel.

    Laws over shapes come first, because shapes can be checked with a ruler; then laws by their loss.
    """
    if study is None:
        return {}
    titles = {name_of(4, loss): words for loss, words in LOSS_WORDS.items()}
    trained = classifiers.names(study)
    over_shapes: dict[str, str] = {}
    others = {name: words for name, words in titles.items() if name in trained}
    for name in [*others, *(name for name in trained if name not in titles)]:
        try:
            record = classifiers.record(study, name)
        except MorpholawError:
            continue  # the error is shown when this set is chosen
        if record.scheme == 4:
            classes = "" if record.two_classes else f", {len(record.classes)} classes"
            text = titles.get(name, name) + INPUT_WORDS[record.inputs] + classes
            if record.inputs == "shapes":
                others.pop(name, None)
                over_shapes[name] = text
            else:
                others[name] = text
    return over_shapes | others
