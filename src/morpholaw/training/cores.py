"""The number of CPU cores that this process may use and that are free. Needs no torch."""

from __future__ import annotations

import os
import time

import psutil

WATCH_SECONDS = 0.2
"""Seconds over which the load is measured. The process sleeps meanwhile, so that it does not measure itself."""

DECIDE_EVERY = 2.0
"""Seconds between two counts of the free cores."""
ALL_BUSY = 0.95
"""Share of the time of all cores from which they count as busy."""


def available_cores() -> int:
    """Return the number of CPU cores available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """Return the maximum number of threads: OMP_NUM_THREADS if set, else the number of available cores."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return min(available_cores(), max(1, int(stated))) if stated.isdecimal() else available_cores()


def free_cores() -> int:
    """Return the number of cores that are idle now, at least 1."""
    busy = float(psutil.cpu_percent(WATCH_SECONDS)) / 100 * (psutil.cpu_count() or 1)
    return max(1, min(available_cores(), round(available_cores() - busy)))


class CoresLeft:
    """Counts the cores that other processes leave free while this one works, without the wait of `free_cores`."""

    def __init__(self) -> None:
        self._before = _work_done()

    def count(self, threads: int = 1) -> int | None:
        """Return the cores that were free since the last count; None within `DECIDE_EVERY` seconds.

        Where all cores are busy, the threads of other processes that want to work are not seen directly, but from what
        the threads of this process get: all have the same share.

        Parameters
        ----------
        threads : int
            Number of threads on which this process works.
        """
        now = _work_done()
        seconds, busy, used_here = (after - before for after, before in zip(now, self._before, strict=True))
        if seconds < DECIDE_EVERY:
            return None
        self._before = now
        cores = available_cores()
        others = (busy - used_here) / seconds
        if busy > ALL_BUSY * cores * seconds and used_here > 0:
            others = max(others, threads * (busy - used_here) / used_here)
        return max(0, min(cores, round(cores - others)))


def _work_done() -> tuple[float, float, float]:
    """Return the time, and the CPU seconds used so far by all processes and by this process."""
    machine, process = psutil.cpu_times(), psutil.Process().cpu_times()
    busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0)
    return time.monotonic(), busy, process.user + process.system
