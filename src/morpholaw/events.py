"""What a long step reports while it runs, and how it is asked to stop.

Every long step takes a :class:`Monitor`. The default, :data:`SILENT`, reports nothing and never stops, so that a
step is an ordinary function call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` units of work; ``stage`` names the part of the step."""

    done: int
    total: int | None
    stage: str = ""


@dataclass(frozen=True)
class Metrics:
    """Numbers to plot against ``step``, e.g. reconstruction, mutual information, total correlation."""

    step: int
    values: dict[str, float]


@dataclass(frozen=True)
class Front:
    """The laws found so far: the complexities (rising) that earn their place, and the loss of each (falling).

    ``law`` is the one of the least loss plus price of complexity, "" where the engine does not say.
    """

    complexity: list[int]
    loss: list[float]
    law: str = ""


@dataclass(frozen=True)
class Preview:
    """Pictures of the work so far; ``images`` (rows, columns, y, x), float32 in [0, 1]."""

    name: str
    images: np.ndarray


@dataclass(frozen=True)
class Message:
    """A sentence for the person who waits; ``level`` is "info" or "warning"."""

    text: str
    level: str = "info"


@dataclass(frozen=True)
class Result:
    """The last event of a step: what it made, as plain JSON values."""

    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The last event of a step that failed: the sentence that says why, and the name of the error's kind."""

    text: str
    kind: str = "InputError"


Event = Progress | Metrics | Front | Preview | Message | Result | Failure
ShouldStop = Callable[[], bool]
"""Asked whether the work was told to stop."""


def _ignore(event: Event) -> None:
    """Ignore an event."""


def never() -> bool:
    """Never ask a step to stop."""
    return False


@dataclass(frozen=True)
class Monitor:
    """Where a long step reports to, and whether it was asked to stop.

    Attributes
    ----------
    emit : callable
        Called with each :data:`Event`; by default events are ignored.
    should_stop : callable
        Asked at every batch; a step that gets True keeps what it has and returns. By default never.

    Examples
    --------
    >>> events = []
    >>> monitor = Monitor(events.append)
    >>> monitor.emit(Progress(1, 10))
    >>> events
    [Progress(done=1, total=10, stage='')]
    """

    emit: Callable[[Event], None] = _ignore
    should_stop: ShouldStop = never


SILENT = Monitor()
"""Reports nothing and never stops."""
