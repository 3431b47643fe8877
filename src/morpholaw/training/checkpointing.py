"""How a long training is kept while it runs, so that it can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class Checkpointing(Generic[State]):
    """Where the state of a training goes, and the state that it resumes from.

    A resumed training gives the same result as an uninterrupted one with the same arguments.

    Attributes
    ----------
    save : callable, optional
        Called with the state now and then, and when the training is stopped.
    resume : optional
        A state that ``save`` was called with.
    seconds : float
        Seconds between two saves.
    """

    save: Callable[[State], None] | None = None
    resume: State | None = None
    seconds: float = 30.0


NO_CHECKPOINTS: Checkpointing[Any] = Checkpointing()
"""Keep nothing and start from the beginning."""
