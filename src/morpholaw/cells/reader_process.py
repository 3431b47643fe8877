"""A process that reads what somebody sent and can be ended: its memory and its time have limits that the kernel keeps.

A library that hangs, eats memory or crashes on a file ends this process only, and the caller gets one sentence.
The process is a fork, which costs milliseconds, and reads nothing but what it was made for. Only Linux forks safely and
limits memory: elsewhere files are read in the process at hand, and there a job's own process is what can be ended.
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
"""How long an answer may compute, and a second more for each megabyte of the file where all of it is read."""
PATIENCE = 3
"""How many times as long it may take in all, on a busy machine or a slow network."""
MEMORY = 3 << 30
"""Bytes that reading may take, or :data:`EXPANSION` times the file where that is more and the machine has as much."""
EXPANSION = 20
_BYTES_PER_SECOND = 1_000_000
_MOST_FILES = 20_000
_TOO_MUCH = "more than a file of its size can need"
_FIRST_OWN = 3
"""The first file descriptor after standard input, output and error."""


class ReaderProcess:
    """Answers questions about one file or folder in a process of its own, one at a time.

    Parameters
    ----------
    begin : callable
        Called in the process; returns what ``greeting`` is to be, and a function that answers questions.
    path : path
        What is read, for messages; its size sets the limits.
    keep : int, optional
        A file descriptor that the process uses as well; all others are closed there.

    Attributes
    ----------
    greeting : object
        The first value that ``begin`` returned.

    Raises
    ------
    InputError
        When the process ends before it answers.
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
            What the second value that ``begin`` returned is called with.
        whole : bool
            Whether the answer may take as long as reading the whole file, or :data:`SECONDS` only.

        Raises
        ------
        InputError
            The reader's own, or where the answer takes too much memory or time, or the process ends.
        ValueError
            Whatever else a library says about a damaged file.
        """
        allowed = self._seconds if whole else SECONDS
        with self._turn:
            try:
                self._ours.send((question, allowed))
            except (OSError, ValueError):
                raise InputError(f"{self.path} is not read any more: its reader was ended.") from None
            return self._answer(allowed)

    def _answer(self, seconds: float) -> Any:
        try:
            kind, value = self._ours.recv()
        except (EOFError, OSError):
            raise InputError(f"{self.path} cannot be read: {self._end_of_process(seconds)}.") from None
        except BaseException:  # e.g. Ctrl-C: an answer that nobody waits for would be taken for the next one
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
        """Say how the process ended."""
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
    """Return what ``read()`` returns, called in a process that can be ended where ``source`` is a file or folder.

    Raises
    ------
    InputError
        When it takes more memory or time than a file of this size can need, or a library crashes.
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
    """Have ``answer`` answer questions about a folder in a process that can be ended, while the block lasts."""
    if not can_read_apart(path):
        yield answer
        return
    process = ReaderProcess(lambda: (None, answer), path)
    try:
        yield process.ask
    finally:
        process.close()


def can_read_apart(source: Any) -> bool:
    """Whether ``source`` is a path, and this system can read it in a process of its own."""
    return sys.platform == "linux" and isinstance(source, (str, os.PathLike))


def _no_answer(_: Any) -> None:
    """Answer nothing."""


def _end(pid: int, owner: int, connection: Connection) -> None:
    """End a reader; only the process that made it may."""
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
    """Be the process: answer until nobody asks any more. Never returns."""
    try:
        _keep_only({connection.fileno()} | ({keep} if keep is not None else set()))
        gc.freeze()  # what the asking process has left to collect is not this one's to finish
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
                found = _outcome(partial(answer, question))
            connection.send(found)
    finally:
        os._exit(0)


def _outcome(call: Callable[[], Any]) -> tuple[str, Any]:
    """Return what ``call`` returns, or how to raise its error on the other side; the kind is in front."""
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
    """Let the kernel end this process if the block computes or waits for longer."""
    limits = {signal.ITIMER_PROF: seconds, signal.ITIMER_REAL: PATIENCE * seconds}
    for timer, limit in limits.items():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for timer in limits:
            signal.setitimer(timer, 0)


def _keep_only(descriptors: set[int]) -> None:
    """Let go of everything else that the asking process has open: locks, pipes of other readers, its terminal."""
    for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    silent = os.open(os.devnull, os.O_RDWR)
    # without a terminal, the numbers of the standard streams may be those of what is kept
    for standard in set(range(_FIRST_OWN)) - descriptors:
        os.dup2(silent, standard)
    own = sorted(one for one in descriptors if one >= _FIRST_OWN)
    kept = [_FIRST_OWN - 1, *own, os.sysconf("SC_OPEN_MAX")]
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
    """Return the bytes that reading a file of ``size`` bytes may take beyond mapping it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return size + max(MEMORY, min(EXPANSION * size, machine // 2))


def _size(path: Path) -> int:
    """Return the bytes of a file, or of the files in a folder, of which at most :data:`_MOST_FILES` are counted."""
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
