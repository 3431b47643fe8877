"""The Search section: the engine, the settings, and the Pareto front as it grows."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.config import LawConfig
from morpholaw.errors import InputError, MorpholawError
from morpholaw.events import Front
from morpholaw.jobs import Job
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import name_of
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.forms.confirm import confirmed
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy

ENGINES = {
    "auto": "best available",
    "pysr": "PySR, as in the paper",
    "embedded": "built-in, needs no set-up",
}
"""Search engines and their names in the panel."""
SHOWN = ("inputs", "loss", "count")
"""Settings that are always shown."""


class EngineLine(QWidget):
    """A choice of the search engine, with the reason for it.

    Parameters
    ----------
    runner : JobRunner
        Runs the set-up of PySR.
    """

    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self.runner = runner
        self._setting_up = False
        self.choice = narrow_combo("engine")
        self.choice.setToolTip("Choose the program that searches for expressions.")
        for name, title in ENGINES.items():
            self.choice.addItem(title, name)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.set_up_button = QPushButton("Set up PySR...")
        self.set_up_button.setToolTip("Download Julia and the packages that PySR needs, after you confirm.")
        self.set_up_button.hide()
        row = QHBoxLayout()
        row.addWidget(QLabel("Engine"))
        row.addWidget(self.choice, 1)
        row.addWidget(self.set_up_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.reason)
        self.call = LatestCall(self)
        self.call.returned.connect(self._show_state)
        self.choice.currentIndexChanged.connect(self.look)
        self.set_up_button.clicked.connect(self.set_up)
        runner.finished.connect(self._set_up_ended)
        runner.failed.connect(self._set_up_ended)

    @property
    def engine(self) -> str:
        """Name of the chosen engine: "auto", "pysr" or "embedded"."""
        return str(self.choice.currentData())

    def look(self, *_: Any) -> None:
        """Show which engine would search and why; this downloads and starts nothing."""
        self.call.start(_engine_state, self.engine)

    def _show_state(self, state: tuple[str, bool]) -> None:
        reason, can_set_up = state
        self.reason.setText(reason)
        self.set_up_button.setVisible(can_set_up)

    def set_up(self) -> None:
        """Let PySR download Julia in a separate process, after the user confirms."""
        from morpholaw.training.symbolic.pysr_engine import PySREngine

        question = (
            "PySR needs Julia and some Julia packages: a download of several hundred megabytes that takes a few "
            "minutes. The built-in engine does not need them. Download them now?"
        )
        if confirmed(self, "Set up PySR", question):
            self._setting_up = True
            self.runner.run("set up PySR", PySREngine().set_up)

    def showEvent(self, event: Any) -> None:
        """Check the engines when the panel is first shown."""
        super().showEvent(event)
        if not self.reason.text():
            self.look()

    def _set_up_ended(self, *_: Any) -> None:
        if self._setting_up:
            self._setting_up = False
            self.look()


def _engine_state(engine: str) -> tuple[str, bool]:
    """Return why an engine would search, and whether PySR can be set up for it. Imports of engines take a while."""
    from morpholaw.training.symbolic.choice import choose_engine
    from morpholaw.training.symbolic.pysr_engine import PySREngine

    try:
        reason = choose_engine(engine)[1]
    except MorpholawError as error:
        reason = str(error)
    state = PySREngine().availability()
    return reason, state.can_set_up and not state.ready and engine != "embedded"


class LawSearch(QWidget):
    """Form that starts a search for laws and draws its Pareto front; the panel around it shows ``runner``.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study.
    error_line : ErrorLine
        Where errors are shown.

    Notes
    -----
    ``searched`` is emitted after a search, with its loss.
    """

    searched = Signal(str)

    def __init__(self, viewer: Any, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__()
        self.current, self.error_line = current, error_line
        self.runner = JobRunner(current, "laws")
        self.engine = EngineLine(self.runner)
        self.form = ConfigForm(
            LawConfig,
            fields=SHOWN,
            advanced=[name for name in LawConfig.model_fields if name not in (*SHOWN, "engine")],
        )
        self.run_button = QPushButton("Search for laws")
        self.run_button.setToolTip(
            "Search for short expressions of the chosen inputs: the latents that scheme 3 reads, measured shapes, or "
            "both."
        )
        self.front = FigurePanel(viewer)
        self.best = QLabel()
        self.best.setWordWrap(True)
        self.best.setToolTip(
            "The best law found so far: the smallest sum of loss and penalty for complexity."
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.engine, self.form):
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.best)
        layout.addWidget(self.front)
        self.best.hide()
        self.front.hide()
        self.laws_so_far: Front | None = None
        self._loss = "hinge"
        self._searching = False
        self.run_button.clicked.connect(self.run)
        self.runner.reported.connect(self._show_progress)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(self._failed)

    def job(self) -> Job:
        """Return the job for the current settings; raise InputError if the settings or the study cannot be used."""
        study = self.current.required()
        self.form.config()
        values = self.form.values()
        if self.engine.engine != "auto":
            values["engine"] = self.engine.engine
        return Job("discover_law", str(study.path), values, {"replace": True})  # run() asks the user first

    def run(self) -> None:
        """Start the search; ask before replacing laws."""
        with self.error_line.catch():
            job = self.job()
            if self.runner.running:
                raise InputError("A step is still running here; wait for it or press Stop.")
            if not self._may_replace():
                return
            self._loss = str(self.form.editors["loss"].value)
            self.laws_so_far, self._searching = None, True
            self.front.show()
            self.front.say("The best laws found so far appear here during the search.")
            self.run_button.setEnabled(False)
            self.runner.start(job)

    def _may_replace(self) -> bool:
        """Return whether laws may be replaced; ask if the study has laws that were found with the chosen loss."""
        loss = self.form.editors["loss"].value
        study = self.current.required()
        if name_of(4, loss) not in classifiers.names(study):
            return True
        question = (
            f"The laws that were found with the {loss} loss will be replaced when the search is complete. Search "
            "again?"
        )
        return confirmed(self, "Replace laws", question)

    def show_study(self) -> None:
        """Remove the front of the previous search."""
        self.best.hide()
        self.front.say("")
        self.front.hide()

    def _show_progress(self, event: Any) -> None:
        if self._searching and isinstance(event, Front):
            self.laws_so_far = event
            self.best.setText(f"So far: {event.law}")
            self.best.setVisible(bool(event.law))
            self.front.draw(lambda figsize, theme: _figure(event, figsize, theme))

    def _finished(self, _: dict[str, Any]) -> None:
        self.run_button.setEnabled(True)
        if self._searching:
            self._searching = False
            if self.laws_so_far is None:  # stopped before the first law
                self.show_study()
            self.searched.emit(self._loss)

    def _failed(self, _: str) -> None:
        self.run_button.setEnabled(True)
        self._searching = False
        if self.laws_so_far is None:
            self.show_study()


def _figure(front: Front, figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.laws import law_front

    complexity, loss = np.array(front.complexity), np.array(front.loss)
    return law_front(complexity, loss, measure="loss", theme=theme, figsize=figsize)
