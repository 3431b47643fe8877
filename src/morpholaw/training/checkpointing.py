"""Checkpointing of long training runs, so that they can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class Checkpointing(Generic[State]):
    """How the state of a training run is saved, and the state to resume from.

    A resumed run gives the same result as an uninterrupted one with the same arguments.

    Attributes
    ----------
    save : callable, optional
        Called with the state at intervals, and when the run is stopped.
    resume : optional
        A state that was passed to ``save``.
    seconds : float
        Minimum time between two saves, in seconds.
    """

    save: Callable[[State], None] | None = None
    resume: State | None = None
    seconds: float = 30.0


NO_CHECKPOINTS: Checkpointing[Any] = Checkpointing()
"""No checkpoints: start from the beginning and save nothing."""
