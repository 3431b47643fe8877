"""A child process that keeps torch and the last models warm, for pictures and curves that follow a slider.

Importing torch holds Python's lock for a second and more, which would freeze the window even from a thread. So the
window never imports it: a function that needs torch is called here, its arguments and its result cross a private pipe,
and the models stay on the other side. Neither side of the pipe is open to anybody else; Qt is not imported by the
child.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

from morpholaw.errors import MorpholawError, StepFailedError, error_of_kind, file_error, kind_of
from morpholaw.events import Monitor, ShouldStop, never
from morpholaw.process_group import end_group, end_group_with_leader

POLL_INTERVAL = 0.1
"""Seconds between two looks at whether a call was asked to stop."""
_ENDED = "The process that computes was ended; try again."


class LiveProcess:
    """Calls functions in a child process, one at a time.

    The process starts with the first call, and again with the next call after it has ended. A function and its
    arguments must be importable by name there: models are named by their files, and functions keep what they loaded
    (``functools.lru_cache``).

    Examples
    --------
    >>> live.call(decode, encoder_file, point)  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = 0

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        monitor: Monitor | None = None,
    ) -> Any:
        """Return what ``function(*arguments)`` returns; blocks, so call it in a thread.

        With ``monitor`` the function is also passed a ``monitor``, which works across the pipe.

        Raises
        ------
        MorpholawError
            The function's own error.
        StepFailedError
            When the function failed otherwise, or the process ended.
        """
        closed = self._closed
        with self._turn:
            if self._closed != closed:  # while this call waited: its window is gone
                raise StepFailedError(_ENDED)
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                _send(process.stdin, (function, arguments, monitor is not None))
                with _passing_on_stop(process.stdin, monitor.should_stop if monitor is not None else never):
                    while True:
                        kind, value = _received(process.stdout)
                        if kind == "event" and monitor is not None:
                            monitor.emit(value)
                        elif kind != "event":
                            break
            except (EOFError, OSError, pickle.UnpicklingError):
                raise StepFailedError(_ENDED) from None
        if kind == "error":
            raise error_of_kind(*value)
        return value

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's id, None where there is none."""
        return self._process.pid if self._process is not None and self.running else None

    def close(self) -> None:
        """End the process, and what it started, at once; calls that wait fail, and the next one starts another."""
        self._closed += 1
        process, self._process = self._process, None
        if process is not None:
            end_group(process)
            for pipe in (process.stdin, process.stdout):  # a thread that still reads comes to the end first
                if pipe is not None:
                    with contextlib.suppress(OSError, ValueError):
                        pipe.close()

    def _started(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
                start_new_session=os.name == "posix",  # Ctrl-C in the terminal is the window's to handle
            )
            end_group_with_leader(process)
        return process


@contextlib.contextmanager
def _passing_on_stop(pipe: IO[bytes], should_stop: ShouldStop) -> Iterator[None]:
    """Pass a stop on to the process while the block lasts."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(POLL_INTERVAL):
            if should_stop():
                with contextlib.suppress(OSError, ValueError):
                    _send(pipe, None)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    if should_stop is not never:
        watcher.start()
    try:
        yield
    finally:
        done.set()
        if should_stop is not never:
            watcher.join()


def _received(pipe: IO[bytes]) -> tuple[str, Any]:
    """Return the next answer; EOFError where another thread closes the pipe meanwhile."""
    try:
        kind, value = pickle.load(pipe)
    except ValueError as error:
        raise EOFError from error
    return kind, value


def _send(pipe: IO[bytes], message: Any) -> None:
    pipe.write(pickle.dumps(message))
    pipe.flush()


def serve() -> None:
    """Answer the calls on standard input until it closes, which says that the window is gone."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print must not mix with the answers
    calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopped = threading.Event()

    def listen() -> None:
        try:
            while True:
                message = pickle.load(sys.stdin.buffer)
                if message is None:
                    stopped.set()
                else:
                    calls.put(message)
        finally:  # the window is gone, or speaks of what is not installed here
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        function, arguments, reports = calls.get()
        stopped.clear()
        options: dict[str, Any] = {}
        if reports:
            options["monitor"] = Monitor(lambda event: _send(answers, ("event", event)), stopped.is_set)
        _send(answers, _answer(function, arguments, options))


def _answer(
    function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[str, Any]:
    """Return the kind of the answer ("value", "input error", "failure") and the value or the sentence."""
    try:
        return "value", function(*arguments, **options)
    except (MorpholawError, InterruptedError) as error:
        return "error", (kind_of(error), str(error))
    except OSError as error:
        problem = file_error(f"{error.filename or 'A file'} cannot be read", error)
        return "error", (kind_of(problem), str(problem))
    except Exception as error:  # a defect: said in the panel, where the person waits
        sentence = f"This could not be computed: {type(error).__name__}: {error}."
        return "error", (StepFailedError.__name__, sentence)


if __name__ == "__main__":
    serve()
