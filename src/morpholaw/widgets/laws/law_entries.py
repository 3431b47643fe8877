"""The laws of a study as rows of the panel: one per law, or one per class where there are more than two."""

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
    from morpholaw.store.study_folder import StudyFolder  # it brings pandas

LOSS_WORDS = {"hinge": "from the labels (hinge)", "mse": "from scheme 3 (MSE)"}
INPUT_WORDS = {"latents": "", "shapes": ", over shapes", "both": ", over latents and shapes"}


@dataclass(frozen=True)
class LawEntry:
    """A row of the table.

    Attributes
    ----------
    place : int
        Place of the law in the study's list; of more than two classes the number of the class.
    law : Law
        The formula.
    decision : Law
        What is 0 or more where the second of ``classes`` is predicted: the law, or its lead over all other classes'.
    classes : (str, str)
        The classes of f < 0 and of f >= 0.
    accuracy : float
        Share of held-out cells that are right; of more than two classes the share of the class's cells.
    class_name : str or None
        The class, where there are more than two.
    other : str
        The one class that it is told from; "" where it is told from all others.
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
        """Place of the set of laws: that of the law of two classes, the first of more."""
        return self.place if self.class_name is None else 0

    @property
    def told_apart(self) -> str | tuple[str, str] | None:
        """The class that is told from all others, or the two that are told apart; None of two classes."""
        return (self.class_name, self.other) if self.class_name and self.other else self.class_name

    def against(self, laws: ClassLaws, other: str) -> LawEntry:
        """Return the row as it is read against one other class: the law is the difference of the two."""
        assert self.class_name is not None
        law = laws.against(self.class_name, other)
        return replace(self, law=law, decision=law, classes=(other, self.class_name), other=other)


def law_entries(record: ClassifierRecord) -> list[LawEntry]:
    """Return the rows of a set of laws."""
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
    """Return the sets of laws of a study: name to what the panel calls it.

    Laws over shapes come first, which can be checked with a ruler, then those found by either loss.
    """
    if study is None:
        return {}
    found = {name_of(4, loss): words for loss, words in LOSS_WORDS.items()}
    trained = classifiers.names(study)
    over_shapes: dict[str, str] = {}
    others = {name: words for name, words in found.items() if name in trained}
    for name in [*others, *(name for name in trained if name not in found)]:
        try:
            record = classifiers.record(study, name)
        except MorpholawError:
            continue  # said when it is chosen
        if record.scheme == 4:
            classes = "" if record.two_classes else f", {len(record.classes)} classes"
            text = found.get(name, name) + INPUT_WORDS[record.inputs] + classes
            if record.inputs == "shapes":
                others.pop(name, None)
                over_shapes[name] = text
            else:
                others[name] = text
    return over_shapes | others
