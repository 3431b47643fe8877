"""Running of a job in a child process of a window, with its events and a way to stop it."""

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
"""Seconds in which a stopped job must write its checkpoint before it is killed."""


def waiting_process() -> subprocess.Popen[str]:
    """Start a process that loads torch and waits for a job; it ends when its standard input is closed."""
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
        The job to run.
    process : subprocess.Popen, optional
        A process from :func:`waiting_process` to run the job in; by default a new one.

    Examples
    --------
    >>> process = JobProcess(job)  # doctest: +SKIP
    >>> for event in process.events():  # doctest: +SKIP
    ...     print(event)
    """

    def __init__(self, job: Job, process: subprocess.Popen[str] | None = None) -> None:
        self.job = job
        self._heard = self._called_off = self._cut_short = False
        self._process = _child() if process is None else process
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(plain(asdict(job))) + "\n")
        self._process.stdin.flush()
        self._errors = _Tail(self._process.stderr)
        end_group_with_leader(self._process)

    def events(self) -> Iterator[Event]:
        """Yield the job's events until it ends. The last one is a Result, unless the job was stopped before it began.

        Raises
        ------
        MorpholawError
            The job's own error, of the same type and with the same message.
        StepFailedError
            If the process crashed, was killed or ran out of memory.
        InterruptedError
            If the job ended because it was stopped.
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
        if code not in (0, None) and self._cut_short:
            raise InterruptedError(
                f"It did not end within {STOP_GRACE:.0f} seconds, so its process was ended; results that it had saved "
                "are kept."
            )
        if code not in (0, None) and not self._called_off:
            raise StepFailedError(self._end_in_words(code))

    def _end_in_words(self, code: int) -> str:
        """Return a sentence about a process that ended with a nonzero status, with the last line of its errors."""
        what = f"The process of the step {self.job.step.replace('_', ' ')}"
        kept = "results that it had saved are kept, so start it again"
        if code < 0:
            return f"{what} was ended by signal {-code}, perhaps because memory ran out; {kept}."
        lines = self._errors.text.strip().splitlines()
        why = f" ({lines[-1].strip().rstrip('.')})" if lines else ""
        return f"{what} ended with status {code}{why}; {kept}."

    def stop(self) -> None:
        """Ask the job to keep its results so far and end; it is killed after :data:`STOP_GRACE` seconds.

        A job without any events is still loading its libraries and is killed at once.
        """
        if not self._heard:
            self._called_off = True
            self.kill()
        elif self.running:
            with contextlib.suppress(OSError, ValueError):
                assert self._process.stdin is not None
                self._process.stdin.write("stop\n")
                self._process.stdin.flush()
            threading.Thread(target=self._kill_if_slow, daemon=True).start()

    def _kill_if_slow(self) -> None:
        try:
            self._process.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:
            self._cut_short = True
            self.kill()

    def kill(self) -> None:
        """Kill the job at once; the study keeps its last complete results and checkpoint."""
        end_group(self._process)  # including its worker processes and Julia

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id."""
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
    """Reads a pipe to its end, so that the child never waits for it, and keeps the last part."""

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
