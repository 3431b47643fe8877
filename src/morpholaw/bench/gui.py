"""The window: how long its event loop stalls while an encoder trains, and how long a panel takes to open.

The window runs in a child process (:mod:`morpholaw.widgets.window_latency`), since only widgets know Qt.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

from morpholaw.bench.comparison import Comparison

OPENING_LIMIT = 0.3
"""Seconds that a panel may take to open."""
STALL_LIMIT = 0.05
"""Seconds that the event loop may stall beyond what it does without training."""
STOP_LIMIT = 2.0
"""Seconds from Stop to the training's end."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure seconds to open the slowest panel, and the longest stalls with and without training."""
    found = _in_a_window()
    opening, gaps = found["opening_s"], found["gaps_ms"]
    slowest = max(opening, key=lambda name: opening[name])
    alone, training = (gaps[state]["max"] / 1000 for state in ("alone", "training"))
    allowed = f"longest stall without training ({alone:.3f} s) and {STALL_LIMIT} s"
    return [
        Comparison([training], [alone + STALL_LIMIT], allowed, 1, "s"),
        Comparison([opening[slowest]], [OPENING_LIMIT], f"limit of opening a panel ({slowest})", 1, "s"),
        Comparison([found["stop_s"]], [STOP_LIMIT], "limit of Stop", 1, "s"),
    ]


def _in_a_window() -> dict[str, Any]:
    command = [sys.executable, "-m", "morpholaw.widgets.window_latency"]
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        if not shutil.which("xvfb-run"):
            raise RuntimeError("this row needs a screen, or xvfb-run")
        command = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(
            f"the window did not answer: {(done.stderr.strip().splitlines() or ['no output'])[-1]}"
        )
    measured: dict[str, Any] = json.loads(lines[-1])
    return measured
