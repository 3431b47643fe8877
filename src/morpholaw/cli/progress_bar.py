"""Progress in the shell, and what Ctrl-C does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from morpholaw.events import Monitor
from morpholaw.progress_bar import progress_bar


@contextmanager
def progress() -> Iterator[Monitor]:
    """Display a step's progress. The first Ctrl-C asks the step to stop, the second ends it."""
    asked = {"stop": False}

    def interrupt(number: int, frame: Any) -> None:
        if asked["stop"]:
            raise KeyboardInterrupt
        asked["stop"] = True
        print("Stopping at the next batch; press Ctrl-C again to end at once.", file=sys.stderr)

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, interrupt)
    try:
        with progress_bar() as show:
            yield Monitor(show, lambda: asked["stop"])
    finally:
        signal.signal(signal.SIGINT, before)
