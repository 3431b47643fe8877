"""The timeline as the panel shows it. It is read, and matplotlib imported, in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from morpholaw.store import timelines
from morpholaw.store.classifiers import readable_records

if TYPE_CHECKING:
    from morpholaw.evaluation.timeline_tables import TimelineTables
    from morpholaw.store.study_folder import StudyFolder


@dataclass(frozen=True)
class ShownTimeline:
    """The timeline of a study and the figures that the panel can draw.

    Attributes
    ----------
    tables : TimelineTables
        The tables.
    timed : list of str
        Classes with enough complete phases to plot their durations.
    over_time : str
        The class whose share is plotted over time, or the mitotic index.
    classifier : str
        The classifier that predicted the classes, as panels list it.
    """

    tables: TimelineTables
    timed: list[str]
    over_time: str
    classifier: str

    @property
    def summary(self) -> str:
        """What the timeline contains, which conditions it compares, and what limits it."""
        reference, *others = self.tables.condition_names or ("",)
        compared = f" Compared with {reference}: {', '.join(others)}." if others else ""
        return "\n".join(
            (f"{self.tables}, in classes predicted by {self.classifier}.{compared}", *self.tables.notes)
        )


def read_timeline(study: StudyFolder) -> ShownTimeline:
    """Read the timeline of a study; call it in a thread, because importing the figures takes a second.

    Raises
    ------
    InputError
        If there is no timeline, or a file is missing or damaged.
    """
    from morpholaw.figures.timeline_tables import main_class, timed_classes

    tables = timelines.tables(study)
    name = timelines.record(study).classifier
    labels = {record.name: record.label for record in readable_records(study, lambda _: None)}
    return ShownTimeline(tables, timed_classes(tables), main_class(tables), labels.get(name, name))
