"""``conditions.json``: condition and replicate of each movie, for a study whose classes are conditions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from morpholaw.events import Monitor
from morpholaw.store.record import Part, Record

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder

FILE = "conditions.json"
FEW = 3
"""Number of replicates up to which confidence intervals of an accuracy are not reliable."""


class MovieCondition(Part):
    """Condition and replicate of a movie.

    Attributes
    ----------
    movie : str
        Name of its crop set.
    condition, replicate : str
        Condition and replicate of its cells.
    """

    movie: str
    condition: str
    replicate: str


class ConditionsRecord(Record):
    """Conditions that are the classes of a study.

    Attributes
    ----------
    movies : tuple of MovieCondition
        Condition and replicate of each crop set.
    source : str
        The study from which the cells were taken.
    """

    WHAT: ClassVar[str] = "table of conditions"
    REMEDY: ClassVar[str] = "make the study of conditions again"

    movies: tuple[MovieCondition, ...] = Field(min_length=2)
    source: str = ""

    @property
    def replicates(self) -> dict[str, int]:
        """Number of replicates of each condition."""
        return dict(
            Counter(condition for condition, _ in {(one.condition, one.replicate) for one in self.movies})
        )

    def notes(self) -> list[str]:
        """Return sentences on the limits of all classifiers of this study."""
        counts = self.replicates
        alone = sorted(name for name, count in counts.items() if count < 2)
        sentences = []
        if alone:
            names = " and ".join(alone)
            one = len(alone) == 1
            sentences.append(
                f"The condition{'' if one else 's'} {names} {'has' if one else 'have'} one replicate, so conditions "
                "cannot be separated from movies: the accuracy reflects any difference between these movies (staining, "
                "focus, illumination, density, day), and not only the treatment. Record more replicates."
            )
        few = sorted(name for name, count in counts.items() if 1 < count <= FEW)
        if few:
            sentences.append(
                f"There are only {min(counts[name] for name in few)} replicates of {' and '.join(few)}. As whole "
                "replicates are held out, a single one has a large effect on the accuracy. Cross-validate with as many "
                "folds as there are replicates."
            )
        return sentences


def condition_record(folder: StudyFolder) -> ConditionsRecord | None:
    """Return the conditions that are the classes of a study; None if its classes are not conditions."""
    path = folder.path / FILE
    return ConditionsRecord.read(path) if path.exists() else None


def condition_notes(folder: StudyFolder) -> list[str]:
    """Return sentences on the limits of classifiers of conditions; empty for other studies."""
    record = condition_record(folder)
    return [] if record is None else record.notes()


def tell_condition_notes(folder: StudyFolder, monitor: Monitor) -> None:
    """Emit warnings about the limits of classifiers of conditions."""
    for sentence in condition_notes(folder):
        monitor.warn(sentence)
