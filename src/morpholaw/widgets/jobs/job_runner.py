"""Runs a step while the window stays alive: progress, what it says, Stop, and the same as a line of Python."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Generator
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QProgressBar, QPushButton, QVBoxLayout, QWidget

from morpholaw.events import Event, Message, Result
from morpholaw.jobs import Job, JobProcess
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.close_guard import CloseGuard
from morpholaw.widgets.jobs.step_events import Files, StepFailure, of_function, of_job
from morpholaw.widgets.jobs.step_status import StepStatus
from morpholaw.widgets.study.current_study import CurrentStudy

Step = Callable[..., Any]


class JobRunner(QWidget):
    """Progress bar, status line and buttons of one panel's long steps, one at a time.

    A :class:`~morpholaw.jobs.Job` runs in a child process (:meth:`start`); a short step that needs arrays of
    the window runs in a thread (:meth:`run`). Either way a thread worker relays its events.

    Parameters
    ----------
    current : CurrentStudy, optional
        Told what changed when a job has finished (:meth:`CurrentStudy.announce`).

    Attributes
    ----------
    ask : bool
        Whether closing the window asks while a step runs.

    Notes
    -----
    Signals: ``reported`` (every event of :mod:`morpholaw.events`; not called ``event``, which is Qt's own name),
    ``finished`` (dict: the result's values; ``{"complete": False}`` after Stop), ``failed`` (one sentence).
    """

    reported = Signal(object)
    finished = Signal(dict)
    failed = Signal(str)

    ask = True

    def __init__(self, current: CurrentStudy | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current = current
        self._process: JobProcess | None = None
        self._worker: GeneratorWorker | None = None
        self._stop_flag = threading.Event()
        self._job: Job | None = None
        self._python = ""
        self._status = StepStatus("")
        self._result: dict[str, Any] = {}
        self._failure: StepFailure | None = None
        self._stopping = False
        self._alive: list[Any] = []  # what must end with the widget: processes and stop flags
        self._guard = CloseGuard(self, self._may_close)
        self._build()
        weakref.finalize(self, _end, self._alive)

    def _build(self) -> None:
        self.bar = QProgressBar()
        self.bar.setTextVisible(True)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.error_line = ErrorLine()
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("End the step; what it has so far is kept where it can be.")
        self.copy_button = QPushButton("Copy as Python")
        self.copy_button.setToolTip("Copy the line of Python that does the same without a window.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.bar, 1)
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

    # ---- starting and stopping

    @property
    def running(self) -> bool:
        """Whether a step is under way."""
        return self._worker is not None

    def start(
        self, job: Job, *, table: bool = False, files: Files | None = None, python: str = "", name: str = ""
    ) -> None:
        """Run a job in a child process; says so where another one is still running.

        Parameters
        ----------
        table : bool
            Whether the job makes a table, which ``finished`` then carries as "table": it comes back through a file.
        files : callable, optional
            Writes to a folder, in a thread, what the job needs of the window, and returns further arguments for it.
        python : str
            What "Copy as Python" copies, by default the job's own line.
        name : str
            What the step is called here, by default its own name.
        """
        if self._refused():
            return
        self._job, self._python = job, python or job.as_python()
        self._watch(name or job.step, of_job, job, table, files, self._new_flag(), self._started)

    def run(self, name: str, step: Step, /, *arguments: Any, python: str = "", **named: Any) -> None:
        """Run ``step(*arguments, report=..., should_stop=..., **named)`` in a thread.

        ``finished`` then carries ``{"result": what it returned}``; ``python`` is what "Copy as Python" copies.
        """
        if self._refused():
            return
        self._job, self._python = None, python
        self._watch(name, of_function, step, arguments, named, self._new_flag())

    def stop(self) -> None:
        """Ask the step to keep what it has and end."""
        if not self.running:
            return
        self._stopping = True
        self.stop_button.setEnabled(False)
        self.status.setText("Stopping...")
        self._stop_flag.set()
        if self._process is not None:
            self._process.stop()

    def close_down(self) -> None:
        """End the step at once and leave no process or thread behind."""
        self._stop_flag.set()
        process, worker = self._process, self._worker
        if process is not None:
            process.kill()
        if worker is not None:
            for signal in (worker.yielded, worker.returned, worker.errored):
                signal.disconnect()
            worker.quit()
        self._end()

    def copy_as_python(self) -> None:
        """Put the line of Python that does the same on the clipboard."""
        QGuiApplication.clipboard().setText("import morpholaw as ml\n\n" + self._python)
        show_info("The line of Python is on the clipboard.")

    def _new_flag(self) -> threading.Event:
        self._stop_flag = threading.Event()
        self._alive.append(self._stop_flag)
        return self._stop_flag

    def _started(self, process: JobProcess) -> None:
        self._process = process
        self._alive.append(process)

    def _refused(self) -> bool:
        if self.running:
            self.error_line.say("A step is still running here; wait for it or press Stop.")
        return self.running

    def _watch(self, name: str, events: Callable[..., Generator[Any, None, None]], *arguments: Any) -> None:
        self.error_line.clear()
        self._stopping, self._result, self._failure = False, {}, None
        self._status = StepStatus(name)
        self.status.setText(self._status.text)
        self.copy_button.setEnabled(bool(self._python))
        self.copy_button.setVisible(bool(self._python))
        self.status.show()
        self.bar.setRange(0, 0)
        self.bar.show()
        self.stop_button.setEnabled(True)
        self.stop_button.show()
        worker = create_worker(events, *arguments)
        worker.yielded.connect(self._take)
        worker.returned.connect(self._returned)
        self._worker = worker
        worker.start()

    # ---- what the step says

    def _take(self, event: Event | StepFailure) -> None:
        if isinstance(event, StepFailure):
            self._failure = event
            return
        if isinstance(event, Result):
            self._result = event.values
        elif isinstance(event, Message) and event.level == "warning":
            show_warning(event.text)
        self._status.take(event)
        if not self._stopping:
            self.status.setText(self._status.text)
        # Qt counts in 32 bits and a movie's pixels don't fit, so that the bar counts in thousandths
        share = self._status.share
        self.bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self.bar.setValue(round(1000 * share))
        self.reported.emit(event)

    # ---- the end

    def _returned(self, _: Any = None) -> None:
        stopped, job, result, failure = self._stopping, self._job, self._result, self._failure
        words, last = self._status.name, self._status.message
        self._end()
        if stopped:
            self.status.setText(f"{words}: stopped. {last}")
            result = {**result, "complete": False}
        elif failure is not None:
            self.status.setText(f"{words}: failed.")
            self.error_line.say(failure.sentence)
            self.failed.emit(failure.sentence)
            return
        else:
            self.status.setText(f"{words}: done. {last}")
            show_info(f"{words}: done.")
        if job is not None and self.current is not None:
            self.current.announce(job.step)
        self.finished.emit(result)

    def _end(self) -> None:
        self._process = self._worker = None
        self._alive.clear()
        self._idle()

    def _idle(self) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(0)
        self.bar.hide()
        self.stop_button.hide()

    # ---- closing the window

    def showEvent(self, event: Any) -> None:
        """Watch the window and the dock that the panel is in, which may be others than before."""
        super().showEvent(event)
        self._guard.watch()

    def _may_close(self) -> bool:
        """Ask before a place with a running step closes, and end the step where the answer is yes."""
        if not self.running:
            return True
        if self.ask:
            answer = QMessageBox.question(
                self,
                "A step is running",
                f"{self._status.name} is still running. End it and close? Results from before are kept.",
            )
            if answer != QMessageBox.StandardButton.Yes:
                return False
        self.close_down()
        return True


def _end(alive: list[Any]) -> None:
    """End processes and threads whose widget is gone."""
    for thing in alive:
        if isinstance(thing, threading.Event):
            thing.set()
        else:
            thing.kill()
    alive.clear()
