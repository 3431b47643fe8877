"""The part of the Laws panel that searches: engine, settings, progress, and the front as it grows."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import LawConfig
from morpholaw.events import Front
from morpholaw.jobs import Job
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.laws.engine_line import EngineLine
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy


class LawSearch(QWidget):
    """Starts the job "discover_law" and draws what it reports; ``runner`` is placed by the panel around it.

    Parameters
    ----------
    viewer : napari.Viewer
        Its theme is the figure's.
    current : CurrentStudy
        Whose study is searched.
    error_line : ErrorLine
        Where to complain.

    Notes
    -----
    ``started`` and ``found`` (the loss that was searched with) are emitted.
    """

    started = Signal()
    found = Signal(str)

    def __init__(
        self, viewer: Any, current: CurrentStudy, error_line: ErrorLine, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.current, self.error_line = current, error_line
        self.runner = JobRunner(current)
        self.engine = EngineLine(self.runner)
        self.form = ConfigForm(
            LawConfig,
            fields=("loss", "count"),
            advanced=[name for name in LawConfig.model_fields if name not in ("loss", "count", "engine")],
        )
        self.run_button = QPushButton("Search for laws")
        self.run_button.setToolTip("Symbolic regression of the boundary on the latents that scheme 3 kept.")
        self.front = FigurePanel(viewer)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.engine, self.form):
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.front)
        self.front.hide()
        self.laws_so_far: Front | None = None
        self._loss = "hinge"
        self._searching = False
        self.run_button.clicked.connect(self.run)
        self.runner.reported.connect(self._heard)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(self._failed)

    def job(self) -> Job:
        """The job that the settings describe; InputError where they or the study are wrong."""
        study = self.current.required()
        self.form.config()
        values = self.form.values()
        if self.engine.engine != "auto":
            values["engine"] = self.engine.engine
        return Job("discover_law", str(study.path), values)

    def run(self) -> None:
        """Start the search, or say why not."""
        with self.error_line.catch():
            job = self.job()
            self._loss = self.form.editors["loss"].currentData()
            self.laws_so_far, self._searching = None, True
            self.front.show()
            self.front.say("The front appears here as the search goes on.")
            self.run_button.setEnabled(False)
            self.runner.show()
            self.runner.start(job)
            self.started.emit()

    def show_study(self) -> None:
        """Forget the search before."""
        self.front.say("")
        self.front.hide()

    def _heard(self, event: Any) -> None:
        if self._searching and isinstance(event, Front):
            self.laws_so_far = event
            self.front.draw(lambda figsize, theme: _figure(event, figsize, theme))

    def _finished(self, _: dict[str, Any]) -> None:
        self.run_button.setEnabled(True)
        if self._searching:
            self._searching = False
            self.found.emit(self._loss)

    def _failed(self, _: str) -> None:
        self.run_button.setEnabled(True)
        self._searching = False
        if self.laws_so_far is None:
            self.show_study()


def _figure(found: Front, figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.laws import law_front

    complexity, loss = np.array(found.complexity), np.array(found.loss)
    return law_front(complexity, loss, measure="loss", theme=theme, figsize=figsize)
