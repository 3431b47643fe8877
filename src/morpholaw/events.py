"""Events that long-running steps report, and the monitor that receives them and can stop a step.

Every long-running step takes a :class:`Monitor`. The default, :data:`SILENT`, ignores all events and never stops, so
that a step is an ordinary function call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Progress:
    """Progress of a step: ``done`` of ``total`` units of work in the part named ``stage``."""

    done: int
    total: int | None
    stage: str = ""


@dataclass(frozen=True)
class Metrics:
    """Values to plot against ``step``, such as the reconstruction error or the total correlation."""

    step: int
    values: dict[str, float]


@dataclass(frozen=True)
class Front:
    """The Pareto front of laws found so far: rising complexities, and the falling loss of each.

    ``law`` is the law with the lowest loss plus complexity penalty; "" if the engine does not report it.
    """

    complexity: list[int]
    loss: list[float]
    law: str = ""


@dataclass(frozen=True)
class Preview:
    """Images of the work so far; ``images`` is (rows, columns, y, x), float32 in [0, 1]."""

    name: str
    images: np.ndarray


@dataclass(frozen=True)
class Message:
    """A sentence for the user; ``level`` is "info" or "warning"."""

    text: str
    level: str = "info"


@dataclass(frozen=True)
class Result:
    """The last event of a step: its result as plain JSON values."""

    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The last event of a failed step: the error message, and the name of the error's type."""

    text: str
    kind: str = "InputError"


Event = Progress | Metrics | Front | Preview | Message | Result | Failure
ShouldStop = Callable[[], bool]
"""Returns whether the work should stop."""


def _ignore(event: Event) -> None:
    """Ignore an event."""


def never() -> bool:
    """Return False: never stop (the default)."""
    return False


@dataclass(frozen=True)
class Monitor:
    """Receives the events of a long-running step and can stop it.

    Attributes
    ----------
    emit : callable
        Called with each :data:`Event`; by default, events are ignored.
    should_stop : callable
        Called at every batch. If it returns True, the step keeps its results so far and returns. By default never.

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

    def tell(self, text: str) -> None:
        """Emit a sentence for the user.

        Parameters
        ----------
        text : str
            The sentence.
        """
        self.emit(Message(text))

    def warn(self, text: str) -> None:
        """Emit a sentence that the user should not overlook.

        Parameters
        ----------
        text : str
            The sentence.
        """
        self.emit(Message(text, "warning"))


class StopFlag:
    """A ``should_stop`` of a :class:`Monitor` that can be set from another thread.

    Attributes
    ----------
    seen : bool
        Whether a step has asked and was told to stop. If not, the step ended before it could be stopped, and its result
        is complete.
    """

    def __init__(self) -> None:
        self._set = threading.Event()
        self.seen = False

    def set(self) -> None:
        """Ask the step to stop."""
        self._set.set()

    def is_set(self) -> bool:
        """Return whether the step was asked to stop."""
        return self._set.is_set()

    def __call__(self) -> bool:
        """Return whether the step should stop, and remember that it was told so."""
        self.seen = self.seen or self._set.is_set()
        return self._set.is_set()


SILENT = Monitor()
"""Ignores all events and never stops a step."""
