"""A separate process that reads files from others, with limits of memory and time that the kernel enforces.

If a library hangs, uses too much memory or crashes on a file, only this process ends, and the caller gets a
one-sentence error. The process is a fork, which takes milliseconds, and only reads. Only Linux forks safely and limits
memory; on other systems files are read in the calling process, and a job's own process is what can be terminated.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import itertools
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from morpholaw.errors import InputError, MorpholawError, error_of_kind, kind_of, reason

_Answer = TypeVar("_Answer")

SECONDS = 60.0
"""CPU time limit of an answer, plus one second per megabyte of the file if all of it is read."""
PATIENCE = 3
"""Factor by which the elapsed time may exceed the CPU time limit, on a busy machine or a slow network."""
MEMORY = 3 << 30
"""Memory limit in bytes, or :data:`EXPANSION` times the file size if that is more and the machine has as much."""
EXPANSION = 20
_BYTES_PER_SECOND = 1_000_000
_MOST_FILES = 20_000
_TOO_MUCH = "more than a file of its size can need"
_FIRST_OWN = 3
"""First file descriptor after standard input, output and error."""


class ReaderProcess:
    """Answers questions about a file or folder in a separate process, one at a time.

    Parameters
    ----------
    begin : callable
        Called in the process; returns the ``greeting`` and a function that answers questions.
    path : path
        File or folder to read, for messages; its size determines the limits.
    keep : int, optional
        File descriptor that the process uses too; all others are closed in it.

    Attributes
    ----------
    greeting : object
        First value that ``begin`` returned.

    Raises
    ------
    InputError
        If the process ends before it answers.
    """

    def __init__(
        self, begin: Callable[[], tuple[Any, Callable[[Any], Any]]], path: Path | str, keep: int | None = None
    ) -> None:
        self.path, self._turn = path, threading.Lock()
        size = _size(Path(path))
        self._seconds, self._memory = SECONDS + size / _BYTES_PER_SECOND, _memory(size)
        self._ours, theirs = Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _serve(begin, theirs, keep, self._seconds, self._memory)
        theirs.close()
        self.close = weakref.finalize(self, _end, self._pid, os.getpid(), self._ours)
        try:
            self.greeting = self._answer(self._seconds)
        except ValueError as error:
            self.close()
            if isinstance(error, MorpholawError):
                raise
            raise InputError(f"{path} cannot be read: {error}.") from None

    def ask(self, question: Any, whole: bool = True) -> Any:
        """Return the answer to a question.

        Parameters
        ----------
        question : object
            Argument for the function that ``begin`` returned.
        whole : bool
            Whether the answer may take as long as reading the whole file, or only :data:`SECONDS`.

        Returns
        -------
        object

        Raises
        ------
        InputError
            If the reader raises one, the answer takes too much memory or time, or the process ends.
        ValueError
            For any other error of a library on a damaged file.
        """
        allowed = self._seconds if whole else SECONDS
        with self._turn:
            try:
                self._ours.send((question, allowed))
            except (OSError, ValueError):
                raise InputError(f"{self.path} cannot be read any more: its reader has ended.") from None
            return self._answer(allowed)

    def _answer(self, seconds: float) -> Any:
        try:
            kind, value = self._ours.recv()
        except (EOFError, OSError):
            raise InputError(f"{self.path} cannot be read: {self._end_of_process(seconds)}.") from None
        except (
            BaseException
        ):  # such as Ctrl-C: a late answer would be taken for the answer to the next question
            self.close()
            raise
        if kind == "memory":
            most = f"{self._memory / 2**30:.0f} GB of memory"
            raise InputError(f"{self.path} cannot be read: it takes more than {most}, {_TOO_MUCH}.")
        if kind == "damage":
            raise ValueError(value)
        if kind == "error":
            raise error_of_kind(*value)
        return value

    def _end_of_process(self, seconds: float) -> str:
        """Return how the process ended, for a message."""
        _, status = os.waitpid(self._pid, 0)
        self._ours.close()
        self.close.detach()
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGPROF:
            return f"it took more than {seconds:.0f} s of computing, {_TOO_MUCH}"
        if code == -signal.SIGALRM:
            return f"it took more than {PATIENCE * seconds:.0f} s, {_TOO_MUCH}"
        if code == -signal.SIGKILL:
            return "its reader was ended by the system, as happens where memory runs out"
        how = f"signal {-code}" if code < 0 else f"status {code}"
        return f"the library that reads it crashed ({how}), so the file is damaged"


def read_apart(read: Callable[[], _Answer], source: Any) -> _Answer:
    """Return the result of ``read()``, called in a separate process if ``source`` is a file or folder.

    Raises
    ------
    InputError
        If it takes more memory or time than a file of this size can need, or a library crashes.
    """
    if not can_read_apart(source):
        return read()

    def begin() -> tuple[_Answer, Callable[[Any], Any]]:
        return read(), _no_answer

    process = ReaderProcess(begin, source)
    process.close()
    answer: _Answer = process.greeting
    return answer


@contextlib.contextmanager
def answered_apart(answer: Callable[[Any], Any], path: Path | str) -> Iterator[Callable[[Any], Any]]:
    """Let ``answer`` answer questions about a folder in a separate process for the duration of the block."""
    if not can_read_apart(path):
        yield answer
        return
    process = ReaderProcess(lambda: (None, answer), path)
    try:
        yield process.ask
    finally:
        process.close()


def can_read_apart(source: Any) -> bool:
    """Return whether ``source`` is a path that this system can read in a separate process."""
    return sys.platform == "linux" and isinstance(source, (str, os.PathLike))


def _no_answer(_: Any) -> None:
    """Answer nothing."""


def _end(pid: int, owner: int, connection: Connection) -> None:
    """End a reader process; only the process that started it may do so."""
    if os.getpid() == owner:
        connection.close()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _serve(
    begin: Callable[[], tuple[Any, Callable[[Any], Any]]],
    connection: Connection,
    keep: int | None,
    seconds: float,
    memory: int,
) -> None:
    """Answer questions until the caller has closed the connection; never returns."""
    try:
        _keep_only({connection.fileno()} | ({keep} if keep is not None else set()))
        gc.freeze()  # objects of the calling process must not be finalised in this one
        _limit_memory(memory)
        with _limited(seconds):
            kind, opened = _outcome(begin)
        if kind != "value":
            connection.send((kind, opened))
            return
        greeting, answer = opened
        connection.send((kind, greeting))
        while True:
            question, allowed = connection.recv()
            with _limited(allowed):
                outcome = _outcome(partial(answer, question))
            connection.send(outcome)
    finally:
        os._exit(0)


def _outcome(call: Callable[[], Any]) -> tuple[str, Any]:
    """Return the result of ``call`` or a description of its error, preceded by the kind."""
    try:
        return "value", call()
    except MemoryError:
        return "memory", None
    except MorpholawError as error:
        return "error", (kind_of(error), str(error))
    except OSError as error:
        return (
            ("memory", None) if error.errno == errno.ENOMEM else ("damage", error.strerror or reason(error))
        )
    except Exception as error:
        return "damage", reason(error)


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Let the kernel end this process if the block exceeds the limits of CPU time or elapsed time."""
    limits = {signal.ITIMER_PROF: seconds, signal.ITIMER_REAL: PATIENCE * seconds}
    for timer, limit in limits.items():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for timer in limits:
            signal.setitimer(timer, 0)


