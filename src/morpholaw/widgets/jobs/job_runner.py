"""Shows a step of the window in a panel: progress, messages, Stop, and the same as lines of Python."""

from __future__ import annotations

from collections.abc import Callable
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


class JobRunner(QWidget):
    """Progress bar, status line and buttons of the steps that one part of a panel starts, one at a time.

    A :class:`~morpholaw.jobs.Job` runs in a child process (:meth:`start`); a short step that needs arrays of the
    window runs in a thread (:meth:`run`). The step belongs to the window (:class:`WindowSteps`): it goes on when the
    panel is closed, and a panel that is opened again shows it.

    Parameters
    ----------
    current : CurrentStudy
        Whose window the steps belong to, and who is told what a job has changed.
    place : str
        What part of which panel this is, e.g. "encoder"; the same whenever the panel is opened.

    Notes
    -----
    Signals: ``reported`` (every event of :mod:`morpholaw.events`; not called ``event``, which is Qt's own name),
    ``finished`` (dict: the result's values; with "complete" False after Stop), ``failed`` (one sentence).
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
        run = current.steps.at(place)
        if run is not None and run.running:
            self._follow(run)

    def _build(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.bar.setToolTip("How much of the current stage of the step is done.")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.error_line = ErrorLine()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("End the step; what it has so far is kept where it can be.")
        self.copy_button = QPushButton("Copy as Python")
        self.copy_button.setToolTip("Copy the lines of Python that do the same without this panel.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.bar, 1)
        buttons.addStretch()  # takes the room of the bar while that is hidden
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
        """Whether a step is under way."""
        return self._run is not None and self._run.running

    @property
    def pid(self) -> int | None:
        """The id of the running step's process; None while there is none."""
        return self._run.pid if self._run is not None and self._run.running else None

    def start(
        self, job: Job, *, table: bool = False, files: Files | None = None, python: str = "", name: str = ""
    ) -> None:
        """Run a job in a child process, or say that another one is still running.

        Parameters
        ----------
        job : Job
            The step, its study and its settings.
        table : bool
            Whether the job makes a table, which ``finished`` then carries as "table": it comes back through a file.
        files : callable, optional
            Writes to a folder, in a thread, what the job needs of the window, and returns further arguments for it.
        python : str
            What "Copy as Python" copies, by default the job's own lines.
        name : str
            What the step is called in the window, by default its own name.
        """
        if not self._refused():
            self.current.steps.start(
                self.place, job, name or job.step, python or job_code(job), table=table, files=files
            )

    def run(
        self, name: str, step: Callable[..., Any], /, *arguments: Any, python: str = "", **named: Any
    ) -> None:
        """Run ``step(*arguments, monitor=..., **named)`` in a thread, or say that a step is still running.

        ``finished`` then carries ``{"result": what it returned}``; ``python`` is what "Copy as Python" copies.
        """
        if not self._refused():
            self.current.steps.run(self.place, name, python, step, arguments, named)

    def stop(self) -> None:
        """Ask the step to keep what it has and end."""
        if self._run is not None and self.running:
            self.stop_button.setEnabled(False)
            self._run.stop()
            self.status.setText(self._run.text)

    def close_down(self) -> None:
        """End the step at once and leave no process or thread behind."""
        self.current.steps.end(self.place)
        self._idle()

    def copy_as_python(self) -> None:
        """Put the lines of Python that do the same on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None and self._run is not None:
            clipboard.setText(self._run.python)
            show_info("The lines of Python are on the clipboard.")

    def _refused(self) -> bool:
        if self.running:
            self.error_line.say("A step is still running here; wait for it or press Stop.")
        return self.running

    # A step of this place has begun, here or in another panel of the same kind.

    def _begun(self, place: str) -> None:
        run = self.current.steps.at(place)
        if place == self.place and run is not None:
            self._follow(run)

    def _follow(self, run: StepRun) -> None:
        self._run = run
        run.reported.connect(self._show)
        run.ended.connect(self._ended)
        self.error_line.clear()
        self.status.setText(run.text)
        self.status.show()
        self.copy_button.setEnabled(bool(run.python))
        self.copy_button.setVisible(bool(run.python))
        self._show_share()
        self.bar.show()
        self.stop_button.setEnabled(not run.stopping)
        self.stop_button.show()

    def _show(self, event: Event) -> None:
        if self._run is not None:
            self.status.setText(self._run.text)
            self._show_share()
        self.reported.emit(event)

    def _show_share(self) -> None:
        # Qt counts in 32 bits, which a movie's pixels exceed, so the bar counts in thousandths.
        share = self._run.status.share if self._run is not None else None
        self.bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self.bar.setValue(round(1000 * share))

    def _ended(self, run: StepRun) -> None:
        self._idle()
        self.error_line.clear()
        self.status.setText(run.text)
        if run.state == "failed":
            self.error_line.say(run.sentence, notify=False)
            self.failed.emit(run.sentence)
        else:
            self.finished.emit(run.values)

    def _idle(self) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(0)
        self.bar.hide()
        self.stop_button.hide()

    # The place of the panel: its window ends the steps, its dock does not.

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window and the dock that the panel is in, which may be others than before."""
        super().showEvent(event)
        self.current.steps.watch(self)
        dock = dock_of(self)
        if dock is not None:
            dock.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Say that a step goes on when its panel is closed."""
        if event is not None and event.type() == QEvent.Type.Close and self._run is not None and self.running:
            show_info(f"{self._run.status.name} goes on; open the panel again to see it or to stop it.")
        return super().eventFilter(watched, event)
