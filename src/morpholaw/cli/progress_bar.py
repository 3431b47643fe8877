"""A progress bar with losses and time left, and what Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from morpholaw.events import Event, Message, Metrics, Monitor
from morpholaw.events import Progress as Done


@contextmanager
def progress() -> Iterator[Monitor]:
    """Return a progress bar with losses and time left. The first Ctrl-C asks the step to stop, the second ends it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    asked = {"stop": False}

    def interrupt(number: int, frame: Any) -> None:
        if asked["stop"]:
            raise KeyboardInterrupt
        asked["stop"] = True
        bar.console.print("Stopping at the next batch; press Ctrl-C again to end at once.")

    columns = (TextColumn("{task.description:<16}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
        console=Console(stderr=True),
        refresh_per_second=4,
    )
    tasks: dict[str, TaskID] = {}
    numbers = {"text": ""}

    def show(event: Event) -> None:
        if isinstance(event, Message):
            bar.console.print(
                event.text if event.level == "info" else f"Warning: {event.text}", highlight=False
            )
        elif isinstance(event, Metrics):
            numbers["text"] = "  ".join(
                f"{name} {value:.4g}" for name, value in list(event.values.items())[:5]
            )
        elif isinstance(event, Done):
            if event.stage not in tasks:
                tasks[event.stage] = bar.add_task(event.stage or "working", total=event.total, numbers="")
            bar.update(tasks[event.stage], completed=event.done, total=event.total, numbers=numbers["text"])

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, interrupt)
    try:
        with bar:
            yield Monitor(show, lambda: asked["stop"])
    finally:
        signal.signal(signal.SIGINT, before)
