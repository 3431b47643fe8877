"""The progress of a step in a panel, with buttons to stop it and to copy it as Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtGui import QGuiApplication, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from morpholaw.events import Event
from morpholaw.jobs import Job
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.python_code import job_code
from morpholaw.widgets.jobs.step_events import Files
from morpholaw.widgets.jobs.step_run import StepRun
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.docks import dock_of

TITLES = {
    "crop": "cut crops",
    "cross_validate": "cross-validate",
    "discover_law": "search for laws",
    "improve_law": "improve the law",
    "law_stability": "measure stability",
    "timeline": "make timeline",
    "attack": "attack held-out cells",
    "attack_pairs": "attack towards each class",
}
"""Names of steps in the window that differ from the names of the steps, as on the buttons that start them."""


class JobRunner(QWidget):
    """Progress bar, status line and buttons for the steps of one part of a panel, which run one at a time.

    A :class:`~morpholaw.jobs.Job` runs in a child process (:meth:`start`). A short step that needs arrays of the
    window runs in a thread (:meth:`run`). A step belongs to the window (:class:`WindowSteps`): it continues when the
    panel is closed, and the panel shows it again when it is reopened.

    Parameters
    ----------
    current : CurrentStudy
        The study, which announces what a job has changed.
    place : str
        Name of this part of the panel, such as "encoder"; it is the same whenever the panel is opened.

    Notes
    -----
    Signals: ``reported`` (every event of :mod:`morpholaw.events`; Qt reserves the name ``event``), ``finished``
    (dict with the values of the result; "complete" is False after Stop), ``failed`` (one sentence). While the study of
    the step is not the open one, its events are not reported, and its end counts as failed: its results say nothing
    about the open study.
    """

    reported = Signal(object)
    finished = Signal(dict)
    failed = Signal(str)

    def __init__(self, current: CurrentStudy, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current, self.place = current, place
        self._run: StepRun | None = None
        self._build()
        current.steps.begun.connect(self._begun)
        current.changed.connect(self._study_changed)
        run = current.steps.at(place)
        if run is not None and run.running:
            self._follow(run)

    def _build(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.bar.setToolTip("Progress of the current stage of the step.")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.error_line = ErrorLine()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop the step; results so far are kept if possible.")
        self.copy_button = QPushButton("Copy as Python")
        self.copy_button.setToolTip("Copy Python code that does the same without this panel.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.bar, 1)
        buttons.addStretch()  # takes the place of the bar while the bar is hidden
        buttons.addWidget(self.stop_button)
        buttons.addWidget(self.copy_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
        layout.addWidget(self.error_line)
        self.stop_button.clicked.connect(self.stop)
        self.copy_button.clicked.connect(self.copy_as_python)
        self.copy_button.setEnabled(False)
        self.copy_button.hide()  # until there is something to copy
        self.status.hide()
        self._idle()

    @property
    def running(self) -> bool:
        """Whether a step is running."""
        return self._run is not None and self._run.running

    @property
    def pid(self) -> int | None:
        """Process id of the running step; None if there is none."""
        return self._run.pid if self._run is not None and self._run.running else None

    def start(
        self,
        job: Job,
        *,
        table: bool = False,
        files: Files | None = None,
        python: str = "",
        name: str = "",
        in_words: Callable[[str], str] = str,
    ) -> None:
        """Run a job in a child process, or report that another step is still running.

        Parameters
        ----------
        job : Job
            The step, its study and its settings.
        table : bool
            Whether the job makes a table; ``finished`` then contains it as "table".
        files : callable, optional
            Function that writes data of the window to a folder for the job, and returns further arguments for the job.
            It is called in a thread.
        python : str
            Code that "Copy as Python" copies; by default the code for the job.
        name : str
            Name of the step in the window; by default that in :data:`TITLES`, or the job's step.
        in_words : callable
            Returns a message of the step as the panel shows it: with labels of fields instead of options.
        """
        if not self._refused():
            run = self.current.steps.start(
                self.place,
                job,
                name or TITLES.get(job.step, job.step),
                python or job_code(job),
                table=table,
                files=files,
            )
            run.in_words = in_words

    def run(
        self,
        name: str,
        step: Callable[..., Any],
        /,
        *arguments: Any,
        python: str = "",
        in_words: Callable[[str], str] = str,
        **named: Any,
    ) -> None:
        """Run ``step(*arguments, monitor=..., **named)`` in a thread, or report that a step is still running.

        ``finished`` then carries ``{"result": return value}``; ``python`` is the code that "Copy as Python" copies, and
        ``in_words`` is as for :meth:`start`.
        """
        if not self._refused():
            study = self.current.study
            path = "" if study is None else str(study.path)
            run = self.current.steps.run(self.place, name, python, step, arguments, named, path)
            run.in_words = in_words

    def stop(self) -> None:
        """Ask the step to save its results so far and end."""
        if self._run is not None and self.running:
            self.stop_button.setEnabled(False)
            self._run.stop()
            self._show_text()

    def close_down(self) -> None:
        """End the step at once and leave no process or thread behind."""
        self.current.steps.end(self.place)
        self._idle()

    def copy_as_python(self) -> None:
        """Copy Python code that does the same to the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None and self._run is not None:
            clipboard.setText(self._run.python)
            show_info("Copied the Python code to the clipboard.")

    def _refused(self) -> bool:
        if self.running:
            self.error_line.say("A step is still running here; wait for it or press Stop.")
        return self.running

    def _begun(self, place: str) -> None:
        """Follow a step that began at this place, from here or from another panel of the same kind."""
        run = self.current.steps.at(place)
        if place == self.place and run is not None:
            self._follow(run)

    def _follow(self, run: StepRun) -> None:
        self._run = run
        run.reported.connect(self._show)
        run.ended.connect(self._ended)
        self.error_line.clear()
        self._show_text()
        self.status.show()
        self.copy_button.setEnabled(bool(run.python))
        self.copy_button.setVisible(bool(run.python))
        self._show_share()
        self.bar.show()
        self.stop_button.setEnabled(not run.stopping)
        self.stop_button.show()

    def _show(self, event: Event) -> None:
        self._show_text()
        self._show_share()
        if self._is_here:
            self.reported.emit(event)

    @property
    def _is_here(self) -> bool:
        """Whether no study other than that of the step is open."""
        return self._run is None or not self._run.study or not self.current.shows_other(self._run.study)

    def _show_text(self) -> None:
        """Show the status of the step, and its study if that is not the open one."""
        if self._run is not None:
            where = "" if self._is_here else f"In the study {Path(self._run.study).name}: "
            self.status.setText(f"{where}{self._run.text}")

    def _study_changed(self) -> None:
        if self.running:
            self._show_text()
        else:  # what is shown is about the study before
            self.forget()

    def forget(self) -> None:
        """Show nothing of the last step, because it is out of date."""
        self.status.hide()
        self.copy_button.hide()

    def _show_share(self) -> None:
        # Qt counts in 32 bits, which the number of pixels of a movie exceeds, so the bar counts in thousandths.
        share = self._run.status.share if self._run is not None else None
        self.bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self.bar.setValue(round(1000 * share))

    def _ended(self, run: StepRun) -> None:
        self._idle()
        self.error_line.clear()
        self._show_text()
        if run.state == "failed":
            self.error_line.say(run.sentence, notify=False)
            self.failed.emit(run.sentence)
        elif not self._is_here:
            self.failed.emit(f"{run.status.name} has ended, but its study is no longer open.")
        else:
            self.finished.emit(run.values)

    def _idle(self) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(0)
        self.bar.hide()
        self.stop_button.hide()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window and the dock of the panel, which may have changed; only the window ends steps."""
        super().showEvent(event)
        self.current.steps.watch(self)
        dock = dock_of(self)
        if dock is not None:
            dock.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notify the user that a step continues when its panel is closed."""
        if event is not None and event.type() == QEvent.Type.Close and self._run is not None and self.running:
            show_info(
                f"{self._run.status.name}: still running. Open the panel again to see its progress or to stop it."
            )
        return super().eventFilter(watched, event)
