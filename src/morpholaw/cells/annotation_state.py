"""The present annotations of a study, read from the log (or from the summary if the log was lost) and kept up to date.

Reading is incremental: each call reads what other processes have added to the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from morpholaw.cells.annotation_log import AnnotationLog, Change, Item, new_change
from morpholaw.cells.annotation_summary import (
    AnnotationSummary,
    NewerLayoutError,
    read_annotation_summary,
    write_annotation_summary,
)
from morpholaw.cells.crop_set import CropSet
from morpholaw.errors import InputError, file_error

Key = tuple[str, int]
"""Crop set and crop number."""
Place = tuple[str, int, str]
"""Crop set, crop number, and the fingerprint of the crop's pixels."""
Step = dict[Place, "Annotation | None"]
"""Annotations to restore on undo; None where there was none."""
FindMarks = Callable[[Iterable[Key]], dict[Key, str]]
"""Returns the fingerprints of crops."""


class Annotation(NamedTuple):
    """The class that a person assigned to a crop.

    Attributes
    ----------
    label : str
        The class; "" for none.
    by, at : str
        Author and time (UTC, ISO 8601); "" if unknown.
    writer : str
        Session that made the annotation; only this session can undo it.
    """

    label: str
    by: str = ""
    at: str = ""
    writer: str = ""


