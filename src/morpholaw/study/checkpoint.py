"""Checkpoints, from which a step continues after a cancellation or a crash."""

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
    """State of an unfinished step.

    A checkpoint is only used by a step with the same settings, labels, crops, encoder and version of Morpholaw, so a
    resumed step gives the same result as an uninterrupted one.

    Parameters
    ----------
    folder : path
        Folder of the checkpoint, whose parent must exist.
    *work
        Plain values that identify everything that the result depends on.
    """

    def __init__(self, folder: Path, *work: Any) -> None:
        self.folder = folder
        text = json.dumps(plain([__version__, *work]), sort_keys=True)
        self.work = hashlib.sha256(text.encode()).hexdigest()

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and values that :meth:`write` stored for this work; None if there are none."""
        try:
            tensors, description = load_bundle(self.folder, "checkpoint")
        except InputError:  # absent or damaged: the step starts from the beginning
            return None
        return (tensors, description) if description.get("work") == self.work else None

    def write(self, tensors: dict[str, Tensor], **values: Any) -> None:
        """Store a state, which replaces the previous one.

        Raises
        ------
        NoSpaceError
            If the disk is full. The previous state is then kept.
        InputError
            If it cannot be written for another reason.
        """
        try:
            self.folder.parent.mkdir(exist_ok=True)
            save_bundle(self.folder, tensors, {"kind": "checkpoint", "work": self.work, **values})
        except OSError as error:
            raise file_error(f"The checkpoint {self.folder} cannot be written", error) from None

    def remove(self) -> None:
        """Remove the checkpoint once the step is complete."""
        remove_bundle(self.folder)
