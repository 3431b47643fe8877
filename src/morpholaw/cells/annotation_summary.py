"""A summary of the annotations for scripts: ``{"schema": 2, "classes": [...], "labels": {set: {crop: class}}}``.

The summary holds the last class of each crop and is rewritten after every change. The log
(:mod:`morpholaw.cells.annotation_log`) is authoritative. In layout 1, this file was the only one.
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
    """Contents of the summary.

    Attributes
    ----------
    classes : list of str
        Names of the classes.
    labels : dict
        Classes by (set, crop number); "" for none.
    problems : list of str
        What was ignored, one sentence per kind; an invalid entry affects only itself.
    digest : str
        SHA-256 of the file.
    layout : int
        1 if the file was the only one, 2 if it was written beside a log.
    """

    classes: list[str] = field(default_factory=list)
    labels: dict[tuple[str, int], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    digest: str = ""
    layout: int = SCHEMA

    def forget(self, set_names: Container[str]) -> None:
        """Remove the annotations of some sets."""
        self.labels = {key: label for key, label in self.labels.items() if key[0] not in set_names}


def write_annotation_summary(
    path: Path, classes: Iterable[str], labels: Mapping[tuple[str, int], str]
) -> None:
    """Write classes and labels atomically.

    Parameters
    ----------
    path : Path
        File to write.
    classes : iterable of str
        Names of the classes.
    labels : mapping
        Classes by (set, crop number); "" for none.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    sets: dict[str, dict[str, str]] = {}
    for (set_name, crop), label in labels.items():
        sets.setdefault(set_name, {})[str(crop)] = label
    values = {"schema": SCHEMA, "classes": list(classes), "labels": sets}
    write_bytes(path, json.dumps(values, ensure_ascii=False).encode())


def read_annotation_summary(path: Path) -> AnnotationSummary:
    """Read classes and labels.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    AnnotationSummary

    Raises
    ------
    InputError
        If the file cannot be opened, or is of a newer layout.
    ValueError
        If the file is damaged.
    """
    values: Any = read_json(path)
    if not isinstance(values, dict) or type(values.get("schema")) is not int:
        raise ValueError("it has no layout number")
    if values["schema"] > SCHEMA:
        raise NewerLayoutError(
            f"The annotations {path} were written by a newer version (layout {values['schema']}; this version reads up "
            f"to {SCHEMA}); update Morpholaw to open them."
        )
    classes, labels = values.get("classes"), values.get("labels")
    if not isinstance(classes, list) or not isinstance(labels, dict):
        raise ValueError("classes is not a list, or labels is not an object")
    content = AnnotationSummary(digest=fingerprint(path), layout=values["schema"])
    for name in classes:
        if isinstance(name, str) and is_text(name):
            content.classes.append(name)
        else:
            content.problems.append(
                f"{path} declares a class {name!a:.30}, which is not valid text; it is ignored."
            )
    for set_name, crops in labels.items():
        if not isinstance(crops, dict):
            raise ValueError("an entry of labels is not an object")
        if is_text(set_name):
            _take_set(content, set_name, crops, path)
    return content


class NewerLayoutError(InputError):
    """A file of a newer version, which is left unchanged."""


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
            f"{path} has {len(wrong)} invalid labels of {set_name!a:.50}, with no crop number or no class (the first "
            f"is {wrong[0]}); they are ignored."
        )
