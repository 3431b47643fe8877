"""What a stopped search for laws leaves in a study, and what is said about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from morpholaw.cells.files import fingerprint
from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.models.features import FeatureTable
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.checkpoint import Checkpoint


def search_checkpoint(
    folder: StudyFolder, name: str, config: LawConfig, data: FeatureTable, fitted_to: np.ndarray
) -> tuple[Checkpoint, Any]:
    """Return the checkpoint of a search for laws, and the results that an earlier run completed; None if none.

    Laws are ``fitted_to`` classes, or to the outputs of a network.
    """
    checkpoint = Checkpoint(
        folder.path / "classifiers" / name / "checkpoint",
        config.model_dump(mode="json", exclude={"processes"}),
        list(data.names),
        fingerprint(data.values),
        fingerprint(fitted_to),
    )
    state = checkpoint.read()
    return checkpoint, state[1]["results"] if state else None


def end_search(checkpoint: Checkpoint, record: ClassifierRecord, laws: str, monitor: Monitor) -> None:
    """Remove the checkpoint of a complete search, or say that another search continues a stopped one."""
    if record.complete:
        checkpoint.remove()
        return
    monitor.tell(
        f"Stopped. The {laws} are stored as {record.name}; searching again with the same settings continues from "
        "here."
    )


def is_complete(folder: StudyFolder, name: str) -> bool:
    """Return whether the study has laws of a complete search under a name."""
    try:
        return name in classifiers.names(folder) and classifiers.record(folder, name).complete
    except InputError:  # it is damaged, so nothing is lost
        return False


def tell_stopped(folder: StudyFolder, name: str, monitor: Monitor) -> None:
    """Say that a stopped search changed nothing, and that another one continues it."""
    state = classifiers.after_stop(folder, name)
    monitor.tell(f"Stopped; {state}. Searching again with the same settings continues from here.")
