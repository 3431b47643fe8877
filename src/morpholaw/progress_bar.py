"""What a long step displays while it runs: a bar in a terminal, a line now and then elsewhere."""

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
"""Seconds between two lines of progress where there is no terminal."""


@contextmanager
def progress_bar() -> Iterator[Callable[[Event], None]]:
    """Return what displays events on the standard error, until the block ends."""
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
    numbers = law = ""

    def show(event: Event) -> None:
        nonlocal numbers, law
        if isinstance(event, Message):
            bar.console.print(_sentence(event), highlight=False)
        elif isinstance(event, Metrics):
            numbers = _numbers(event)
        elif isinstance(event, Front):
            law = event.law
        elif isinstance(event, Done):
            if event.stage not in tasks:
                tasks[event.stage] = bar.add_task(event.stage or "working", total=event.total, numbers="")
            bar.update(
                tasks[event.stage], completed=event.done, total=event.total, numbers=f"{numbers}  {law}"
            )

    with bar:
        yield show


class _Lines:
    """Writes messages at once, and how far the work is every few seconds."""

    def __init__(self) -> None:
        self.written, self.numbers, self.law = time.monotonic(), "", ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Message):
            print(_sentence(event), file=sys.stderr, flush=True)
        elif isinstance(event, Metrics):
            self.numbers = _numbers(event)
        elif isinstance(event, Front):
            self.law = event.law
        elif isinstance(event, Done) and time.monotonic() - self.written >= EVERY:
            self.written = time.monotonic()
            share = f" {event.done / event.total:.0%}" if event.total else f" {event.done:,}"
            print(
                f"{event.stage or 'working'}{share}  {self.numbers}  {self.law}".rstrip(),
                file=sys.stderr,
                flush=True,
            )


def _sentence(event: Message) -> str:
    return event.text if event.level == "info" else f"Warning: {event.text}"


def _numbers(event: Metrics) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in list(event.values.items())[:5])


Step = TypeVar("Step", bound=Callable[..., Any])


def shows_progress(step: Step) -> Step:
    """Let a method display its progress where no ``monitor`` is given and ``progress`` of its object is True."""
    signature = inspect.signature(step)

    @functools.wraps(step)
    def displayed(owner: Any, *given: Any, **named: Any) -> Any:
        if not owner.progress or "monitor" in signature.bind_partial(owner, *given, **named).arguments:
            return step(owner, *given, **named)
        with progress_bar() as show:
            return step(owner, *given, monitor=Monitor(show), **named)

    return cast(Step, displayed)
