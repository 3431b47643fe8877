"""Annotations of layout 1: one JSON object, ``{"schema": 1, "classes": [...], "labels": {set: {crop: class}}}``."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from morpholaw.cells.files import fingerprint, read_json
from morpholaw.errors import InputError
from morpholaw.escape import is_text

_NEWEST = 1


@dataclass
class AnnotationsV1:
    """The content of a file of layout 1.

    Attributes
    ----------
    classes : list of str
    labels : dict
        (set, crop) to class, "" for none.
    problems : list of str
        What was left out, one sentence per kind: an entry that cannot be used costs that entry only.
    digest : str
        SHA-256 of the file.
    """

    classes: list[str] = field(default_factory=list)
    labels: dict[tuple[str, int], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    digest: str = ""

    def forget(self, set_names: Container[str]) -> None:
        """Forget the annotations of some sets."""
        self.labels = {key: label for key, label in self.labels.items() if key[0] not in set_names}


def read_annotations_v1(path: Path) -> AnnotationsV1:
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
    if values["schema"] > _NEWEST:
        raise NewerLayoutError(
            f"The annotations {path} were made by a newer version (layout {values['schema']}, this version reads up to "
            f"{_NEWEST}); update Morpholaw to open them."
        )
    classes, labels = values.get("classes"), values.get("labels")
    if not isinstance(classes, list) or not isinstance(labels, dict):
        raise ValueError("classes is no list, or labels no object")
    content = AnnotationsV1(digest=fingerprint(path))
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


def _take_set(content: AnnotationsV1, set_name: str, crops: dict[str, Any], path: Path) -> None:
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
