"""The processor's cores: how many there are for us, and how many nothing else keeps busy. No torch."""

from __future__ import annotations

import os

import psutil

LOOK = 0.2
"""Seconds that the processor is watched for; this process waits meanwhile, so that it does not see itself."""


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_cores() -> int:
    """Cores that nothing else keeps busy right now, at least one."""
    busy = psutil.cpu_percent(LOOK) / 100 * (psutil.cpu_count() or 1)
    return max(1, min(available_cores(), round(available_cores() - busy)))
