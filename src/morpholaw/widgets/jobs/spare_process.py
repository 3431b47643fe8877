"""A process that has loaded torch and waits for the window's next step."""

from __future__ import annotations

import contextlib
import subprocess
import threading

from morpholaw.job_process import JobProcess, waiting_process
from morpholaw.jobs import Job
from morpholaw.process_group import end_group


class SpareProcess:
    """Keeps at most one waiting process, so that a short step does not spend most of its time on starting."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process that waits; None where none does."""
        return None if self._waiting is None else self._waiting.pid

    def start(self, job: Job) -> JobProcess:
        """Start a job in the waiting process, or in a new one where none waits."""
        with self._turn:
            process, self._waiting = self._waiting, None
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError):  # it ended just now
                return JobProcess(job, process)
        return JobProcess(job)

    def prepare(self) -> None:
        """Start a process that waits for the next job."""
        with self._turn:
            if self._waiting is None or self._waiting.poll() is not None:
                self._waiting = waiting_process()

    def close(self) -> None:
        """End the process that waits."""
        with self._turn:
            process, self._waiting = self._waiting, None
        if process is None:
            return
        end_group(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
