"""``conditions.json``: where the classes of a study are conditions, which movie is which, and what that limits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from morpholaw.events import Message, Monitor
from morpholaw.store.record import Part, Record

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder

FILE = "conditions.json"
FEW = 3
"""Replicates of a condition up to which the intervals of an accuracy say little."""


class MovieCondition(Part):
    """What one movie is.

    Attributes
    ----------
    movie : str
        The name of its crop set.
    condition, replicate : str
        Of its cells.
    """

    movie: str
    condition: str
    replicate: str


class ConditionsRecord(Record):
    """The conditions that are the classes of a study.

    Attributes
    ----------
    movies : tuple of MovieCondition
        One per crop set.
    source : str
        The study that the cells are from.
    """

    WHAT: ClassVar[str] = "table of conditions"
    REMEDY: ClassVar[str] = "make the study of conditions again"

    movies: tuple[MovieCondition, ...] = Field(min_length=2)
    source: str = ""

    @property
    def replicates(self) -> dict[str, int]:
        """Replicates of each condition."""
        return dict(
            Counter(condition for condition, _ in {(one.condition, one.replicate) for one in self.movies})
        )

    def notes(self) -> list[str]:
        """Say what no classifier of this study can tell, one sentence each."""
        counts = self.replicates
        alone = sorted(name for name, count in counts.items() if count < 2)
        sentences = []
        if alone:
            names = " and ".join(alone)
            one = len(alone) == 1
            sentences.append(
                f"The condition{'' if one else 's'} {names} {'has' if one else 'have'} one replicate, so condition and "
                "movie are the same thing here: the accuracy says how well these movies are told apart, by whatever "
                "differs between them (staining, focus, illumination, density, day), and not what the treatment does. "
                "Film more replicates."
            )
        few = sorted(name for name, count in counts.items() if 1 < count <= FEW)
        if few:
            sentences.append(
                f"There are {min(counts[name] for name in few)} replicates of {' and '.join(few)}: only whole "
                "replicates are held out, so a single one decides much of the accuracy. Cross-validate, with as many "
                "folds as there are replicates."
            )
        return sentences


def condition_record(folder: StudyFolder) -> ConditionsRecord | None:
    """Return the conditions that are the classes of a study; None where its classes are others."""
    path = folder.path / FILE
    return ConditionsRecord.read(path) if path.exists() else None


def condition_notes(folder: StudyFolder) -> list[str]:
    """Say what limits every classifier of a study whose classes are conditions; nothing for other studies."""
    record = condition_record(folder)
    return [] if record is None else record.notes()


def tell_condition_notes(folder: StudyFolder, monitor: Monitor) -> None:
    """Warn about what limits every classifier of a study whose classes are conditions."""
    for sentence in condition_notes(folder):
        monitor.emit(Message(sentence, "warning"))
