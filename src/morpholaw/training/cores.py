"""The processor's cores: how many there are for us, and how many nothing else keeps busy. No torch."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_cores() -> int:
    """Cores that nothing else keeps busy right now, at least one."""
    try:
        busy = os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has no load average
        busy = 0.0
    return max(1, min(available_cores(), round(available_cores() - busy)))
