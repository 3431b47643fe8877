"""Which class a person gave to which crop: saved at every change, undone step by step, never overwritten.

Several processes may label one study: each takes in what the others saved before it makes a change.

A crop set keeps the labels it was imported with; annotations lie over them. Giving a crop no class is an
annotation too: it hides an imported label.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from morpholaw.cells.cells_table import SOURCE_IDS
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import read_json, write_json, write_table
from morpholaw.cells.label_tables import LabelTable, read_label_table
from morpholaw.errors import InputError

SCHEMA = 1

Key = tuple[str, int]
_Change = dict[Key, str | None]  # what to put back: a class, "" for no class, None for not annotated

_HISTORY = 1000


class Annotations:
    """The annotations of a study: crop set and crop to class.

    Parameters
    ----------
    path : path
        The JSON file; read where it exists, and replaced atomically at every change.

    Attributes
    ----------
    classes : list of str
        Class names in the order in which they were first used or declared.

    Raises
    ------
    InputError
        When the file was made by a newer version, or is damaged: then it is kept beside itself, as
        ``<name>.broken``, and opening once more starts afresh.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.classes: list[str] = []
        self._labels: dict[Key, str] = {}
        self._undo: list[_Change] = []
        self._redo: list[_Change] = []
        self._seen: tuple[int, ...] = ()  # which state of the file this is
        if self.path.exists():
            self._load()

    def __len__(self) -> int:
        """Return how many crops have a class."""
        return sum(label != "" for label in self._labels.values())

    def get(self, set_name: str, crop: int) -> str | None:
        """Return the class of a crop: "" where it has none, None where nobody has annotated it."""
        return self._labels.get((set_name, int(crop)))

    def set_label(self, set_name: str, crop: int, label: str | None) -> None:
        """Give one crop a class, or none; one step for :meth:`undo`."""
        self.set_labels({(set_name, crop): label})

    def set_labels(self, labels: Mapping[Key, str | None]) -> None:
        """Give many crops their classes in one step: {(set, crop): class or None}.

        Raises
        ------
        InputError
            For a crop number that is negative, or where the file cannot be written; nothing is changed then.
        """
        change: _Change = {}
        for (set_name, crop), label in labels.items():
            if int(crop) < 0:
                raise InputError(f"There is no crop {crop} in {set_name}; crops are numbered from 0.")
            change[str(set_name), int(crop)] = "" if label is None else str(label).strip()
        if not change:
            return
        with self._changing():
            for label in change.values():
                self._declare(label or "")
            back = self._apply(change)
        self._undo = [*self._undo[1 - _HISTORY :], back]
        self._redo = []

    def add_class(self, name: str) -> None:
        """Declare a class before any crop has it, e.g. for a button."""
        if not name.strip():
            raise InputError("A class needs a name.")
        with self._changing():
            self._declare(name.strip())

    def undo(self) -> list[Key]:
        """Undo the last step and return the crops it touched, none where there was no step."""
        return self._step(self._undo, self._redo)

    def redo(self) -> list[Key]:
        """Redo the last undone step and return the crops it touched, none where there was none."""
        return self._step(self._redo, self._undo)

    def labels_for(self, crop_set: CropSet) -> np.ndarray:
        """Return the class of every crop, str (n,), "" for none: imported labels, overridden by annotations."""
        labels: np.ndarray = crop_set.cells["label"].to_numpy(dtype=object, copy=True)
        for (set_name, crop), label in self._labels.items():
            if set_name == crop_set.name and crop < len(labels):
                labels[crop] = label
        return labels

    def counts(self, *crop_sets: CropSet) -> dict[str, int]:
        """Count the crops of each class, in the order of ``classes``: of the annotations, or of whole sets."""
        if crop_sets:
            counter = Counter(label for crop_set in crop_sets for label in self.labels_for(crop_set))
        else:
            counter = Counter(self._labels.values())
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

    def of_set(self, set_name: str) -> dict[int, str]:
        """Return the annotations of a set: crop to class, "" where it was given none."""
        return {crop: label for (name, crop), label in self._labels.items() if name == set_name}

    def replace_set(self, set_name: str, labels: Mapping[int, str]) -> None:
        """Replace all annotations of a set by others, crop to class; earlier steps cannot be undone any more."""
        if not labels and not self.of_set(set_name):
            return
        with self._changing():
            kept = {key: label for key, label in self._labels.items() if key[0] != set_name}
            for label in labels.values():
                self._declare(label)
            self._labels = kept | {(set_name, int(crop)): label for crop, label in labels.items()}
        self._undo, self._redo = [], []

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

    def _declare(self, name: str) -> None:
        if name and name not in self.classes:
            self.classes.append(name)

    def _apply(self, change: _Change) -> _Change:
        """Make a change and return the one that takes it back."""
        back = {key: self._labels.get(key) for key in change}
        for key, label in change.items():
            if label is None:
                self._labels.pop(key, None)
            else:
                self._labels[key] = label
        return back

    def _step(self, source: list[_Change], target: list[_Change]) -> list[Key]:
        if not source:
            return []
        with self._changing():
            back = self._apply(source[-1])
        target.append(back)
        return list(source.pop())

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Take in what other processes saved, let the block make its change, and save it, all or nothing."""
        before = list(self.classes), dict(self._labels)
        try:
            if not self.path.parent.is_dir():
                raise FileNotFoundError("its folder is gone, moved or deleted")
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=5):
                if self.path.is_file() and _stamp(self.path) != self._seen:
                    self._load()
                yield
                self._save()
        except (OSError, Timeout) as error:
            self.classes, self._labels = before
            why = "another process is saving them" if isinstance(error, Timeout) else error.strerror or error
            raise InputError(
                f"The labels cannot be saved to {self.path} ({why}); the last change was not made."
            ) from None

    def _save(self) -> None:
        labels: dict[str, dict[str, str]] = {}
        for (set_name, crop), label in sorted(self._labels.items()):
            labels.setdefault(set_name, {})[str(crop)] = label
        write_json(self.path, {"schema": SCHEMA, "classes": self.classes, "labels": labels})
        self._seen = _stamp(self.path)

    def _load(self) -> None:
        try:
            values = read_json(self.path)
            schema, classes, labels = _parsed(values)
        except (InputError, KeyError, TypeError, ValueError, AttributeError):
            if not self.path.is_file():
                raise InputError(f"The annotations {self.path} are not a file.") from None
            aside = self._set_aside()
            raise InputError(
                f"The annotations in {self.path} are damaged; they were kept as {aside.name}, and opening "
                "the study again starts without them."
            ) from None
        if schema > SCHEMA:
            raise InputError(
                f"The annotations {self.path} were made by a newer version (layout {schema}, this version "
                f"reads up to {SCHEMA}); update Morpholaw to open them."
            )
        self.classes, self._labels = classes, labels
        self._seen = _stamp(self.path)

    def _set_aside(self) -> Path:
        aside = self.path.with_name(f"{self.path.name}.broken")
        number = 2
        while aside.exists():
            aside = self.path.with_name(f"{self.path.name}.broken{number}")
            number += 1
        return self.path.rename(aside)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what tells one state of a file from the next; a rename over it gives it another inode."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _parsed(values: Any) -> tuple[int, list[str], dict[Key, str]]:
    schema = int(values["schema"])
    if schema > SCHEMA:
        return schema, [], {}
    classes = [str(name) for name in values["classes"]]
    labels = {
        (str(set_name), int(crop)): str(label)
        for set_name, crops in values["labels"].items()
        for crop, label in crops.items()
    }
    return schema, classes, labels
