"""CPU cores: how many this process may use, and how many nothing else keeps busy. No torch."""

from __future__ import annotations

import os

import psutil

WATCH_SECONDS = 0.2
"""Seconds over which the load is measured; this process waits meanwhile, so that it does not measure itself."""


def available_cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_cores() -> int:
    """Return the number of cores that nothing else keeps busy right now, at least one."""
    busy = float(psutil.cpu_percent(WATCH_SECONDS)) / 100 * (psutil.cpu_count() or 1)
    return max(1, min(available_cores(), round(available_cores() - busy)))
