"""Display of progress: a bar in a terminal, or a line from time to time elsewhere."""

from __future__ import annotations

import functools
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from morpholaw.events import Event, Front, Message, Metrics, Monitor
from morpholaw.events import Progress as Done

EVERY = 10.0
"""Seconds between two lines of progress without a terminal."""


@contextmanager
def progress_bar() -> Iterator[Callable[[Event], None]]:
    """Yield a function that displays events on standard error until the block ends."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<16}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}", markup=False),
        console=console,
        refresh_per_second=4,
    )
    tasks: dict[str, TaskID] = {}
    details = _Details()

    def show(event: Event) -> None:
        details.note(event)
        if isinstance(event, Message):
            bar.console.print(_sentence(event), highlight=False)
        elif isinstance(event, Done):
            if event.stage not in tasks:
                tasks[event.stage] = bar.add_task(event.stage or "working", total=event.total, numbers="")
            bar.update(tasks[event.stage], completed=event.done, total=event.total, numbers=details.text)

    with bar:
        yield show


class _Details:
    """Values and best law of the present stage, for display beside the progress."""

    def __init__(self) -> None:
        self._stage = ""
        self._noted: dict[str, str] = {}
        self._shown: dict[str, str] = {}

    def note(self, event: Event) -> None:
        """Update the details from an event; those of the previous stage are dropped once a new one has begun."""
        if isinstance(event, Metrics):
            numbers = (f"{name} {value:.4g}" for name, value in list(event.values.items())[:5])
            self._noted["numbers"] = "  ".join(numbers)
        elif isinstance(event, Front):
            self._noted["law"] = event.law
        elif isinstance(event, Done):
            before = self._shown if event.stage == self._stage else {}
            self._stage, self._shown, self._noted = event.stage, before | self._noted, {}

    @property
    def text(self) -> str:
        """Text to display: the best law, else the values, because the lowest loss is not that of the best law."""
        return self._shown.get("law") or self._shown.get("numbers", "")


class _Lines:
    """Writes messages at once, and the progress every few seconds with details that have changed."""

    def __init__(self) -> None:
        self.written, self.details, self.shown = time.monotonic(), _Details(), ""

    def __call__(self, event: Event) -> None:
        self.details.note(event)
        if isinstance(event, Message):
            print(_sentence(event), file=sys.stderr, flush=True)
        elif isinstance(event, Done) and time.monotonic() - self.written >= EVERY:
            self.written = time.monotonic()
            share = f" {event.done / event.total:.0%}" if event.total else f" {event.done:,}"
            details = "" if self.details.text == self.shown else self.details.text
            self.shown = self.details.text
            print(f"{event.stage or 'working'}{share}  {details}".rstrip(), file=sys.stderr, flush=True)


def _sentence(event: Message) -> str:
    return event.text if event.level == "info" else f"Warning: {event.text}"


Step = TypeVar("Step", bound=Callable[..., Any])


def shows_progress(step: Step) -> Step:
    """Decorate a method to display its progress if ``monitor`` is not given and its object has ``progress`` set."""
    signature = inspect.signature(step)

    @functools.wraps(step)
    def displayed(owner: Any, *arguments: Any, **keywords: Any) -> Any:
        if not owner.progress or "monitor" in signature.bind_partial(owner, *arguments, **keywords).arguments:
            return step(owner, *arguments, **keywords)
        with progress_bar() as show:
            return step(owner, *arguments, monitor=Monitor(show), **keywords)

    return cast(Step, displayed)
