"""The state of a step under way, from which the very same step goes on after a stop or a crash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from torch import Tensor

from morpholaw import __version__
from morpholaw.cells.files import plain
from morpholaw.errors import InputError, file_error
from morpholaw.models.bundle import load_bundle, remove_bundle, save_bundle


class Checkpoint:
    """A step's state in the study.

    It is found again only by the same work: other settings, labels, crops, another encoder or version of
    Morpholaw start afresh. So going on needs no question: the result is that of an uninterrupted run.

    Parameters
    ----------
    folder : path
        Where it goes, in a folder that exists.
    *work
        Plain values that name all that the result depends on.
    """

    def __init__(self, folder: Path, *work: Any) -> None:
        self.folder = folder
        text = json.dumps(plain([__version__, *work]), sort_keys=True)
        self.work = hashlib.sha256(text.encode()).hexdigest()

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and values that :meth:`write` kept of this work; None where there are none."""
        try:
            tensors, description = load_bundle(self.folder, "checkpoint")
        except InputError:  # absent or damaged: the step then starts afresh
            return None
        return (tensors, description) if description.get("work") == self.work else None

    def write(self, tensors: dict[str, Tensor], **values: Any) -> None:
        """Keep a state in place of the one before.

        Raises
        ------
        NoSpaceError
            When the disk is full; the state before is then untouched.
        InputError
            When it cannot be written for another reason.
        """
        try:
            self.folder.parent.mkdir(exist_ok=True)
            save_bundle(self.folder, tensors, {"kind": "checkpoint", "work": self.work, **values})
        except OSError as error:
            raise file_error(f"The checkpoint {self.folder} cannot be written", error) from None

    def remove(self) -> None:
        """Forget the state: the step is done."""
        remove_bundle(self.folder)
