"""A job in a child process of a window: what it says, and how it is stopped."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO

from morpholaw.cells.files import plain
from morpholaw.errors import StepFailedError, error_of_kind
from morpholaw.events import Event, Failure
from morpholaw.jobs import Job, decode_event
from morpholaw.process_group import end_group, end_group_with_leader

STOP_GRACE = 10.0
"""Seconds that a stopped job has to write its checkpoint before it is ended."""


def waiting_process() -> subprocess.Popen[str]:
    """Start a process that loads torch and then waits for a job; it ends when its standard input closes."""
    return _child("warm")


def _child(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "morpholaw.jobs", "-", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_WAIT_POLICY": "PASSIVE"},
        start_new_session=os.name == "posix",
    )


class JobProcess:
    """A job in a child process.

    Parameters
    ----------
    job : Job
        What to do.
    process : subprocess.Popen, optional
        One of :func:`waiting_process` that does it; by default a new one.

    Examples
    --------
    >>> process = JobProcess(job)  # doctest: +SKIP
    >>> for event in process.events():  # doctest: +SKIP
    ...     print(event)
    """

    def __init__(self, job: Job, process: subprocess.Popen[str] | None = None) -> None:
        self.job = job
        self._heard = self._called_off = False
        self._process = _child() if process is None else process
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(plain(asdict(job))) + "\n")
        self._process.stdin.flush()
        self._errors = _Tail(self._process.stderr)
        end_group_with_leader(self._process)

    def events(self) -> Iterator[Event]:
        """Yield the job's events until it ends; the last is a Result, unless it was stopped before it began.

        Raises
        ------
        MorpholawError
            The job's own error, of the same kind and with the same sentence.
        StepFailedError
            When the process crashed, was killed or ran out of memory.
        """
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = decode_event(line)
            self._heard = True
            if isinstance(event, Failure):
                self._process.wait()
                raise error_of_kind(event.kind, event.text)
            yield event
        code = self._process.wait()
        self._errors.join()
        if code not in (0, None) and not self._called_off:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
            raise StepFailedError(f"The step {self.job.step} {how}. {self._errors.text[-400:]}".strip())

    def stop(self) -> None:
        """Ask the job to keep what it has and end; it is ended by force after :data:`STOP_GRACE` seconds.

        A job that has not said anything yet is still loading what it needs, and is ended at once.
        """
        if not self._heard:
            self._called_off = True
            self.kill()
        elif self.running:
            with contextlib.suppress(OSError, ValueError):
                assert self._process.stdin is not None
                self._process.stdin.write("stop\n")
                self._process.stdin.flush()
            timer = threading.Timer(STOP_GRACE, self.kill)
            timer.daemon = True
            timer.start()

    def kill(self) -> None:
        """End the job at once; the study keeps its last complete results and checkpoint."""
        end_group(self._process)  # its pools and Julia go with it

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def close(self) -> None:
        """End the process if it still runs and close its pipes."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
        self._errors.join()


class _Tail(threading.Thread):
    """Read a pipe to its end, so that the child never waits for it, and keep the last of it."""

    def __init__(self, pipe: IO[str] | None) -> None:
        super().__init__(daemon=True)
        self.pipe, self.text = pipe, ""
        self.start()

    def run(self) -> None:
        if self.pipe is None:
            return
        with contextlib.suppress(OSError, ValueError), self.pipe:
            for line in self.pipe:
                self.text = (self.text + line)[-4000:]
