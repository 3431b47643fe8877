"""Timing of several tasks in turn, so that other load on the machine affects all of them equally."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any


def seconds(task: Callable[[], Any]) -> float:
    """Return the wall-clock time of ``task``, in seconds."""
    begin = perf_counter()
    task()
    return perf_counter() - begin


def in_turn(*tasks: Callable[[], Any], rounds: int = 7) -> list[list[float]]:
    """Return the seconds of each task in every round, after a first round that is not counted."""
    for task in tasks:
        task()
    taken: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for times, task in zip(taken, tasks, strict=True):
            times.append(seconds(task))
    return taken
