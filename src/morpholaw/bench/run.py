"""Measures one row per process: ``python -m morpholaw.bench.run ROW`` prints the row as JSON.

A separate process measures the peak memory of the row alone, and a peer that crashes does not end the table.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from typing import Any

from morpholaw.bench import ROWS
from morpholaw.bench.machine import describe_machine, peak_memory_mb
from morpholaw.errors import InputError

MARK = "morpholaw-row:"


def run_row(name: str, full: bool = False) -> dict[str, Any]:
    """Measure one row in a child process.

    Parameters
    ----------
    name : str
        A key of :data:`morpholaw.bench.ROWS`.
    full : bool
        Measure at full size, which may take an hour, instead of on a sample.

    Returns
    -------
    dict
        Fields of the main comparison (see :class:`~morpholaw.bench.comparison.Comparison`), with ``title``,
        ``also`` (further comparisons), ``peak_memory_mb``, ``seconds`` and ``machine``. If the row could not be
        measured, its numbers are None and ``note`` gives the reason.
    """
    if name not in ROWS:
        raise InputError(f"There is no row {name!r}; the rows are {', '.join(ROWS)}.")
    command = [sys.executable, "-m", "morpholaw.bench.run", name, *(["--full"] if full else [])]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            row: dict[str, Any] = json.loads(line.removeprefix(MARK))
            return row
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    nothing = dict.fromkeys(("ours", "peer", "peer_name", "ratio", "goal", "met", "unit", "peak_memory_mb"))
    return {**nothing, "title": ROWS[name], "also": [], "note": f"The row could not be measured: {last}"}


def measure_row(name: str, full: bool = False) -> dict[str, Any]:
    """Measure one row in this process; see :func:`run_row`."""
    from time import perf_counter

    machine, begin = describe_machine(), perf_counter()
    main, *also = import_module(f"morpholaw.bench.{name}").measure(full)
    return {
        **main.to_json(),
        "title": ROWS[name],
        "also": [comparison.to_json() for comparison in also],
        "peak_memory_mb": peak_memory_mb(),
        "seconds": round(perf_counter() - begin, 1),
        "full": full,
        "machine": machine,
    }


if __name__ == "__main__":
    print(MARK + json.dumps(measure_row(sys.argv[1], "--full" in sys.argv[2:])))
