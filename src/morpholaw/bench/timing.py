"""Timing of several tasks in turn, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any


def seconds(task: Callable[[], Any]) -> float:
    """Seconds on the wall that ``task`` takes."""
    begin = perf_counter()
    task()
    return perf_counter() - begin


def in_turn(*tasks: Callable[[], Any], rounds: int = 7) -> list[list[float]]:
    """Seconds of every task in every round, after one round that does not count."""
    for task in tasks:
        task()
    taken: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for times, task in zip(taken, tasks, strict=True):
            times.append(seconds(task))
    return taken
