"""The annotations as one JSON object, for scripts: ``{"schema": 2, "classes": [...], "labels": {set: {crop: class}}}``.

It holds the last class of each crop and is written anew at every change of the log
(:mod:`morpholaw.cells.annotation_log`), which is what counts. In layout 1 this file was all there was.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from morpholaw.cells.files import fingerprint, read_json, write_bytes
from morpholaw.errors import InputError
from morpholaw.escape import is_text

SCHEMA = 2


@dataclass
class AnnotationSummary:
    """The content of the file.

    Attributes
    ----------
    classes : list of str
    labels : dict
        (set, crop) to class, "" for none.
    problems : list of str
        What was left out, one sentence per kind: an entry that cannot be used costs that entry only.
    digest : str
        SHA-256 of the file.
    layout : int
        1 where the file was all there was, 2 where it was written beside a log.
    """

    classes: list[str] = field(default_factory=list)
    labels: dict[tuple[str, int], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    digest: str = ""
    layout: int = SCHEMA

    def forget(self, set_names: Container[str]) -> None:
        """Forget the annotations of some sets."""
        self.labels = {key: label for key, label in self.labels.items() if key[0] not in set_names}


def write_annotation_summary(
    path: Path, classes: Iterable[str], labels: Mapping[tuple[str, int], str]
) -> None:
    """Write classes and labels, atomically.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    sets: dict[str, dict[str, str]] = {}
    for (set_name, crop), label in labels.items():
        sets.setdefault(set_name, {})[str(crop)] = label
    values = {"schema": SCHEMA, "classes": list(classes), "labels": sets}
    write_bytes(path, json.dumps(values, ensure_ascii=False).encode())


def read_annotation_summary(path: Path) -> AnnotationSummary:
    """Read classes and labels.

    Raises
    ------
    InputError
        When the file cannot be opened, or is of a newer layout.
    ValueError
        When it is damaged.
    """
    values: Any = read_json(path)
    if not isinstance(values, dict) or type(values.get("schema")) is not int:
        raise ValueError("it states no layout")
    if values["schema"] > SCHEMA:
        raise NewerLayoutError(
            f"The annotations {path} were made by a newer version (layout {values['schema']}, this version reads up to "
            f"{SCHEMA}); update Morpholaw to open them."
        )
    classes, labels = values.get("classes"), values.get("labels")
    if not isinstance(classes, list) or not isinstance(labels, dict):
        raise ValueError("classes is no list, or labels no object")
    content = AnnotationSummary(digest=fingerprint(path), layout=values["schema"])
    for name in classes:
        if isinstance(name, str) and is_text(name):
            content.classes.append(name)
        else:
            content.problems.append(
                f"{path} declares a class {name!a:.30}, which is no text; it is left out."
            )
    for set_name, crops in labels.items():
        if not isinstance(crops, dict):
            raise ValueError("labels holds something that is no object")
        if is_text(set_name):
            _take_set(content, set_name, crops, path)
    return content


class NewerLayoutError(InputError):
    """A file of a later version, which is left alone."""


def _take_set(content: AnnotationSummary, set_name: str, crops: dict[str, Any], path: Path) -> None:
    wrong = []
    for crop, label in crops.items():
        is_number = crop.isascii() and crop.isdecimal() and len(crop) < 16
        if is_number and isinstance(label, str) and is_text(label):
            content.labels[set_name, int(crop)] = label
        else:
            wrong.append(f"{crop!a:.20}: {label!a:.30}")
    if wrong:
        content.problems.append(
            f"{path} has {len(wrong)} labels of {set_name!a:.50} that name no crop or no class (the first is "
            f"{wrong[0]}); they are left out."
        )
