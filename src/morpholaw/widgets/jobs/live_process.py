"""A child process that keeps torch and the last models loaded, for images and curves that follow a slider.

Importing torch holds the global interpreter lock for more than a second, which would freeze the window even if it ran
in a thread. Therefore the window never imports torch. It calls functions that need torch in this process: arguments and
results cross a private pipe, and the models stay in the process. No other process can use the pipe. The child does not
import Qt.
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
"""Seconds between two checks whether a call should stop."""
_ENDED = "The process that computes this was ended; try again."


class LiveProcess:
    """Calls functions in a child process, one at a time.

    The process starts with the first call, and restarts with the next call after it has ended. Functions and arguments
    are pickled, so functions must be importable by name. Models are passed by their file, and functions cache what they
    load (``functools.lru_cache``).

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
        """Return what ``function(*arguments)`` returns. This blocks, so call it in a thread.

        With ``monitor``, the function also gets an argument ``monitor``, which works across the pipe.

        Raises
        ------
        MorpholawError
            An error raised by the function.
        StepFailedError
            If the function failed in another way, or the process ended.
        """
        closed = self._closed
        with self._turn:
            if self._closed != closed:  # the window was closed while this call was waiting
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
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id; None if there is no process."""
        return self._process.pid if self._process is not None and self.running else None

    def close(self) -> None:
        """End the process and its children at once; waiting calls fail, and the next call starts another process."""
        self._closed += 1
        process, self._process = self._process, None
        if process is not None:
            end_group(process)
            for pipe in (process.stdin, process.stdout):  # a thread that is still reading sees the end first
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
                start_new_session=os.name == "posix",  # Ctrl-C in the terminal must reach only the window
            )
            end_group_with_leader(process)
        return process


@contextlib.contextmanager
def _passing_on_stop(pipe: IO[bytes], should_stop: ShouldStop) -> Iterator[None]:
    """Relay a request to stop to the process while the block runs."""
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
    """Return the next answer; raise EOFError if another thread closes the pipe meanwhile."""
    try:
        kind, value = pickle.load(pipe)
    except ValueError as error:
        raise EOFError from error
    return kind, value


def _send(pipe: IO[bytes], message: Any) -> None:
    pipe.write(pickle.dumps(message))
    pipe.flush()


def serve() -> None:
    """Answer the calls on standard input until it closes, which means that the window is gone."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(
        sys.stderr.fileno(), sys.stdout.fileno()
    )  # output printed by libraries must not mix with the answers
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
        finally:  # the window is gone, or sent something that cannot be unpickled here
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
    """Return ("value", return value), or ("error", (kind of the error, sentence))."""
    try:
        return "value", function(*arguments, **options)
    except (MorpholawError, InterruptedError) as error:
        return "error", (kind_of(error), str(error))
    except OSError as error:
        problem = file_error(f"{error.filename or 'A file'} cannot be read", error)
        return "error", (kind_of(problem), str(problem))
    except Exception as error:  # a defect in the program, reported in the panel, where the user is waiting
        sentence = f"This could not be computed: {type(error).__name__}: {error}."
        return "error", (StepFailedError.__name__, sentence)


if __name__ == "__main__":
    serve()
