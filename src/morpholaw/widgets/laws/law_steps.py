"""Buttons for the chosen law: apply it, improve it, measure how stable it is."""

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
    """A row of buttons that act on the chosen law.

    Parameters
    ----------
    current : CurrentStudy
        The study with the law.
    runner : JobRunner
        Runs the steps.
    error_line : ErrorLine
        Where errors are shown.
    """

    def __init__(self, current: CurrentStudy, runner: JobRunner, error_line: ErrorLine) -> None:
        super().__init__()
        self.current, self.runner, self.error_line = current, runner, error_line
        self.record: ClassifierRecord | None = None
        self.entry: LawEntry | None = None
        self.apply_button = QPushButton("Apply this law")
        self.apply_button.setToolTip(
            "Make this law the first one, which scheme 4 applies unless another one is chosen, and measure its "
            "accuracy."
        )
        self.improve_button = QPushButton("Improve")
        self.improve_button.setToolTip(
            "Continue the search from this law. A better law becomes the first one, or the new law of its class."
        )
        self.stable_button = QPushButton("Measure stability")
        self.stable_button.setToolTip(
            "Repeat the search on 20 resamples of the groups of cells, and count how often the same inputs, directions "
            "and form are found again."
        )
        self.apply_button.clicked.connect(self.apply)
        self.improve_button.clicked.connect(lambda: self._start("improve_law"))
        self.stable_button.clicked.connect(lambda: self._start("law_stability"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.apply_button, self.improve_button, self.stable_button):
            row.addWidget(button)
        row.addStretch(1)

    def show_law(self, record: ClassifierRecord, entry: LawEntry) -> None:
        """Let the buttons act on ``entry``, one of a set of laws."""
        self.record, self.entry = record, entry
        self.apply_button.setVisible(record.two_classes and len(record.laws) > 1)
        self.apply_button.setEnabled(entry.place > 0)

    def apply(self) -> None:
        """Make the law the first one, which scheme 4 applies."""
        entry, record = self.entry, self.record
        if entry is None or record is None:
            return
        with self.error_line.catch():
            study = self.current.required()
            study.apply_law(entry.place, name=record.name)
            show_info(f"Scheme 4 now applies law {entry.place + 1}, which becomes law 1.")
            self.current.announce("discover_law")

    def _start(self, step: str) -> None:
        """Start the step "improve_law" or "law_stability"."""
        entry, record = self.entry, self.record
        if entry is None or record is None:
            return
        with self.error_line.catch():
            study = self.current.required()
            law: dict[str, Any] = {"law": entry.place}
            if entry.class_name is not None:  # stability is measured for the laws of all classes together
                law = {"class_name": entry.class_name} if step == "improve_law" else {}
            self.runner.start(Job(step, str(study.path), {}, {**law, "name": record.name}))
