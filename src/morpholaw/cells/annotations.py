"""Annotations: the classes that people assign to crops, saved at every change and undoable.

Several people and processes may label the same study. Each change is appended to a log
(:mod:`morpholaw.cells.annotation_log`), so that nobody overwrites the work of others, and the last change of a crop
counts. An annotation belongs to the pixels of a crop; if the crop is replaced by another image, it no longer applies.

A crop set keeps the labels with which it was imported; annotations override them. Assigning no class is an annotation
too and hides an imported label.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
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
"""Fingerprint for annotations whose crop set was deleted before fingerprints were stored; it matches no crop."""


class Annotations:
    """The annotations of a study: classes by crop set and crop number.

    Parameters
    ----------
    path : path
        The log (``.jsonl``), or its summary (``.json``) in the same folder, which holds the last class of each crop for
        scripts. If there is a summary and no log, as in layout 1, the first change copies its annotations to a new
        log.
    find_set : callable, optional
        Returns the crop set with a given name, or None. If given, annotations are tied to the pixels of crops;
        otherwise, only to their numbers.

    Attributes
    ----------
    path : Path
        Path of the log.
    classes : list of str
        Names of the classes in the order of their first use or declaration.
    problems : list of str
        Problems while reading the files, one sentence each.

    Raises
    ------
    InputError
        If the file was written by a newer version or is entirely damaged. A damaged file is renamed to
        ``<name>.broken``, and opening the annotations again starts without it.
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
        """Names of the classes in the order of their first use or declaration."""
        return self._state.classes

    @property
    def problems(self) -> list[str]:
        """Problems while reading the files, one sentence each."""
        return self._state.problems

    def refresh(self) -> None:
        """Read changes by other windows and processes; takes microseconds if there are none."""
        self._state.refresh()

    def __len__(self) -> int:
        """Return the number of crops with a class."""
        return sum(label != "" for label in self._state.labels().values())

    def get(self, set_name: str, crop: int) -> str | None:
        """Return the annotated class of a crop: "" for no class, None if the crop is not annotated.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.

        Returns
        -------
        str or None
        """
        known = self.annotation(set_name, crop)
        return None if known is None else known.label

    def annotation(self, set_name: str, crop: int) -> Annotation | None:
        """Return the annotation of a crop with its author and time, or None.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.

        Returns
        -------
        Annotation or None
        """
        key = set_name, int(crop)
        mark = self._state.last_mark(key) if self._find_set is None else self._marks([key])[key]
        return self._state.annotation(key, mark)

    def history(self, set_name: str, crop: int) -> list[Annotation]:
        """Return all annotations of a crop, the latest last; the label "" means no class.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.

        Returns
        -------
        list of Annotation
        """
        key = set_name, int(crop)
        marks = {self._marks([key])[key], ""}
        return [
            Annotation(
                item.label or "", item.by or change.by, item.at or change.at, item.writer or change.session
            )
            for change in AnnotationLog(self.path).new_changes()
            for item in change.items
            if (item.set, item.crop) == key and item.mark in marks
        ]

    def set_label(self, set_name: str, crop: int, label: str | None) -> None:
        """Assign a class, or no class, to a crop; a single step for :meth:`undo`.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        crop : int
            Number of the crop in its set.
        label : str or None
            The class; None for no class.
        """
        self.set_labels({(set_name, crop): label})

    def set_labels(self, labels: Mapping[Key, str | None]) -> None:
        """Assign classes to many crops in a single step for :meth:`undo`.

        Parameters
        ----------
        labels : mapping of (str, int) to str or None
            Classes by (set, crop number); None for no class.

        Raises
        ------
        InputError
            If a crop does not exist, a class is not valid text, or the file cannot be written. Nothing is changed then.
        """
        wanted = {(str(name), int(crop)): _class_name(label or "") for (name, crop), label in labels.items()}
        self._check_crops(wanted)
        marks = self._marks(wanted)
        self._take_step([Item(*key, label, marks[key]) for key, label in wanted.items()])

    def rename_classes(self, names: Mapping[str, str], *crop_sets: CropSet) -> int:
        """Give crops of classes the new names of these, in a single step, and keep who labelled them and when.

        Parameters
        ----------
        names : mapping of str to str
            New names of classes by old name.
        *crop_sets : CropSet
            Crop sets to change, including their imported labels.

        Returns
        -------
        int
            Number of crops whose label changed.
        """
        items = []
        for crop_set in crop_sets:
            labels = self.labels_for(crop_set)
            keys = [(crop_set.name, crop) for crop, label in enumerate(labels) if label in names]
            for key, mark in self._marks(keys).items():
                known = self._state.annotation(key, mark) or Annotation("")
                items.append(Item(*key, _class_name(names[labels[key[1]]]), mark, by=known.by, at=known.at))
        self._take_step(items)
        return len(items)

    def add_class(self, name: str) -> None:
        """Declare a class before any crop has it, for example to show its button.

        Parameters
        ----------
        name : str
            Name of the class.
        """
        name = _class_name(name)
        if not name:
            raise InputError("A class needs a name.")
        self.refresh()
        if name not in self.classes:
            self._write("declare", classes=[name])

    def undo(self) -> list[Key]:
        """Undo the last step of this window and return the crops that changed; empty if there is nothing to undo.

        A crop that somebody else has labelled since then keeps that label.
        """
        return self._step(self._undo, self._redo)

    def redo(self) -> list[Key]:
        """Redo the last undone step and return the crops that changed; empty if there is nothing to redo."""
        return self._step(self._redo, self._undo)

    def forget_steps(self) -> None:
        """Forget all steps, because the labels that they would restore no longer make sense."""
        self._undo, self._redo = [], []

    def labels_for(self, crop_set: CropSet) -> np.ndarray:
        """Return the class of every crop of a set: the annotation if there is one, else the imported label.

        Parameters
        ----------
        crop_set : CropSet
            The crop set.

        Returns
        -------
        ndarray
            str (n,); "" for no class.
        """
        labels: np.ndarray = crop_set.cells["label"].to_numpy(dtype=object, copy=True)
        known = self.of_set(crop_set)
        labels[np.fromiter(known.keys(), np.int64, len(known))] = np.array([*known.values(), ""], object)[:-1]
        return labels

    def of_set(self, crop_set: CropSet) -> dict[int, str]:
        """Return the annotated classes of a set by crop number; "" for no class.

        Parameters
        ----------
        crop_set : CropSet
            The crop set.

        Returns
        -------
        dict of int to str
        """
        return self._state.of_set(crop_set)

    def strays(self, crop_set: CropSet) -> int:
        """Return the number of unused annotations that belong to other images under this set's name.

        Parameters
        ----------
        crop_set : CropSet
            The crop set.

        Returns
        -------
        int
        """
        annotated = {crop for name, crop in self._state.labels() if name == crop_set.name}
        return len(annotated - self.of_set(crop_set).keys())

    def counts(self, *crop_sets: CropSet) -> dict[str, int]:
        """Return the number of crops per class, in the order of ``classes``.

        Parameters
        ----------
        *crop_sets : CropSet
            Sets to count, including their imported labels; without any, only annotations are counted.

        Returns
        -------
        dict of str to int
        """
        if crop_sets:
            counter = Counter(label for crop_set in crop_sets for label in self.labels_for(crop_set))
        else:
            counter = Counter(self._state.labels().values())
        names = [*self.classes, *sorted(set(counter) - set(self.classes) - {""})]
        return {name: counter[name] for name in names}

    def import_csv(self, path: str | os.PathLike[str], *crop_sets: CropSet) -> int:
        """Import classes from a table in a single step.

        Rows without a class are skipped. :func:`morpholaw.cells.label_tables.read_label_table` describes the tables
        that can be read.

        Parameters
        ----------
        path : path
            Path of the table.
        *crop_sets : CropSet
            Crop sets to label.

        Returns
        -------
        int
            Number of labelled crops.

        Raises
        ------
        InputError
            If columns are missing, a row refers to a crop that does not exist, or a key is ambiguous. Nothing is
            changed then.
        """
        labels: dict[Key, str | None] = {}
        for crop_set in crop_sets:
            labels |= _labels_of(
                open_label_table(path, crop_set.cells, crop_set.name, self.classes), crop_set.name
            )
        self.set_labels(labels)
        return len(labels)

    def add_table(self, table: LabelTable, set_name: str) -> int:
        """Apply a table of classes that was read before, in a single step; return the number of labelled crops.

        Parameters
        ----------
        table : LabelTable
            Classes of crops.
        set_name : str
            Name of the crop set.

        Returns
        -------
        int
        """
        labels = _labels_of(table, set_name)
        self.set_labels(labels)
        return len(labels)

    def replace_set(self, set_name: str, labels: Mapping[int, str]) -> None:
        """Replace all annotations of a set. Earlier steps can no longer be undone.

        Parameters
        ----------
        set_name : str
            Name of the crop set.
        labels : mapping of int to str
            Classes by crop number.
        """
        if not labels and not any(name == set_name for name, _ in self._state.labels()):
            return
        wanted = {(set_name, int(crop)): label for crop, label in labels.items()}
        marks = self._marks(wanted)
        self._write(
            "forget", [Item(*key, label, marks[key]) for key, label in wanted.items()], sets=[set_name]
        )
        self.forget_steps()

    def copy_set(self, set_name: str, new_name: str) -> None:
        """Copy the annotations of a set to a set of another name with the same images.

        Parameters
        ----------
        set_name, new_name : str
            Names of the crop sets.
        """
        self.tie_to_crops()
        places = [(place, known) for place, known in self._state.known.items() if place[0] == set_name]
        if places:
            items = [
                Item(new_name, crop, known.label, mark, by=known.by, at=known.at)
                for (_, crop, mark), known in places
            ]
            self._write("forget", items, sets=[new_name])
            self.forget_steps()

    def tie_to_crops(self) -> None:
        """Copy annotations of layout 1 to the log now, while their crop sets exist and have fingerprints."""
        self.refresh()
        if self._state.takes_over:
            self._write("label")

    def export_csv(self, path: str | os.PathLike[str], *crop_sets: CropSet) -> Path:
        """Write the labelled crops of sets to a CSV file.

        The columns are set, crop, file, track_id, t, y, x, the source's own ids, and label.

        Parameters
        ----------
        path : path
            File to write.
        *crop_sets : CropSet
            Crop sets to export.

        Returns
        -------
        Path
        """
        tables = []
        for crop_set in crop_sets:
            ids = [name for name in SOURCE_IDS if name in crop_set.cells]
            cells = crop_set.cells[["crop", "file", "track_id", "t", "y", "x", *ids]].copy()
            cells.insert(0, "set", crop_set.name)
            cells["label"] = self.labels_for(crop_set)
            tables.append(cells[cells["label"] != ""])
        if not tables:
            raise InputError("There is no crop set whose labels could be exported.")
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
                raise InputError(f"The study has no crop set {name!a}.")
            if last >= len(crop_set):
                raise InputError(f"There is no crop {last} in {name}, which has {len(crop_set)} crops.")

    def _marks(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Return the fingerprint of each crop: "" without crop sets, and `_ABSENT` for a crop that is missing."""
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
        """Append a change to the log; return its id and the previous annotations of its crops."""
        change = new_change(
            self._session, action=action, items=tuple(items), classes=tuple(classes), sets=tuple(sets)
        )
        with self._state.saving():
            return change.id, self._state.add(change, self._marks)

    def _take_step(self, items: Sequence[Item]) -> None:
        """Save annotations as a step that can be undone."""
        if items:
            self._undo = [*self._undo[1 - _HISTORY :], self._write("label", items)]
            self._redo = []

    def _step(self, source: list[tuple[str, Step]], target: list[tuple[str, Step]]) -> list[Key]:
        if not source:
            return []
        undoes, step = source[-1]
        with self._state.saving():
            items = tuple(
                Item(*place[:2], None, place[2])
                if known is None
                else Item(*place[:2], known.label, place[2], known.writer, known.by, known.at)
                for place, known in step.items()
                if self._is_own(place)
            )
            if items:
                change = new_change(self._session, items=items, undoes=undoes)
                target.append((change.id, self._state.add(change, self._marks)))
        source.pop()
        return [(item.set, item.crop) for item in items]

    def _is_own(self, place: Place) -> bool:
        """Whether the last annotation of a crop, or its removal by undo, is by this window."""
        known = self._state.known.get(place)
        return known is None or known.writer == self._session


def _labels_of(table: LabelTable, set_name: str) -> dict[Key, str | None]:
    """Return the classes in a table by set and crop number."""
    pairs = zip(table.crops.tolist(), table.classes, strict=True)
    return {(set_name, crop): str(label) for crop, label in pairs}


def _class_name(label: str) -> str:
    """Return a class name without surrounding white space; raise InputError if it cannot be saved."""
    name = str(label).strip()
    if not is_text(name):
        raise InputError(f"The class name {name!a} contains characters that cannot be saved; type it again.")
    return name
