"""Runs a step while the window stays alive: progress, what it says, Stop, and the same as a line of Python."""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from morpholaw.errors import InputError
from morpholaw.events import Event, Message, Metrics, Progress, Result
from morpholaw.jobs import Job, JobProcess
from morpholaw.widgets.forms.error_line import ErrorLine
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
        self._watched: list[QObject] = []
        self._parts: dict[str, str] = {}
        self._result: dict[str, Any] = {}
        self._stage: tuple[str, float, int] = ("", 0.0, 0)
        self._build()
        weakref.finalize(self, _end, self._alive)

    def _build(self) -> None:
        self._alive: list[Any] = []  # what must end with the widget: processes and stop flags
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
        self._idle()

    # ---- starting and stopping

    @property
    def running(self) -> bool:
        """Whether a step is under way."""
        return self._worker is not None

    def start(self, job: Job) -> None:
        """Run a job in a child process; says so where another one is still running."""
        if self._refused():
            return
        self._job = job
        self._process = JobProcess(job)
        self._alive.append(self._process)
        self.copy_button.setEnabled(True)
        self._watch(job.step, _relay, self._process)

    def run(self, name: str, step: Step, /, *arguments: Any, python: str = "", **named: Any) -> None:
        """Run ``step(*arguments, report=..., should_stop=..., **named)`` in a thread.

        ``finished`` then carries ``{"result": what it returned}``; ``python`` is what "Copy as Python" copies.
        """
        if self._refused():
            return
        self._job, self._python = None, python
        self._stop_flag = threading.Event()
        self._alive.append(self._stop_flag)
        self.copy_button.setEnabled(bool(python))
        self._watch(name, _threaded, step, arguments, named, self._stop_flag)

    def stop(self) -> None:
        """Ask the step to keep what it has and end."""
        if not self.running:
            return
        self._stopping = True
        self.stop_button.setEnabled(False)
        self._parts = {"state": "Stopping..."}
        self._show_status()
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
        text = "import morpholaw as ml\n\n" + (self._job.as_python() if self._job else self._python)
        QGuiApplication.clipboard().setText(text)
        show_info("The line of Python is on the clipboard.")

    _stopping = False
    _python = ""

    def _refused(self) -> bool:
        if self.running:
            self.error_line.say("A step is still running here; wait for it or press Stop.")
        return self.running

    def _watch(self, name: str, events: Callable[..., Generator[Any, None, None]], *arguments: Any) -> None:
        self.error_line.clear()
        self._stopping, self._result, self._stage = False, {}, ("", time.monotonic(), 0)
        self._parts = {"state": f"{_words(name)}: starting..."}
        self._name = name
        self._show_status()
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

    def _take(self, event: Event | _Failure) -> None:
        if isinstance(event, _Failure):
            self._failure = event
            return
        if isinstance(event, Result):
            self._result = event.values
        elif isinstance(event, Progress):
            self._show_progress(event)
        elif isinstance(event, Metrics):
            self._parts["losses"] = ", ".join(f"{name} {value:.4g}" for name, value in event.values.items())
        elif isinstance(event, Message):
            self._parts["message"] = event.text
            if event.level == "warning":
                show_warning(event.text)
        if not self._stopping:
            self._show_status()
        self.reported.emit(event)

    def _show_progress(self, event: Progress) -> None:
        now = time.monotonic()
        stage, begun, first = self._stage
        if event.stage != stage or event.done < first:
            self._stage = stage, begun, first = event.stage, now, event.done
        self._parts["state"] = _words(event.stage or self._name)
        self._parts.pop("left", None)
        if event.total:
            # Qt counts in 32 bits and a movie's pixels don't fit, so that the bar counts in thousandths
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * min(event.done / event.total, 1)))
            self._parts["count"] = f"{event.done:,} of {event.total:,}"
            if event.done > first and now - begun > 1 and event.done < event.total:
                self._parts["left"] = _duration(
                    (now - begun) * (event.total - event.done) / (event.done - first)
                )
        else:
            self.bar.setRange(0, 0)
            self._parts["count"] = f"{event.done:,}"

    def _show_status(self) -> None:
        first = ", ".join(self._parts[key] for key in ("state", "count", "left") if key in self._parts)
        rest = [self._parts[key] for key in ("losses", "message") if key in self._parts]
        self.status.setText("\n".join([first, *rest]))

    # ---- the end

    _failure: _Failure | None = None
    _name = ""

    def _returned(self, _: Any = None) -> None:
        failure, self._failure = self._failure, None
        stopped, job, result = self._stopping, self._job, self._result
        last = self._parts.get("message", "")
        self._end()
        words = _words(self._name)
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
        for watched in self._watched:
            watched.removeEventFilter(self)
        dock = self.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        self._watched = [place for place in (self.window(), dock) if place is not None]
        for place in self._watched:
            place.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask before a window with a running step closes, and end the step where the answer is yes."""
        if event.type() == QEvent.Type.Close and self.running:
            if self.ask and not self._may_close():
                event.ignore()
                return True
            self.close_down()
        return super().eventFilter(watched, event)

    def _may_close(self) -> bool:
        answer = QMessageBox.question(
            self,
            "A step is running",
            f"{_words(self._name)} is still running. End it and close? Results from before are kept.",
        )
        return answer == QMessageBox.StandardButton.Yes


@dataclass(frozen=True)
class _Failure:
    """Why a step ended without a result."""

    sentence: str


def _relay(process: JobProcess) -> Generator[Any, None, None]:
    """Events of a process; an error becomes the last of them, so that no traceback dialog opens."""
    try:
        for event in process.events():
            yield event
            if isinstance(event, Result):
                return  # all is written then: nobody has to wait until the process has tidied up
    except (InputError, ValueError, OSError) as error:
        yield _Failure(str(error))
    finally:
        process.close()


def _threaded(step: Step, arguments: Any, named: Any, stop: threading.Event) -> Generator[Any, None, None]:
    """Events of a function that runs in a thread of its own, a Result with what it returned last."""
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            made = step(*arguments, report=events.put, should_stop=stop.is_set, **named)
            events.put(Result({"result": made}))
        except (InputError, InterruptedError) as error:
            events.put(_Failure(str(error)))
        except Exception as error:  # a defect: say so in the panel too, where the person waits
            events.put(_Failure(f"The step failed: {type(error).__name__}: {error}."))
        finally:
            events.put(None)

    threading.Thread(target=work, daemon=True).start()
    while (event := events.get()) is not None:
        yield event


def _end(alive: list[Any]) -> None:
    """End processes and threads whose widget is gone."""
    for thing in alive:
        if isinstance(thing, threading.Event):
            thing.set()
        else:
            thing.kill()
    alive.clear()


def _words(step: str) -> str:
    return step.replace("_", " ").capitalize()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s left"
    minutes = seconds / 60
    return f"{minutes:.0f} min left" if minutes < 90 else f"{minutes / 60:.1f} h left"
