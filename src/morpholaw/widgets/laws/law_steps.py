"""Buttons that go on from the chosen law: apply it, search on from it, measure how stable it is."""

from __future__ import annotations

from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from morpholaw.jobs import Job
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.laws.law_entries import LawEntry
from morpholaw.widgets.study.current_study import CurrentStudy


class LawSteps(QWidget):
    """A row of buttons.

    Parameters
    ----------
    current : CurrentStudy
        The study whose law it is.
    runner : JobRunner
        Runs the steps.
    error_line : ErrorLine
        Says what is wrong.
    """

    def __init__(self, current: CurrentStudy, runner: JobRunner, error_line: ErrorLine) -> None:
        super().__init__()
        self.current, self.runner, self.error_line = current, runner, error_line
        self.found: ClassifierRecord | None = None
        self.entry: LawEntry | None = None
        self.apply_button = QPushButton("Apply this law")
        self.apply_button.setToolTip(
            "Make this law the first, which scheme 4 applies wherever no other is chosen, and measure it."
        )
        self.improve_button = QPushButton("Improve")
        self.improve_button.setToolTip(
            "Search on from this law; a better one becomes the first, or the law of its class."
        )
        self.stable_button = QPushButton("Measure stability")
        self.stable_button.setToolTip(
            "Search anew on 20 resamples of the groups of cells: how often inputs, directions and form come back."
        )
        self.apply_button.clicked.connect(self.apply)
        self.improve_button.clicked.connect(lambda: self._start("improve_law"))
        self.stable_button.clicked.connect(lambda: self._start("law_stability"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.apply_button, self.improve_button, self.stable_button):
            row.addWidget(button)
        row.addStretch(1)

    def show_law(self, found: ClassifierRecord, entry: LawEntry) -> None:
        """Go on from a law of a set of laws."""
        self.found, self.entry = found, entry
        self.apply_button.setVisible(found.two_classes and len(found.laws) > 1)
        self.apply_button.setEnabled(entry.place > 0)

    def apply(self) -> None:
        """Make the law the first, which is applied."""
        entry, found = self.entry, self.found
        if entry is None or found is None:
            return
        with self.error_line.catch():
            study = self.current.required()
            study.apply_law(entry.place, name=found.name)
            show_info(f"Scheme 4 applies law {entry.place + 1} from now on; it is the first in the list.")
            self.current.announce("discover_law")

    def _start(self, step: str) -> None:
        """Start improve_law or law_stability."""
        entry, found = self.entry, self.found
        if entry is None or found is None:
            return
        with self.error_line.catch():
            study = self.current.required()
            law: dict[str, Any] = {"law": entry.place}
            if entry.class_name is not None:  # the laws of all classes are resampled together
                law = {"class_name": entry.class_name} if step == "improve_law" else {}
            self.runner.start(Job(step, str(study.path), {}, {**law, "name": found.name}))
