"""Stored descriptions of the stability of laws."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.cells.files import read_json, write_json
from morpholaw.errors import InputError
from morpholaw.store.classifiers import place_of

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder  # loads pandas

MOST = 100
"""Maximum number of laws with a stored description."""


def keep_stability(folder: StudyFolder, name: str, law: str, sentence: str) -> None:
    """Store the description of the stability of a law of ``name``, under the text of the law."""
    stored = _read(folder, name)
    stored.pop(law, None)
    stored[law] = sentence
    write_json(_path(folder, name), dict(list(stored.items())[-MOST:]))


def stability_sentence(folder: StudyFolder, name: str, law: str) -> str:
    """Return the description of the stability of a law; "" if it was not measured."""
    return _read(folder, name).get(law, "")


def _path(folder: StudyFolder, name: str) -> Path:
    return place_of(folder, name) / "stability.json"


def _read(folder: StudyFolder, name: str) -> dict[str, str]:
    path = _path(folder, name)
    if not path.exists():
        return {}
    try:
        values = read_json(path)
    except InputError:  # the file is damaged, and the stability can be measured again
        return {}
    if not isinstance(values, dict):
        return {}
    return {law: text for law, text in values.items() if isinstance(text, str)}
