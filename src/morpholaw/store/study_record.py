"""``study.json``: the name and the classes of a study."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from morpholaw import __version__
from morpholaw.store.record import Record

DEFAULT_CLASSES = ("interphase", "metaphase")


class StudyRecord(Record):
    """Record of the creation of a study.

    Attributes
    ----------
    name : str
        Original name. The study is shown under the present name of its folder.
    classes : tuple of str
        Names of the initial classes.
    created : str
        Time in UTC, ISO 8601.
    version : str
        Version of Morpholaw that created it.
    """

    WHAT: ClassVar[str] = "study"

    name: str = ""
    classes: tuple[str, ...] = DEFAULT_CLASSES
    created: str = "unknown"
    version: str = "unknown"

    @classmethod
    def now(cls, name: str, classes: tuple[str, ...]) -> StudyRecord:
        """Return the record of a new study."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(name=name, classes=classes, created=created, version=__version__)
