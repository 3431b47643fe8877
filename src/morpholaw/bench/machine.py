"""Description of the machine for the table, and the peak memory of this process."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from morpholaw.training.cores import available_cores


def describe_machine() -> dict[str, Any]:
    """Return the CPU, cores, memory, versions, and the load before the row began."""
    return {
        "processor": _cpu_name(),
        "cores": available_cores(),
        "memory_gb": _memory_gb(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": _version("torch"),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage on Linux would include the parent's memory at the time of the fork
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    return round(
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024), 1
    )


def _cpu_name() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    fields = dict(part.split(":", 1) for part in lines if ":" in part)
    known = {name.strip(): value.strip() for name, value in fields.items()}
    name = known.get("model name") or platform.processor() or platform.machine()
    special = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in known.get("flags", "").split()]
    return f"{name} ({', '.join(special)})" if special else name


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
