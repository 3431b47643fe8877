"""How responsive the window stays while an encoder trains, as a table in Markdown; takes about a minute.

Without a screen::

    xvfb-run -a -s "-screen 0 1400x1000x24" python benchmarks/window_latency.py
"""

from __future__ import annotations

import argparse
from typing import Any

from morpholaw.widgets.window_latency import measure


def table(found: dict[str, Any]) -> str:
    """Return the measurements, each with its limit, as a table."""
    gaps = found["gaps_ms"]
    slowest = max(found["opening_s"], key=found["opening_s"].get)
    torch = "not imported" if not found["torch_at_the_end"] else "IMPORTED"
    tracks, gallery = found["tracks"], found["gallery"]
    more = gaps["training"]["max"] - gaps["alone"]["max"]
    rows = [
        ("gaps of the event loop, slider moved: median, 99 %, longest", _gaps(gaps["alone"]), ""),
        ("... while a process starts and imports torch", _gaps(gaps["starting"]), ""),
        ("... while an encoder trains", _gaps(gaps["training"]), ""),
        ("longest gap more than without training", f"{more:.0f} ms", "50 ms"),
        (
            "slider to picture, median: alone, while it trains",
            f"{gaps['alone']['picture']:.0f}, {gaps['training']['picture']:.0f} ms",
            "50 ms",
        ),
        ("Stop", f"{found['stop_s']:.2f} s", "2 s"),
        (
            f"slowest panel to open ({slowest}): by the clock, of the CPU",
            f"{found['opening_s'][slowest]:.2f}, {found['opening_cpu_s'][slowest]:.2f} s",
            "0.3 s",
        ),
        ("torch in the window's process, at the end of all this", torch, "not imported"),
        (f"{tracks['vertices']:,} vertices of tracks coloured by score", f"{tracks['seconds']:.2f} s", "2 s"),
        (f"gallery of {gallery['cells']:,} cells opened", f"{gallery['opened_s']:.2f} s", ""),
        (
            "... scrolled over in 100 steps: crops read",
            f"{gallery['crops_read']:,}",
            "those shown",
        ),
        (
            "... one step: median, longest",
            f"{gallery['paint_median_ms']:.0f}, {gallery['paint_max_ms']:.0f} ms",
            "",
        ),
    ]
    head = ["| what | measured | limit |", "| --- | --- | --- |"]
    note = f"\n{found['cores']} cores; load average at the end {found['load']}."
    return "\n".join([*head, *(f"| {what} | {value} | {limit} |" for what, value, limit in rows), note])


def _gaps(gaps: dict[str, float]) -> str:
    return f"{gaps['median']:.0f}, {gaps['p99']:.0f}, {gaps['max']:.0f} ms"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    print(table(measure()))


if __name__ == "__main__":
    main()
