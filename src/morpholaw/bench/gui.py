"""Responsiveness of the window: stalls of its event loop during training, and times to open panels.

The window runs in a child process (:mod:`morpholaw.widgets.window_latency`), because only the widgets import Qt.
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
"""Limit of the time to open a panel and of the blocking by a panel or tab, in seconds."""
STALL_LIMIT = 0.05
"""Limit of the stall of the event loop beyond that without training, in seconds."""
APPLY_LIMIT = 3.0
"""Limit of the time to score the sample with a waiting process, in seconds."""
STOP_LIMIT = 2.0
"""Limit of the time from Stop to the end of the training, in seconds."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure the seconds to open the slowest panel, blocking by panels and tabs, and stalls during training."""
    measured = _in_a_window()
    opening, gaps = measured["opening_s"], measured["gaps_ms"]
    slowest = max(opening, key=lambda name: opening[name])
    alone, training = (gaps[state]["max"] / 1000 for state in ("alone", "training"))
    gaps_of_tabs = {
        name: max(gap for gap, _ in [*turns, measured["opening_gap"].get(name, (0.0, 0.0))])
        for name, turns in measured["tabs"].items()
    }
    tab = max(gaps_of_tabs, key=lambda name: gaps_of_tabs[name])
    allowed = f"longest stall without training ({alone:.3f} s) and {STALL_LIMIT} s"
    return [
        Comparison([training], [alone + STALL_LIMIT], allowed, 1, "s"),
        Comparison([opening[slowest]], [OPENING_LIMIT], f"limit of opening a panel ({slowest})", 1, "s"),
        Comparison([gaps_of_tabs[tab]], [OPENING_LIMIT], f"limit of blocking at an opening ({tab})", 1, "s"),
        Comparison(
            [measured["apply_s"][1]], [APPLY_LIMIT], "limit of Apply on the sample, once warm", 1, "s"
        ),
        Comparison([measured["ask_s"][0]], [APPLY_LIMIT], "limit of least sure first, once warm", 1, "s"),
        Comparison([measured["stop_s"]], [STOP_LIMIT], "limit of Stop", 1, "s"),
    ]


def _in_a_window() -> dict[str, Any]:
    command = [sys.executable, "-m", "morpholaw.widgets.window_latency"]
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        if not shutil.which("xvfb-run"):
            raise RuntimeError("this row needs a screen or xvfb-run")
        command = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(
            f"the window did not answer: {(done.stderr.strip().splitlines() or ['no output'])[-1]}"
        )
    measured: dict[str, Any] = json.loads(lines[-1])
    return measured
