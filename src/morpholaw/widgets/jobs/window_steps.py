"""The steps that the panels of a window have started. They belong to the window and continue when a panel is closed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QThreadPool, Signal
from qtpy.QtWidgets import QMainWindow, QWidget

from morpholaw.events import StopFlag
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job
from morpholaw.widgets.forms.confirm import confirmed
from morpholaw.widgets.jobs.spare_process import SpareProcess
from morpholaw.widgets.jobs.step_events import Files, of_function, of_job
from morpholaw.widgets.jobs.step_run import StepRun

SHORT = ("classify",)
"""Steps that are often repeated and take little longer than loading torch; after one, a process is kept ready."""
PATIENCE = 2000
"""Longest time in milliseconds that a closing window waits for threads that still compute or draw."""


class WindowSteps(QObject):
    """Starts steps, one at a time per place, and ends them when the window closes.

    A place is the name of a part of a panel that starts steps, such as "encoder". A panel that is opened again shows
    the step that is running at its place.

    Attributes
    ----------
    spare : SpareProcess
        The process that waits for the next step.

    Notes
    -----
    Signals: ``begun`` (place at which a step began), ``changed_study`` (name of the step of a job that ended, and
    folder of the study that it may have changed), ``closed`` (the window closes).
    """

    begun = Signal(str)
    changed_study = Signal(str, str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, StepRun] = {}
        self._to_end: list[StopFlag | JobProcess] = []
        self.spare = SpareProcess()
        weakref.finalize(self, _end, self._to_end)
        weakref.finalize(self, self.spare.close)

    def at(self, place: str) -> StepRun | None:
        """Return the last step that was started at a place."""
        return self._runs.get(place)

    @property
    def places(self) -> list[str]:
        """The places at which steps were started."""
        return list(self._runs)

    @property
    def running(self) -> list[StepRun]:
        """The running steps."""
        return [run for run in self._runs.values() if run.running]

    def start(
        self, place: str, job: Job, name: str, python: str, *, table: bool, files: Files | None
    ) -> StepRun:
        """Run a job in a child process; see :meth:`JobRunner.start`."""
        run = self._new(place, StepRun(name, job, python, self, self._under_way, job.study))
        # the thread must not keep the window in memory
        spare, to_end, run_or_none = self.spare, self._to_end, weakref.ref(run)

        def launch(job: Job) -> JobProcess:
            process = spare.start(job)
            to_end.append(process)
            current_run = run_or_none()
            if current_run is None:
                process.kill()
            else:
                current_run.started(process)
            return process

        run.begin(of_job, job, table, files, run.stop_flag, launch)
        self.begun.emit(place)
        return run

    def run(
        self,
        place: str,
        name: str,
        python: str,
        step: Callable[..., Any],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
        study: str = "",
    ) -> StepRun:
        """Run a function that works on ``study`` in a thread; see :meth:`JobRunner.run`."""
        run = self._new(place, StepRun(name, None, python, self, self._under_way, study))
        run.begin(of_function, step, arguments, named, run.stop_flag)
        self.begun.emit(place)
        return run

    def _under_way(self) -> list[str]:
        return [run.status.name for run in self.running]

    def end(self, place: str) -> None:
        """End the step at a place at once, and leave no process or thread behind."""
        run = self._runs.get(place)
        if run is not None:
            run.kill()

    def end_all(self) -> None:
        """End all steps at once."""
        for run in self.running:
            run.kill()
        _end(self._to_end)
        self.spare.close()

    def watch(self, widget: QWidget) -> None:
        """Watch the window of a panel, to ask before it closes."""
        window: QObject = widget
        while not isinstance(window, QMainWindow) and (parent := window.parent()) is not None:
            window = parent
        window.installEventFilter(self)  # Qt installs it only once, however often this is called

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """End all steps when the window closes, or keep it open if the user does not want to end them."""
        if event is not None and event.type() == QEvent.Type.Close:
            if not self._may_close(watched):
                event.ignore()
                return True
            self.end_all()
            self.closed.emit()
            # A thread that outlives the window might garbage-collect its widgets, which only Qt's thread may do.
            pool = QThreadPool.globalInstance()
            if pool is not None:
                pool.waitForDone(PATIENCE)
        return super().eventFilter(watched, event)

    def _may_close(self, window: QObject | None) -> bool:
        names = self._under_way()
        if not names:
            return True
        what = f"A step is still running: {names[0]}. End it"
        if len(names) > 1:
            what = f"{len(names)} steps are still running: {', '.join(names)}. End them"
        question = f"{what} and close the window? Results that are already saved are kept."
        return confirmed(window if isinstance(window, QWidget) else None, "Close the window", question)

    def _new(self, place: str, run: StepRun) -> StepRun:
        before = self._runs.get(place)
        if before is not None:
            before.deleteLater()
        self._to_end[:] = [item for item in self._to_end if isinstance(item, JobProcess) and item.running]
        self._to_end.extend(run.stop_flag for run in self.running)
        self._runs[place] = run
        self._to_end.append(run.stop_flag)
        run.ended.connect(self._ended)
        return run

    def _ended(self, run: StepRun) -> None:
        if run.job is not None and run.job.step in SHORT:
            self.spare.prepare()
        if run.job is not None and run.state != "failed":
            self.changed_study.emit(run.job.step, run.study)


def _end(things: list[StopFlag | JobProcess]) -> None:
    """End the processes and threads of a window that is gone."""
    for thing in things:
        if isinstance(thing, StopFlag):
            thing.set()
        else:
            thing.kill()
    things.clear()
