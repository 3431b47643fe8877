"""The laws of more than two classes of a study, by the loss that they were found with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from morpholaw.errors import InputError
from morpholaw.store.class_laws_record import ClassLawsRecord

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder


def place_of(folder: StudyFolder, loss: str) -> Path:
    """Return the file of the laws found with a loss."""
    return folder.path / "class_laws" / f"{loss}.json"


def record(folder: StudyFolder, loss: str) -> ClassLawsRecord:
    """Read the laws found with a loss; InputError where there are none or the file is damaged."""
    path = place_of(folder, loss)
    if not path.exists():
        raise InputError(f"The study {folder.path} has no laws of classes found with the loss {loss!r}.")
    return ClassLawsRecord.read(path)
