"""Which class a person gave to which crop: saved at every change, undone step by step, never overwritten.

Several people and processes may label one study. Each change is a line that is added to a log
(:mod:`morpholaw.cells.annotation_log`), so that nobody overwrites what others wrote; the last change of a crop counts.
An annotation belongs to a crop's pixels and not only to its place: another picture at the same place does not get it.

A crop set keeps the labels it was imported with; annotations lie over them. Giving a crop no class is an
annotation too: it hides an imported label.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import uuid4

import numpy as np
import pandas as pd

from morpholaw.cells.annotation_log import AnnotationLog, Change, Item, new_change
from morpholaw.cells.annotation_summary import (
    AnnotationSummary,
    NewerLayoutError,
    read_annotation_summary,
    write_annotation_summary,
)
from morpholaw.cells.cells_table import SOURCE_IDS
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import write_table
from morpholaw.cells.label_tables import LabelTable, read_label_table
from morpholaw.errors import InputError, file_error
from morpholaw.escape import is_text

Key = tuple[str, int]
FindSet = Callable[[str], CropSet | None]

_HISTORY = 1000
_ABSENT = "absent"
"""Mark of an annotation whose crop set was gone before fingerprints were kept; it matches no crop."""


class Annotation(NamedTuple):
    """The class that a person gave to a crop.

    Attributes
    ----------
    label : str
        The class; "" for none.
    by, at : str
        Who gave it and when (UTC, ISO 8601); "" where it is not known.
    writer : str
        The session that gave it: only this one may undo it.
    """

    label: str
    by: str = ""
    at: str = ""
    writer: str = ""


_Place = tuple[str, int, str]  # set, crop, mark
_Step = dict[_Place, Annotation | None]  # what to put back; None: not annotated


class Annotations:
    """The annotations of a study: crop set and crop to class.

    Parameters
    ----------
    path : path
        The log (``.jsonl``) or its summary (``.json``), which lies beside it and holds the last class of each crop for
        scripts. Where there is a summary and no log, as in files of layout 1, the summary's annotations are taken
        over into a log at the first change.
    find_set : callable, optional
        Returns the crop set of a name, None where there is none. With it an annotation is tied to the crop's pixels;
        without it, only to its place.

    Attributes
    ----------
    path : Path
        The log.
    classes : list of str
        Class names in the order in which they were first used or declared.
    problems : list of str
        What of the files could not be read, one sentence each.

    Raises
    ------
    InputError
        When the file was made by a newer version, or is damaged as a whole: then it is kept beside itself, as
        ``<name>.broken``, and opening once more starts afresh.
    """

    def __init__(self, path: str | os.PathLike[str], find_set: FindSet | None = None) -> None:
        self.path = Path(path).with_suffix(".jsonl")
        self._summary_path = self.path.with_suffix(".json")
        self._find_set = find_set
        self._session = uuid4().hex
        self._log = AnnotationLog(self.path)
        self._undo: list[tuple[str, _Step]] = []
        self._redo: list[tuple[str, _Step]] = []
        self._forget_all()
        self.refresh()

    def _forget_all(self) -> None:
        self.classes: list[str] = []
        self._known: dict[_Place, Annotation] = {}
        self._marks_at: dict[
            Key, list[str]
        ] = {}  # of the pictures that were annotated at a place, the latest last
        self._found: dict[str, tuple[object, dict[int, str]]] = {}  # annotations that count, by set
        self._changed: dict[str, set[int]] = {}  # crops whose annotations have changed since
        self._old: AnnotationSummary | None = None  # what lies under the log
        self._old_read = False
        self._old_problems: list[str] = []

    def __len__(self) -> int:
        """Return how many crops have a class."""
        return sum(label != "" for label in self._labels().values())

    @property
    def problems(self) -> list[str]:
        """What of the files could not be read, one sentence each."""
        broken = self._log.broken
        lines = (
            [f"{self.path} has {broken} line(s) that cannot be read; they are left out."] if broken else []
        )
        return [*self._old_problems, *lines]

    def refresh(self) -> None:
        """Take in what other windows and processes have saved; a few microseconds where there is nothing new."""
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

    def get(self, set_name: str, crop: int) -> str | None:
        """Return the class of a crop: "" where it has none, None where nobody has annotated it."""
        known = self.annotation(set_name, crop)
        return None if known is None else known.label

    def annotation(self, set_name: str, crop: int) -> Annotation | None:
        """Return the class of a crop with who gave it and when; None where nobody has annotated it."""
        key = set_name, int(crop)
        mark = self._last(key) if self._find_set is None else self._marks([key])[key]
        for one in (mark, ""):
            if (known := self._known.get((*key, one))) is not None:
                return known
        label = None if self._old is None else self._old.labels.get(key)
        return None if label is None else Annotation(label)

    def history(self, set_name: str, crop: int) -> list[Annotation]:
        """Return all classes that a crop was given, the latest last; "" stands for none."""
        key = set_name, int(crop)
        marks = {self._marks([key])[key], ""}
        return [
            Annotation(item.label or "", change.by, change.at, item.writer or change.session)
            for change in AnnotationLog(self.path).new_changes()
            for item in change.items
            if (item.set, item.crop) == key and item.mark in marks
        ]

    def set_label(self, set_name: str, crop: int, label: str | None) -> None:
        """Give one crop a class, or none; one step for :meth:`undo`."""
        self.set_labels({(set_name, crop): label})

    def set_labels(self, labels: Mapping[Key, str | None]) -> None:
        """Give many crops their classes in one step: {(set, crop): class or None}.

        Raises
        ------
        InputError
            For a crop that the set lacks, a class that is no text, or where the file cannot be written; nothing is
            changed then.
        """
        wanted = {(str(name), int(crop)): _class_name(label or "") for (name, crop), label in labels.items()}
        self._check_crops(wanted)
        if not wanted:
            return
        marks = self._marks(wanted)
        step = self._write("label", [Item(*key, label, marks[key]) for key, label in wanted.items()])
        self._undo = [*self._undo[1 - _HISTORY :], step]
        self._redo = []

    def add_class(self, name: str) -> None:
        """Declare a class before any crop has it, e.g. for a button."""
        name = _class_name(name)
        if not name:
            raise InputError("A class needs a name.")
        self.refresh()
        if name not in self.classes:
            self._write("declare", classes=[name])

    def undo(self) -> list[Key]:
        """Undo the last step of this window and return the crops it touched, none where there was no step.

        A crop that somebody else has labelled since keeps that label.
        """
        return self._step(self._undo, self._redo)

    def redo(self) -> list[Key]:
        """Redo the last undone step and return the crops it touched, none where there was none."""
        return self._step(self._redo, self._undo)

    def labels_for(self, crop_set: CropSet) -> np.ndarray:
        """Return the class of every crop, str (n,), "" for none: imported labels, overridden by annotations."""
        labels: np.ndarray = crop_set.cells["label"].to_numpy(dtype=object, copy=True)
        given = self.of_set(crop_set)
        labels[np.fromiter(given.keys(), np.int64, len(given))] = np.array([*given.values(), ""], object)[:-1]
        return labels

    def of_set(self, crop_set: CropSet) -> dict[int, str]:
        """Return the annotations of a set's crops: crop to class, "" where it was given none."""
        self.refresh()
        name, state = crop_set.name, (crop_set.folder, len(crop_set), crop_set.pixels_state())
        known = self._found.get(name)
        changed = self._changed.pop(name, set())
        if known is None or known[0] != state:
            found = self._counting(crop_set, [crop for one, crop in self._marks_at if one == name])
        else:
            found = {crop: label for crop, label in known[1].items() if crop not in changed}
            found |= self._counting(crop_set, changed)
        self._found[name] = state, found
        old = {} if self._old is None else self._old.labels
        below = {crop: label for (one, crop), label in old.items() if one == name and crop < len(crop_set)}
        return below | found

    def _counting(self, crop_set: CropSet, crops: Iterable[int]) -> dict[int, str]:
        """Return those annotations of some crops that belong to the pictures which are there now."""
        crops = [crop for crop in crops if crop < len(crop_set)]
        marked = {crop for crop in crops if any(self._marks_at.get((crop_set.name, crop), ()))}
        marks, found = crop_set.marks(marked), {}
        for crop in crops:
            last = self._last((crop_set.name, crop))
            for mark in (last,) if last == "" else (marks.get(crop, ""), ""):
                known = self._known.get((crop_set.name, crop, mark))
                if known is not None:
                    found[crop] = known.label
                    break
        return found

    def strays(self, crop_set: CropSet) -> int:
        """Count the annotations that were given to other pictures under this set's name; they are not used."""
        given = {crop for name, crop in self._labels() if name == crop_set.name}
        return len(given - self.of_set(crop_set).keys())

    def counts(self, *crop_sets: CropSet) -> dict[str, int]:
        """Count the crops of each class, in the order of ``classes``: of the annotations, or of whole sets."""
        if crop_sets:
            counter = Counter(label for crop_set in crop_sets for label in self.labels_for(crop_set))
        else:
            counter = Counter(self._labels().values())
        names = [*self.classes, *sorted(set(counter) - set(self.classes) - {""})]
        return {name: counter[name] for name in names}

    def import_csv(self, path: str | os.PathLike[str], crop_set: CropSet) -> int:
        """Take classes from a table into one step; returns how many crops it labelled.

        See :func:`morpholaw.cells.label_tables.read_label_table` for the tables that are understood. Rows without a
        class are passed over.

        Raises
        ------
        InputError
            When columns are missing, a row names a crop that the set lacks, or a key is ambiguous; nothing is changed
            then.
        """
        return self.add_table(read_label_table(path, crop_set.cells, crop_set.name), crop_set.name)

    def add_table(self, table: LabelTable, set_name: str) -> int:
        """Take classes that were read before, in one step; returns how many crops it labelled."""
        pairs = zip(table.crops.tolist(), table.classes, strict=True)
        labels: dict[Key, str | None] = {(set_name, crop): str(label) for crop, label in pairs}
        self.set_labels(labels)
        return len(labels)

    def replace_set(self, set_name: str, labels: Mapping[int, str]) -> None:
        """Replace all annotations of a set by others, crop to class; earlier steps cannot be undone any more."""
        if not labels and not any(name == set_name for name, _ in self._labels()):
            return
        wanted = {(set_name, int(crop)): label for crop, label in labels.items()}
        marks = self._marks(wanted)
        self._write(
            "forget", [Item(*key, label, marks[key]) for key, label in wanted.items()], sets=[set_name]
        )
        self._undo, self._redo = [], []

    def copy_set(self, set_name: str, new_name: str) -> None:
        """Give a set of another name the annotations of this one, which belong to the same pictures."""
        self.tie_to_crops()
        places = [(place, known) for place, known in self._known.items() if place[0] == set_name]
        if places:
            items = [Item(new_name, crop, known.label, mark) for (_, crop, mark), known in places]
            self._write("forget", items, sets=[new_name])
            self._undo, self._redo = [], []

    def tie_to_crops(self) -> None:
        """Take over a file of layout 1 now, while its crop sets are there to take fingerprints of."""
        self.refresh()
        if self._takes_over:
            self._write("label")

    def export_csv(self, path: str | os.PathLike[str], *crop_sets: CropSet) -> Path:
        """Write the labelled crops of the sets: set, crop, file, track_id, t, y, x, the source's own ids, label."""
        tables = []
        for crop_set in crop_sets:
            ids = [name for name in SOURCE_IDS if name in crop_set.cells]
            cells = crop_set.cells[["crop", "file", "track_id", "t", "y", "x", *ids]].copy()
            cells.insert(0, "set", crop_set.name)
            cells["label"] = self.labels_for(crop_set)
            tables.append(cells[cells["label"] != ""])
        if not tables:
            raise InputError("There is no crop set to export labels of.")
        return write_table(path, pd.concat(tables, ignore_index=True))

    def _last(self, key: Key) -> str:
        """Return the mark of the picture that was last annotated at a place; "" where none was."""
        return self._marks_at[key][-1] if key in self._marks_at else ""

    def _labels(self) -> dict[Key, str]:
        """Return the last annotation of each place, whatever picture is there now."""
        labels = {} if self._old is None else dict(self._old.labels)
        for place, known in self._known.items():
            if self._last(place[:2]) == place[2]:
                labels[place[:2]] = known.label
        return labels

    def _check_crops(self, keys: Iterable[Key]) -> None:
        for name, crop in keys:
            if crop < 0:
                raise InputError(f"There is no crop {crop} in {name}; crops are numbered from 0.")
        if self._find_set is None:
            return
        for name in {name for name, _ in keys}:
            crop_set, last = self._find_set(name), max(crop for one, crop in keys if one == name)
            if crop_set is None:
                raise InputError(f"The study has no crop set {name!a} to label crops of.")
            if last >= len(crop_set):
                raise InputError(f"There is no crop {last} in {name}, which has {len(crop_set)} crops.")

    def _marks(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Return the fingerprint of each crop; "" without crop sets, and a mark of nothing for a crop that is gone."""
        keys = list(keys)
        if self._find_set is None:
            return dict.fromkeys(keys, "")
        marks = dict.fromkeys(keys, _ABSENT)
        for name in {name for name, _ in keys}:
            crop_set = self._find_set(name)
            if crop_set is not None:
                crops = {crop for one, crop in keys if one == name and crop < len(crop_set)}
                marks |= {(name, crop): mark for crop, mark in crop_set.marks(crops).items()}
        return marks

    def _read_old(self) -> None:
        """Read a file of layout 1, or a summary that has lost its log; their annotations lie under all in the log."""
        self._old_read = True
        if not self._summary_path.exists():
            return
        try:
            summary = read_annotation_summary(self._summary_path)
        except NewerLayoutError:
            raise
        except ValueError:
            if self._log.exists:  # the log counts, and writes its summary anew
                return
            if not self._summary_path.is_file():
                raise InputError(f"The annotations {self._summary_path} are not a file.") from None
            raise self._set_aside(self._summary_path) from None
        if summary.layout > 1 and self._log.exists:
            return
        self._old = summary
        self._old_problems = summary.problems
        self._declare([*summary.classes, *summary.labels.values()])

    def _read_log(self) -> dict[str, _Step]:
        """Apply what was added to the log; returns for each change what its crops were given before."""
        steps = {change.id: self._take(change) for change in self._log.new_changes()}
        header = self._log.header
        if self._old is not None and header is not None and header.takes_over == self._old.digest:
            self._old = None  # it is in the log now, tied to the crops
        return steps

    @property
    def _takes_over(self) -> bool:
        """Whether the annotations of layout 1 go into the log with the next change."""
        return self._old is not None and self._log.is_empty

    def _set_aside(self, path: Path) -> InputError:
        """Move a damaged file out of the way and return the error that says so."""
        aside, number = path.with_name(f"{path.name}.broken"), 2
        while aside.exists():
            aside, number = path.with_name(f"{path.name}.broken{number}"), number + 1
        path.rename(aside)
        return InputError(
            f"The annotations in {path} are damaged; they were kept as {aside.name}, and opening "
            "the study again starts without them."
        )

    def _declare(self, names: Iterable[str]) -> None:
        known = set(self.classes)
        for name in names:
            if name and name not in known:
                known.add(name)
                self.classes.append(name)

    def _take(self, change: Change) -> _Step:
        """Apply a change and return what its crops were given before."""
        before: _Step = {}
        self._declare([*change.classes, *(item.label or "" for item in change.items)])
        if change.sets:
            self._known = {
                place: known for place, known in self._known.items() if place[0] not in change.sets
            }
            self._marks_at = {
                key: marks for key, marks in self._marks_at.items() if key[0] not in change.sets
            }
            for name in change.sets:
                self._found.pop(name, None)
            if self._old is not None:
                self._old.forget(change.sets)
        for name, crop, label, mark, writer in change.items:
            place = (name, crop, mark)
            before[place] = self._known.get(place)
            self._changed.setdefault(name, set()).add(crop)
            if label is None:
                self._known.pop(place, None)
            else:
                self._known[place] = Annotation(label, change.by, change.at, writer or change.session)
                marks = self._marks_at.setdefault((name, crop), [])
                if mark in marks:
                    marks.remove(mark)
                marks.append(mark)
        return before

    def _write(
        self,
        action: Literal["label", "declare", "forget"],
        items: Iterable[Item] = (),
        classes: Iterable[str] = (),
        sets: Iterable[str] = (),
    ) -> tuple[str, _Step]:
        """Add a change to the log; returns its id and what its crops were given before."""
        change = new_change(
            self._session, action=action, items=tuple(items), classes=tuple(classes), sets=tuple(sets)
        )
        with self._saving():
            return change.id, self._add(change)

    @contextmanager
    def _saving(self) -> Iterator[None]:
        """Take in what others saved, let the block add to the log, all or nothing."""
        try:
            with self._log.locked():
                self.refresh()
                yield
                self._write_summary()
        except OSError as error:
            raise InputError(
                f"The labels cannot be saved to {self.path} ({error.strerror or error}); the last change was not made."
            ) from None

    def _write_summary(self) -> None:
        """Write the summary of the log; where that fails there is none, rather than one that is out of date."""
        try:
            write_annotation_summary(self._summary_path, self.classes, self._labels())
        except OSError:
            with suppress(OSError):
                self._summary_path.unlink(missing_ok=True)

    def _add(self, change: Change) -> _Step:
        """Add a change, after the annotations of layout 1 where they are not in the log yet; read it back."""
        if self._old is not None and self._takes_over:
            marks = self._marks(self._old.labels)
            items = tuple(Item(*key, label, marks[key]) for key, label in self._old.labels.items())
            taken = new_change("", items=items, classes=tuple(self._old.classes))
            self._log.append(taken, takes_over=self._old.digest)
        self._log.append(change)
        steps = self._read_log()
        if change.id not in steps:
            raise OSError("another program wrote over them")
        return steps[change.id]

    def _step(self, source: list[tuple[str, _Step]], target: list[tuple[str, _Step]]) -> list[Key]:
        if not source:
            return []
        undoes, step = source[-1]
        with self._saving():
            items = tuple(
                Item(*place[:2], None, place[2])
                if known is None
                else Item(*place[:2], known.label, place[2], known.writer)
                for place, known in step.items()
                if self._is_own(place)
            )
            if items:
                change = new_change(self._session, items=items, undoes=undoes)
                target.append((change.id, self._add(change)))
        source.pop()
        return [(item.set, item.crop) for item in items]

    def _is_own(self, place: _Place) -> bool:
        """Whether this window was the last to annotate a crop, or its undo took the annotation away."""
        known = self._known.get(place)
        return known is None or known.writer == self._session


def _class_name(label: str) -> str:
    """Return the name of a class without white space around it; InputError where it cannot be saved."""
    name = str(label).strip()
    if not is_text(name):
        raise InputError(
            f"The class name {name!a} holds characters that are no text and cannot be saved; type it again."
        )
    return name
