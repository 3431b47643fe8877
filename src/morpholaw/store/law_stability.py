"""What resampled groups of cells said about the laws of a study: one sentence per law, beside the laws."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.cells.files import read_json, write_json
from morpholaw.errors import InputError
from morpholaw.store.classifiers import place_of

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder  # it brings pandas

MOST = 100
"""Laws whose sentences are kept, at most."""


def keep_stability(folder: StudyFolder, name: str, law: str, sentence: str) -> None:
    """Keep the sentence about a law of the set ``name``, by the law's text."""
    kept = _read(folder, name)
    kept.pop(law, None)
    kept[law] = sentence
    write_json(_path(folder, name), dict(list(kept.items())[-MOST:]))


def stability_sentence(folder: StudyFolder, name: str, law: str) -> str:
    """Return the sentence about a law; "" where its stability was not measured."""
    return _read(folder, name).get(law, "")


def _path(folder: StudyFolder, name: str) -> Path:
    return place_of(folder, name) / "stability.json"


def _read(folder: StudyFolder, name: str) -> dict[str, str]:
    path = _path(folder, name)
    if not path.exists():
        return {}
    try:
        values = read_json(path)
    except InputError:  # it is damaged, and can be measured again
        return {}
    if not isinstance(values, dict):
        return {}
    return {law: text for law, text in values.items() if isinstance(text, str)}
