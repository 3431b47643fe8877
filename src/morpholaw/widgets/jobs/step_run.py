"""One run of a step: its progress, how it is stopped, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from napari.qt.threading import GeneratorWorker, create_worker
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, Signal

from morpholaw.events import Event, Message, Result, StopFlag
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job
from morpholaw.widgets.jobs.step_events import Events, StepFailure
from morpholaw.widgets.jobs.step_status import ActivityBar, StepStatus


class StepRun(QObject):
    """A step in a child process or a thread, whose events a thread worker relays to the window.

    Parameters
    ----------
    name : str
        Name of the step in the window.
    job : Job, optional
        The job, if the step is one.
    python : str
        Python code that does the same without a window; "" if there is none.
    under_way : callable, optional
        Returns the names of all steps of the window that are running.
    study : str
        Folder of the study on which the step works; "" if there is none.

    Attributes
    ----------
    state : {"running", "done", "stopped", "failed"}
        State of the run.
    values : dict
        Values of the result; "complete" is False after Stop.
    sentence : str
        Why the step failed.
    in_words : callable
        Returns a message of the step as the window shows it; a panel with a form sets it to the form's ``by_labels``.

    Notes
    -----
    Signals: ``reported`` (every event of :mod:`morpholaw.events`), ``ended`` (this run).
    """

    reported = Signal(object)
    ended = Signal(object)

    def __init__(
        self,
        name: str,
        job: Job | None = None,
        python: str = "",
        parent: QObject | None = None,
        under_way: Callable[[], list[str]] = list,
        study: str = "",
    ) -> None:
        super().__init__(parent)
        self.study = study
        self._under_way = under_way
        self.job, self.python = job, python
        self.status = StepStatus(name)
        self.state: Literal["running", "done", "stopped", "failed"] = "running"
        self.stopping = False
        self.values: dict[str, Any] = {}
        self.sentence = ""
        self.in_words: Callable[[str], str] = str
        self.stop_flag = StopFlag()
        self._killed = False
        self._process: JobProcess | None = None
        self._worker: GeneratorWorker | None = None
        self._activity: ActivityBar | None = None

    def begin(self, events: Callable[..., Events], *arguments: Any) -> None:
        """Relay ``events(*arguments)`` from a thread."""
        worker = create_worker(events, *arguments)
        worker.yielded.connect(self._take)
        worker.returned.connect(self._returned)
        self._worker = worker
        self._activity = ActivityBar(self.status.name)
        worker.start()

    def started(self, process: JobProcess) -> None:
        """Record the process of the step; called in the worker's thread."""
        self._process = process
        if self._killed:
            process.kill()

    @property
    def running(self) -> bool:
        """Whether the step is running."""
        return self.state == "running"

    @property
    def pid(self) -> int | None:
        """Process id of the step; None if it has no process."""
        return self._process.pid if self._process is not None else None

    @property
    def text(self) -> str:
        """The status in words."""
        words = self.status.name
        if self.state == "stopped":
            message = self.status.message
            if message.startswith("Stopped"):
                return f"{words}: {message[0].lower()}{message[1:]}"
            return f"{words}: stopped. {message}".rstrip()
        if self.state == "failed":
            return f"{words}: failed."
        if self.state == "done":
            early = "done before it could be stopped" if self.stopping else "done"
            return f"{words}: {early}. {self.status.message}".rstrip()
        return "Stopping..." if self.stopping else self.status.text

    def stop(self) -> None:
        """Ask the step to save its results so far and end."""
        if not self.running:
            return
        self.stopping = True
        self.status.forget_message()  # what the step says from now on is about the stop
        self.stop_flag.set()
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End the step at once and ignore further events; results that are already saved are kept."""
        if not self.running:
            return
        self.state, self._killed = "stopped", True
        self.values = {"complete": False}
        self._close_activity()
        worker, self._worker = self._worker, None
        if worker is not None:
            for signal in (worker.yielded, worker.returned, worker.errored):
                signal.disconnect()
            worker.quit()
        end_step(self.stop_flag, self._process)

    def _take(self, event: Event | StepFailure) -> None:
        if isinstance(event, StepFailure):
            if self.stopping and event.stopped:
                self.status.take(Message(event.sentence))
                return
            self.sentence = self.in_words(event.sentence)
            beside = self._under_way()
            if self.status.name in beside:
                beside.remove(self.status.name)
            if event.locked and beside:
                self.sentence = f"{beside[0]} is still working on the study; wait for it, or stop it."
            return
        if isinstance(event, Result):
            self.values = event.values
        elif isinstance(event, Message):
            event = replace(event, text=self.in_words(event.text))
            if event.level == "warning":
                show_warning(event.text)
        self.status.take(event)
        if self._activity is not None:
            self._activity.show(self.status.share)
        self.reported.emit(event)

    def _returned(self, _: Any = None) -> None:
        if not self.running:
            return
        self._worker = None
        self._close_activity()
        name = self.status.name
        if self.sentence:
            self.state = "failed"
            show_error(self.sentence)
        elif self.stopping and (not self.values or self.values.get("complete") is False):
            self.state = "stopped"
            self.values = {**self.values, "complete": False}
        else:
            self.state = "done"
            show_info(f"{name}: done.")
        self.ended.emit(self)

    def _close_activity(self) -> None:
        if self._activity is not None:
            self._activity.close()
            self._activity = None


def end_step(stop_flag: StopFlag, process: JobProcess | None) -> None:
    """End a step at once: its thread through a flag, its process and child processes through a signal."""
    stop_flag.set()
    if process is not None:
        process.kill()