class AnnotationState:
    """The annotations of a study as stored in its files.

    Parameters
    ----------
    path : Path
        Path of the log. Its summary has the same name with the suffix ``.json``.

    Attributes
    ----------
    classes : list of str
        Names of the classes in the order of their first use or declaration.
    known : dict
        Annotations by crop set, crop number and fingerprint.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._summary_path = path.with_suffix(".json")
        self._log = AnnotationLog(path)
        self._forget_all()

    def _forget_all(self) -> None:
        self.classes: list[str] = []
        self.known: dict[Place, Annotation] = {}
        self._marks_at: dict[Key, list[str]] = {}  # fingerprints annotated for each crop, the latest last
        self._found: dict[str, tuple[object, dict[int, str]]] = {}  # valid annotations by crop set
        self._changed: dict[str, set[int]] = {}  # crops whose annotations have changed since
        self._old: AnnotationSummary | None = None  # annotations that precede the log
        self._old_read = False
        self._old_problems: list[str] = []

    @property
    def problems(self) -> list[str]:
        """Problems while reading the files, one sentence each."""
        broken = self._log.broken
        lines = [f"{self.path} has {broken} unreadable line(s), which are ignored."] if broken else []
        return [*self._old_problems, *lines]

    def refresh(self) -> None:
        """Read changes by other windows and processes; takes microseconds if there are none."""
        try:
            if self._log.has_been_replaced():
                self._forget_all()
            if not self._old_read:
                self._read_old()
            self._read_log()
        except OSError as error:
            raise file_error(f"The annotations {self.path} cannot be read", error) from None
        if self._log.is_damaged:
            raise self._set_aside(self.path)

    def annotation(self, key: Key, mark: str) -> Annotation | None:
        """Return the annotation of a crop with a given fingerprint, or None."""
        for one in (mark, ""):
            if (known := self.known.get((*key, one))) is not None:
                return known
        label = None if self._old is None else self._old.labels.get(key)
        return None if label is None else Annotation(label)

    def of_set(self, crop_set: CropSet) -> dict[int, str]:
        """Return the annotated classes of a set by crop number; "" for crops without a class."""
        self.refresh()
        name, state = crop_set.name, (crop_set.folder, len(crop_set), crop_set.pixels_state())
        known = self._found.get(name)
        changed = self._changed.pop(name, set())
        if known is None or known[0] != state:
            valid = self._counting(crop_set, [crop for one, crop in self._marks_at if one == name])
        else:
            valid = {crop: label for crop, label in known[1].items() if crop not in changed}
            valid |= self._counting(crop_set, changed)
        self._found[name] = state, valid
        old = {} if self._old is None else self._old.labels
        below = {crop: label for (one, crop), label in old.items() if one == name and crop < len(crop_set)}
        return below | valid

    def _counting(self, crop_set: CropSet, crops: Iterable[int]) -> dict[int, str]:
        """Return the annotations of crops whose pixels are still those that were annotated."""
        crops = [crop for crop in crops if crop < len(crop_set)]
        marked = {crop for crop in crops if any(self._marks_at.get((crop_set.name, crop), ()))}
        marks, valid = crop_set.marks(marked), {}
        for crop in crops:
            last = self.last_mark((crop_set.name, crop))
            for mark in (last,) if last == "" else (marks.get(crop, ""), ""):
                known = self.known.get((crop_set.name, crop, mark))
                if known is not None:
                    valid[crop] = known.label
                    break
        return valid

    def last_mark(self, key: Key) -> str:
        """Return the fingerprint of the last annotated image of a crop; "" if there is none."""
        return self._marks_at[key][-1] if key in self._marks_at else ""

    def labels(self) -> dict[Key, str]:
        """Return the last annotation of each crop, whatever its pixels are now."""
        labels = {} if self._old is None else dict(self._old.labels)
        for key, marks in self._marks_at.items():
            if (known := self.known.get((*key, marks[-1]))) is not None:
                labels[key] = known.label
        return labels

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Read changes by others, then let the block append to the log, all or nothing."""
        try:
            with self._log.locked():
                self.refresh()
                yield
                self._write_summary()
        except OSError as error:
            raise InputError(
                f"The labels cannot be saved to {self.path} ({error.strerror or error}); the last change was not saved."
            ) from None

    def add(self, change: Change, find_marks: FindMarks) -> Step:
        """Append a change, preceded by the annotations of layout 1 if they are not in the log yet, and read it back."""
        if self._old is not None and self.takes_over:
            marks = find_marks(self._old.labels)
            items = tuple(Item(*key, label, marks[key]) for key, label in self._old.labels.items())
            taken = new_change("", items=items, classes=tuple(self._old.classes))
            self._log.append(taken, takes_over=self._old.digest)
        self._log.append(change)
        steps = self._read_log()
        if change.id not in steps:
            raise OSError("another program overwrote them")
        return steps[change.id]

    def _read_old(self) -> None:
        """Read a layout 1 file, or a summary without a log; annotations in the log override it."""
        self._old_read = True
        if not self._summary_path.exists():
            return
        try:
            summary = read_annotation_summary(self._summary_path)
        except NewerLayoutError:
            raise
        except ValueError:
            if self._log.exists:  # the log counts, and its summary will be rewritten
                return
            if not self._summary_path.is_file():
                raise InputError(f"The annotations {self._summary_path} are not a file.") from None
            raise self._set_aside(self._summary_path) from None
        if summary.layout > 1 and self._log.exists:
            return
        self._old = summary
        self._old_problems = summary.problems
        self._declare([*summary.classes, *summary.labels.values()])

    def _read_log(self) -> dict[str, Step]:
        """Apply the new changes of the log; return, for each change, the previous annotations of its crops."""
        steps = {change.id: self._take(change) for change in self._log.new_changes()}
        header = self._log.header
        if self._old is not None and header is not None and header.takes_over == self._old.digest:
            self._old = None  # now in the log, tied to the crops
        return steps

    @property
    def takes_over(self) -> bool:
        """Whether the next change will copy the annotations of layout 1 to the log."""
        return self._old is not None and self._log.is_empty

    def _set_aside(self, path: Path) -> InputError:
        """Rename a damaged file and return an error that says so."""
        aside, number = path.with_name(f"{path.name}.broken"), 2
        while aside.exists():
            aside, number = path.with_name(f"{path.name}.broken{number}"), number + 1
        path.rename(aside)
        return InputError(
            f"The annotations in {path} are damaged. They were renamed to {aside.name}; open the study again to start "
            "without them."
        )

    def _declare(self, names: Iterable[str]) -> None:
        known = set(self.classes)
        for name in names:
            if name and name not in known:
                known.add(name)
                self.classes.append(name)

    def _take(self, change: Change) -> Step:
        """Apply a change and return the previous annotations of its crops."""
        before: Step = {}
        self._declare([*change.classes, *(item.label or "" for item in change.items)])
        if change.sets:
            self.known = {place: known for place, known in self.known.items() if place[0] not in change.sets}
            self._marks_at = {
                key: marks for key, marks in self._marks_at.items() if key[0] not in change.sets
            }
            for name in change.sets:
                self._found.pop(name, None)
            if self._old is not None:
                self._old.forget(change.sets)
        for name, crop, label, mark, writer, by, at in change.items:
            place = (name, crop, mark)
            before[place] = self.known.get(place)
            self._changed.setdefault(name, set()).add(crop)
            if label is None:
                self.known.pop(place, None)
            else:
                self.known[place] = Annotation(
                    label, by or change.by, at or change.at, writer or change.session
                )
                marks = self._marks_at.setdefault((name, crop), [])
                if mark in marks:
                    marks.remove(mark)
                marks.append(mark)
        return before

    def _write_summary(self) -> None:
        """Write the summary of the log; if that fails, delete the outdated one."""
        try:
            write_annotation_summary(self._summary_path, self.classes, self.labels())
        except OSError:
            with suppress(OSError):
                self._summary_path.unlink(missing_ok=True)
