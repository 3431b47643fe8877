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
"""Seconds that a panel may take to open, and that it or a tab may block the window meanwhile."""
STALL_LIMIT = 0.05
"""Seconds that the event loop may stall beyond what it does without training."""
APPLY_LIMIT = 3.0
"""Seconds that a classifier may take to score the sample, where a process waits for it."""
STOP_LIMIT = 2.0
"""Seconds from Stop to the training's end."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure seconds to open the slowest panel, blocking by panels and tabs, and stalls with and without training."""
    found = _in_a_window()
    opening, gaps = found["opening_s"], found["gaps_ms"]
    slowest = max(opening, key=lambda name: opening[name])
    alone, training = (gaps[state]["max"] / 1000 for state in ("alone", "training"))
    gaps_of_tabs = {name: max(gap for gap, _ in turns) for name, turns in found["tabs"].items()}
    tab = max(gaps_of_tabs, key=lambda name: gaps_of_tabs[name])
    allowed = f"longest stall without training ({alone:.3f} s) and {STALL_LIMIT} s"
    return [
        Comparison([training], [alone + STALL_LIMIT], allowed, 1, "s"),
        Comparison([opening[slowest]], [OPENING_LIMIT], f"limit of opening a panel ({slowest})", 1, "s"),
        Comparison([gaps_of_tabs[tab]], [OPENING_LIMIT], f"limit of blocking at an opening ({tab})", 1, "s"),
        Comparison([found["apply_s"][1]], [APPLY_LIMIT], "limit of Apply on the sample, once warm", 1, "s"),
        Comparison([found["ask_s"][0]], [APPLY_LIMIT], "limit of least sure first, once warm", 1, "s"),
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
