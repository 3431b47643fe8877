"""CPU cores: how many this process may use, and how many nothing else keeps busy. No torch."""

from __future__ import annotations

import os
import time

import psutil

WATCH_SECONDS = 0.2
"""Seconds over which the load is measured; this process waits meanwhile, so that it does not measure itself."""


DECIDE_EVERY = 2.0
"""Seconds of work after which the free cores are counted again."""


def available_cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """Return how many threads this process may compute with: OMP_NUM_THREADS where it is set, else its cores."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return min(available_cores(), max(1, int(stated))) if stated.isdecimal() else available_cores()


def free_cores() -> int:
    """Return the number of cores that nothing else keeps busy right now, at least one."""
    busy = float(psutil.cpu_percent(WATCH_SECONDS)) / 100 * (psutil.cpu_count() or 1)
    return max(1, min(available_cores(), round(available_cores() - busy)))


class CoresLeft:
    """The cores that others leave to this process while it works: no waiting, as `free_cores` needs it."""

    def __init__(self) -> None:
        self._before = _work_done()

    def count(self) -> int | None:
        """Return how many since the last count, at least one; None within `DECIDE_EVERY` seconds of it."""
        now = _work_done()
        seconds, busy, own = (after - before for after, before in zip(now, self._before, strict=True))
        if seconds < DECIDE_EVERY:
            return None
        self._before = now
        others = (busy - own) / seconds
        return max(1, min(available_cores(), round(available_cores() - others)))


def _work_done() -> tuple[float, float, float]:
    """Return the time, and the CPU seconds that all processes and this one have used."""
    every, own = psutil.cpu_times(), psutil.Process().cpu_times()
    return time.monotonic(), sum(every) - every.idle - getattr(every, "iowait", 0.0), own.user + own.system
