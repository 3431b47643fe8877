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
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal
from uuid import uuid4

import numpy as np
import pandas as pd

from morpholaw.cells.annotation_log import AnnotationLog, Item, new_change
from morpholaw.cells.annotation_state import Annotation, AnnotationState, Key, Place, Step
from morpholaw.cells.cells_table import SOURCE_IDS
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import write_table
from morpholaw.cells.label_tables import LabelTable, open_label_table
from morpholaw.errors import InputError
from morpholaw.escape import is_text

FindSet = Callable[[str], CropSet | None]

_HISTORY = 1000
_ABSENT = "absent"
"""Mark of an annotation whose crop set was gone before fingerprints were kept; it matches no crop."""


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
        self._find_set = find_set
        self._session = uuid4().hex
        self._state = AnnotationState(self.path)
        self._undo: list[tuple[str, Step]] = []
        self._redo: list[tuple[str, Step]] = []
        self.refresh()

    @property
    def classes(self) -> list[str]:
        """Class names in the order in which they were first used or declared."""
        return self._state.classes

    @property
    def problems(self) -> list[str]:
        """What of the files could not be read, one sentence each."""
        return self._state.problems

    def refresh(self) -> None:
        """Take in what other windows and processes have saved; a few microseconds where there is nothing new."""
        self._state.refresh()

    def __len__(self) -> int:
        """Return how many crops have a class."""
        return sum(label != "" for label in self._state.labels().values())

    def get(self, set_name: str, crop: int) -> str | None:
        """Return the class of a crop: "" where it has none, None where nobody has annotated it.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.
        """
        known = self.annotation(set_name, crop)
        return None if known is None else known.label

    def annotation(self, set_name: str, crop: int) -> Annotation | None:
        """Return the class of a crop with who gave it and when; None where nobody has annotated it.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.
        """
        key = set_name, int(crop)
        mark = self._state.last_mark(key) if self._find_set is None else self._marks([key])[key]
        return self._state.annotation(key, mark)

    def history(self, set_name: str, crop: int) -> list[Annotation]:
        """Return all classes that a crop was given, the latest last; "" stands for none.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.
        """
        key = set_name, int(crop)
        marks = {self._marks([key])[key], ""}
        return [
            Annotation(item.label or "", change.by, change.at, item.writer or change.session)
            for change in AnnotationLog(self.path).new_changes()
            for item in change.items
            if (item.set, item.crop) == key and item.mark in marks
        ]

    def set_label(self, set_name: str, crop: int, label: str | None) -> None:
        """Give one crop a class, or none; one step for :meth:`undo`.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.
        label : str or None
            The class; None for none.
        """
        self.set_labels({(set_name, crop): label})

    def set_labels(self, labels: Mapping[Key, str | None]) -> None:
        """Give many crops their classes in one step: {(set, crop): class or None}.

        Parameters
        ----------
        labels : mapping of (str, int) to str or None
            Set and crop to class.

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
        """Declare a class before any crop has it, e.g. for a button.

        Parameters
        ----------
        name : str
            The class.
        """
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
        """Return the class of every crop, str (n,), "" for none: imported labels, overridden by annotations.

        Parameters
        ----------
        crop_set : CropSet
            The crop set.
        """
        labels: np.ndarray = crop_set.cells["label"].to_numpy(dtype=object, copy=True)
        known = self.of_set(crop_set)
        labels[np.fromiter(known.keys(), np.int64, len(known))] = np.array([*known.values(), ""], object)[:-1]
        return labels

    def of_set(self, crop_set: CropSet) -> dict[int, str]:
        """Return the annotations of a set's crops: crop to class, "" where it was given none.

        Parameters
        ----------
        crop_set : CropSet
            The crop set.
        """
        return self._state.of_set(crop_set)

    def strays(self, crop_set: CropSet) -> int:
        """Count the annotations that were given to other pictures under this set's name; they are not used.

        Parameters
        ----------
        crop_set : CropSet
            The crop set.
        """
        annotated = {crop for name, crop in self._state.labels() if name == crop_set.name}
        return len(annotated - self.of_set(crop_set).keys())

    def counts(self, *crop_sets: CropSet) -> dict[str, int]:
        """Count the crops of each class, in the order of ``classes``: of the annotations, or of whole sets.

        Parameters
        ----------
        *crop_sets : CropSet
            Sets whose imported labels count too; none for the annotations alone.
        """
        if crop_sets:
            counter = Counter(label for crop_set in crop_sets for label in self.labels_for(crop_set))
        else:
            counter = Counter(self._state.labels().values())
        names = [*self.classes, *sorted(set(counter) - set(self.classes) - {""})]
        return {name: counter[name] for name in names}

    def import_csv(self, path: str | os.PathLike[str], crop_set: CropSet) -> int:
        """Take classes from a table into one step; returns how many crops it labelled.

        See :func:`morpholaw.cells.label_tables.read_label_table` for the tables that are understood. Rows without a
        class are passed over.

        Parameters
        ----------
        path : path
            The table.
        crop_set : CropSet
            The crop set.

        Raises
        ------
        InputError
            When columns are missing, a row names a crop that the set lacks, or a key is ambiguous; nothing is changed
            then.
        """
        return self.add_table(
            open_label_table(path, crop_set.cells, crop_set.name, self.classes), crop_set.name
        )

    def add_table(self, table: LabelTable, set_name: str) -> int:
        """Take classes that were read before, in one step; returns how many crops it labelled.

        Parameters
        ----------
        table : LabelTable
            Classes of crops, as read from a table.
        set_name : str
            Name of the crop set.
        """
        pairs = zip(table.crops.tolist(), table.classes, strict=True)
        labels: dict[Key, str | None] = {(set_name, crop): str(label) for crop, label in pairs}
        self.set_labels(labels)
        return len(labels)

    def replace_set(self, set_name: str, labels: Mapping[int, str]) -> None:
        """Replace all annotations of a set by others, crop to class; earlier steps cannot be undone any more.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        labels : mapping of int to str
            Crop to class.
        """
        if not labels and not any(name == set_name for name, _ in self._state.labels()):
            return
        wanted = {(set_name, int(crop)): label for crop, label in labels.items()}
        marks = self._marks(wanted)
        self._write(
            "forget", [Item(*key, label, marks[key]) for key, label in wanted.items()], sets=[set_name]
        )
        self._undo, self._redo = [], []

    def copy_set(self, set_name: str, new_name: str) -> None:
        """Give a set of another name the annotations of this one, which belong to the same pictures.

        Parameters
        ----------
        set_name, new_name : str
            Names of the crop sets.
        """
        self.tie_to_crops()
        places = [(place, known) for place, known in self._state.known.items() if place[0] == set_name]
        if places:
            items = [Item(new_name, crop, known.label, mark) for (_, crop, mark), known in places]
            self._write("forget", items, sets=[new_name])
            self._undo, self._redo = [], []

    def tie_to_crops(self) -> None:
        """Take over a file of layout 1 now, while its crop sets are there to take fingerprints of."""
        self.refresh()
        if self._state.takes_over:
            self._write("label")

    def export_csv(self, path: str | os.PathLike[str], *crop_sets: CropSet) -> Path:
        """Write the labelled crops of the sets: set, crop, file, track_id, t, y, x, the source's own ids, label.

        Parameters
        ----------
        path : path
            The file, CSV.
        *crop_sets : CropSet
            The sets.
        """
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

    def _write(
        self,
        action: Literal["label", "declare", "forget"],
        items: Iterable[Item] = (),
        classes: Iterable[str] = (),
        sets: Iterable[str] = (),
    ) -> tuple[str, Step]:
        """Add a change to the log; returns its id and what its crops were given before."""
        change = new_change(
            self._session, action=action, items=tuple(items), classes=tuple(classes), sets=tuple(sets)
        )
        with self._state.saving():
            return change.id, self._state.add(change, self._marks)

    def _step(self, source: list[tuple[str, Step]], target: list[tuple[str, Step]]) -> list[Key]:
        if not source:
            return []
        undoes, step = source[-1]
        with self._state.saving():
            items = tuple(
                Item(*place[:2], None, place[2])
                if known is None
                else Item(*place[:2], known.label, place[2], known.writer)
                for place, known in step.items()
                if self._is_own(place)
            )
            if items:
                change = new_change(self._session, items=items, undoes=undoes)
                target.append((change.id, self._state.add(change, self._marks)))
        source.pop()
        return [(item.set, item.crop) for item in items]

    def _is_own(self, place: Place) -> bool:
        """Whether this window was the last to annotate a crop, or its undo took the annotation away."""
        known = self._state.known.get(place)
        return known is None or known.writer == self._session


def _class_name(label: str) -> str:
    """Return the name of a class without white space around it; InputError where it cannot be saved."""
    name = str(label).strip()
    if not is_text(name):
        raise InputError(
            f"The class name {name!a} holds characters that are no text and cannot be saved; type it again."
        )
    return name
