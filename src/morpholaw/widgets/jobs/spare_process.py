"""A spare process that has torch loaded and waits for the window's next step."""

from __future__ import annotations

import contextlib
import subprocess
import threading

from morpholaw.job_process import JobProcess, waiting_process
from morpholaw.jobs import Job
from morpholaw.process_group import end_group


class SpareProcess:
    """Keeps at most one waiting process; without it, a short step would spend most of its time on starting."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the waiting process; None if there is none."""
        return None if self._waiting is None else self._waiting.pid

    def start(self, job: Job) -> JobProcess:
        """Start a job in the waiting process, or in a new one if none is waiting."""
        with self._turn:
            process, self._waiting = self._waiting, None
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError):  # it has just ended
                return JobProcess(job, process)
        return JobProcess(job)

    def prepare(self) -> None:
        """Start a process that waits for the next job."""
        with self._turn:
            if self._waiting is None or self._waiting.poll() is not None:
                self._waiting = waiting_process()

    def close(self) -> None:
        """End the waiting process."""
        with self._turn:
            process, self._waiting = self._waiting, None
        if process is None:
            return
        end_group(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