def _keep_only(descriptors: set[int]) -> None:
    """Close everything else that the calling process has open: locks, pipes of other readers, its terminal."""
    for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    silent = os.open(os.devnull, os.O_RDWR)
    # without a terminal, the numbers of the standard streams may be among the descriptors to keep
    for standard in set(range(_FIRST_OWN)) - descriptors:
        os.dup2(silent, standard)
    descriptors_to_keep = sorted(one for one in descriptors if one >= _FIRST_OWN)
    kept = [_FIRST_OWN - 1, *descriptors_to_keep, os.sysconf("SC_OPEN_MAX")]
    for before, after in itertools.pairwise(kept):
        os.closerange(before + 1, after)


def _limit_memory(memory: int) -> None:
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + memory if most == resource.RLIM_INFINITY else min(used + memory, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _memory(size: int) -> int:
    """Return the bytes that reading a file of ``size`` bytes may use in addition to mapping it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return size + max(MEMORY, min(EXPANSION * size, machine // 2))


def _size(path: Path) -> int:
    """Return the size in bytes of a file, or of the files in a folder, of which at most :data:`_MOST_FILES` count."""
    total = count = 0
    with contextlib.suppress(OSError):
        if not path.is_dir():
            return path.stat().st_size
        for folder, _, names in os.walk(path):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
                count += 1
            if count > _MOST_FILES:
                break
    return total
