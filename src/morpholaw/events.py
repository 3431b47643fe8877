"""What a long step says while it runs, and how it is asked to stop.

A step takes ``report`` (called with an event) and ``should_stop`` (asked at every batch). Both have
defaults that do nothing, so that a step is an ordinary function call.
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
    """The laws found so far: the complexities (rising) that earn their place, and the loss of each (falling)."""

    complexity: list[int]
    loss: list[float]


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
    """The last event of a step that could not be done: the sentence that says why."""

    text: str


Event = Progress | Metrics | Front | Preview | Message | Result | Failure
Report = Callable[[Event], None]
ShouldStop = Callable[[], bool]


def silent(event: Event) -> None:
    """Ignore an event: the default ``report``."""


def never() -> bool:
    """Go on for ever: the default ``should_stop``."""
    return False
