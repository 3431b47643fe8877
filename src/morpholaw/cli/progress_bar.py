"""Progress display of commands, and cancellation with Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from morpholaw.events import Monitor
from morpholaw.progress_bar import progress_bar


@contextmanager
def progress() -> Iterator[Monitor]:
    """Display the progress of a step. The first Ctrl-C asks the step to stop; the second ends the program."""
    stop = threading.Event()

    def interrupt(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        print("Stopping after the current batch; press Ctrl-C again to quit at once.", file=sys.stderr)

    previous = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, interrupt)
    try:
        with progress_bar() as show:
            yield Monitor(show, stop.is_set)
    finally:
        signal.signal(signal.SIGINT, previous)
