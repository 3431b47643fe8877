"""``timeline/`` in a study: the most recent timeline of its tracked cells."""

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
"""Names of the tables of a timeline, and of their files."""
_TEXTS = (
    "movie", "class", "before", "after", "event", "previous", "source", "condition", "replicate", "quantity",
    "reference", "test", "unit",
)  # fmt: skip


class TimelineRecord(ResultRecord):
    """Record of a timeline.

    Attributes
    ----------
    classifier : str
        Name of the classifier.
    unit : {"min", "frames"}
        Unit of times.
    per_frame : dict of str to float
        Units per frame, by movie.
    classes, mitotic : tuple of str
        All classes, and those that are stages of mitosis.
    conditions : tuple of str
        Names of the conditions, beginning with the reference; empty without conditions.
    notes : tuple of str
        Sentences on what limits the results.
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
    """Save the tables of a timeline in a study, where they replace earlier ones.

    Parameters
    ----------
    folder : StudyFolder
        The study, which the caller has locked.
    timeline : TimelineTables
        The tables.
    classifier : str
        Name of the classifier.
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
    (place / "timeline.json").unlink(missing_ok=True)  # so that tables of two timelines are never combined
    for name in TABLES:
        write_table(place / f"{name}.csv", getattr(timeline, name))
    record.write(place / "timeline.json")
    return record


def exists(folder: StudyFolder) -> bool:
    """Return whether the study has a timeline."""
    return (folder.path / "timeline" / "timeline.json").is_file()


def record(folder: StudyFolder) -> TimelineRecord:
    """Read the record of the timeline; InputError if there is none or it is damaged."""
    if not exists(folder):
        raise InputError(f"The study {folder.path} has no timeline yet; make one in the Timeline panel.")
    return TimelineRecord.read(folder.path / "timeline" / "timeline.json")


def tables(folder: StudyFolder) -> TimelineTables:
    """Read the tables of the timeline of a study.

    Raises
    ------
    InputError
        If there is none, or a file is missing or damaged.
    """
    from morpholaw.evaluation.durations import Unit
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
        if path.stat().st_size < 2:  # an empty table without columns
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
