"""``timeline/`` in a study: what its tracked cells did, the last time that this was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from morpholaw.cells.files import write_table
from morpholaw.errors import InputError, reason
from morpholaw.escape import from_csv_text
from morpholaw.store.provenance import Provenance, ResultRecord

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.evaluation.timeline_tables import TimelineTables
    from morpholaw.store.study_folder import StudyFolder

# pandas is imported when tables are read, so that panels open without it.

TABLES = ("phases", "events", "shares", "condition_shares", "durations", "comparisons")
"""Tables of a timeline, by the names of their files."""
_TEXTS = (
    "movie", "class", "before", "after", "event", "previous", "source", "condition", "replicate", "quantity",
    "reference", "test", "unit",
)  # fmt: skip


class TimelineRecord(ResultRecord):
    """What stands beside the tables of a timeline.

    Attributes
    ----------
    classifier : str
        The classifier that the classes are of.
    unit : {"min", "frames"}
        Unit of times.
    per_frame : dict of str to float
        Units from one frame of a movie to the next.
    classes, mitotic : tuple of str
        All classes, and those that are stages of mitosis.
    conditions : tuple of str
        The conditions, the one that others are compared with first; none without a table of conditions.
    notes : tuple of str
        What limits the results, a sentence each.
    """

    WHAT: ClassVar[str] = "timeline"
    REMEDY: ClassVar[str] = "make the timeline again"

    classifier: str
    unit: str
    per_frame: dict[str, float] = Field(min_length=1)
    classes: tuple[str, ...]
    mitotic: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def save(folder: StudyFolder, timeline: TimelineTables, classifier: str, data: str) -> TimelineRecord:
    """Keep the tables of a timeline in a study in place of those that it has.

    Parameters
    ----------
    folder : StudyFolder
        The study; its lock is held by the caller.
    timeline : TimelineTables
        The tables.
    classifier : str
        The name of the classifier.
    data : str
        Fingerprint of the study's crops.
    """
    record = TimelineRecord(
        classifier=classifier,
        unit=timeline.unit.name,
        per_frame=timeline.unit.per_frame,
        classes=timeline.classes,
        mitotic=timeline.mitotic,
        conditions=timeline.condition_names,
        notes=timeline.notes,
        provenance=Provenance.now(data),
    )
    place = folder.path / "timeline"
    place.mkdir(exist_ok=True)
    (place / "timeline.json").unlink(missing_ok=True)  # tables of two timelines are never taken for one
    for name in TABLES:
        write_table(place / f"{name}.csv", getattr(timeline, name))
    record.write(place / "timeline.json")
    return record


def exists(folder: StudyFolder) -> bool:
    """Whether the study has a timeline."""
    return (folder.path / "timeline" / "timeline.json").is_file()


def record(folder: StudyFolder) -> TimelineRecord:
    """Read what stands beside the tables; InputError where there is none or it is damaged."""
    if not exists(folder):
        raise InputError(f"The study {folder.path} has no timeline yet; make one in the Timeline panel.")
    return TimelineRecord.read(folder.path / "timeline" / "timeline.json")


def tables(folder: StudyFolder) -> TimelineTables:
    """Read the timeline of a study.

    Raises
    ------
    InputError
        When there is none, or a file is missing or damaged.
    """
    from morpholaw.evaluation.comparisons import Unit
    from morpholaw.evaluation.timeline_tables import TimelineTables

    found = record(folder)
    read = {name: _read(folder, name) for name in TABLES}
    return TimelineTables(
        **read,
        classes=found.classes,
        mitotic=found.mitotic,
        unit=Unit(found.unit, found.per_frame),
        condition_names=found.conditions,
        notes=found.notes,
    )


def _read(folder: StudyFolder, name: str) -> pd.DataFrame:
    import pandas as pd

    path = folder.path / "timeline" / f"{name}.csv"
    try:
        if path.stat().st_size < 2:  # no row and no column
            return pd.DataFrame()
        columns = pd.read_csv(path, nrows=0).columns
        missing = {column: [""] for column in columns if column not in _TEXTS}
        texts = {column: str for column in columns if column in _TEXTS}
        table = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=missing)
    except (OSError, ValueError) as error:
        raise InputError(
            f"The table {path} cannot be read ({reason(error)}); make the timeline again."
        ) from None
    for column in texts:
        table[column] = table[column].map(from_csv_text)
    return table
