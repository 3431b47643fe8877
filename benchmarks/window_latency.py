"""Responsiveness of the window while an encoder trains, as a table in Markdown; takes about a minute.

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
        (
            "gaps of the event loop while a slider moves: median, 99th percentile, longest",
            _gaps(gaps["alone"]),
            "",
        ),
        ("the same, while a process starts and imports torch", _gaps(gaps["starting"]), ""),
        ("the same, while an encoder trains", _gaps(gaps["training"]), ""),
        ("increase of the longest gap through training", f"{more:.0f} ms", "50 ms"),
        (
            "delay from slider to image, median: without and with training",
            f"{gaps['alone']['picture']:.0f}, {gaps['training']['picture']:.0f} ms",
            "50 ms",
        ),
        ("delay from *Stop* to the end of the step", f"{found['stop_s']:.2f} s", "2 s"),
        (
            f"slowest panel to open ({slowest}): wall-clock and CPU time",
            f"{found['opening_s'][slowest]:.2f}, {found['opening_cpu_s'][slowest]:.2f} s",
            "0.3 s",
        ),
        (
            "Apply on the sample: first time, second time; order *least sure first*",
            "{:.1f}, {:.1f}; {:.1f} s".format(*found["apply_s"], *found["ask_s"]),
            "3 s, once warm",
        ),
        (
            "longest blocking while a panel opens for the first time, without a study: wall-clock and computing time",
            _longest(found["opening_gap"]),
            "0.3 s",
        ),
        (
            "the same for a panel or tab with a trained study, first and second time",
            "; ".join(
                _longest({name: turns[turn] for name, turns in found["tabs"].items()}) for turn in range(2)
            ),
            "0.3 s",
        ),
        ("torch in the window's process at the end", torch, "not imported"),
        (f"colouring {tracks['vertices']:,} track vertices by score", f"{tracks['seconds']:.2f} s", "2 s"),
        (f"opening a gallery of {gallery['cells']:,} cells", f"{gallery['opened_s']:.2f} s", ""),
        (
            "crops read while scrolling through it in 100 steps",
            f"{gallery['crops_read']:,}",
            "only those shown",
        ),
        (
            "one scroll step: median, longest",
            f"{gallery['paint_median_ms']:.0f}, {gallery['paint_max_ms']:.0f} ms",
            "",
        ),
    ]
    head = ["| what | measured | limit |", "| --- | --- | --- |"]
    note = f"\n{found['cores']} cores; load average at the end {found['load']}."
    return "\n".join([*head, *(f"| {what} | {value} | {limit} |" for what, value, limit in rows), note])


def _longest(gaps: dict[str, list[float]]) -> str:
    """Return the longest gap, wall-clock and computing time, with the name of its panel or tab."""
    name = max(gaps, key=lambda name: gaps[name][1])
    return "{}: {:.2f}, {:.2f} s".format(name, *gaps[name])


def tabs_table(gaps: dict[str, list[list[float]]]) -> str:
    """Return a table of how long each panel and tab blocks the window."""
    head = ["| panel, tab | first, s: wall-clock and computing time | second, s |", "| --- | --- | --- |"]
    rows = [
        f"| {name} | {first[0]:.2f}, {first[1]:.2f} | {second[0]:.2f}, {second[1]:.2f} |"
        for name, (first, second) in gaps.items()
    ]
    return "\n".join([*head, *rows])


def _gaps(gaps: dict[str, float]) -> str:
    return f"{gaps['median']:.0f}, {gaps['p99']:.0f}, {gaps['max']:.0f} ms"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tabs", action="store_true", help="a row for each panel and tab as well")
    arguments = parser.parse_args()
    found = measure()
    print(table(found))
    if arguments.tabs:
        print(f"\n{tabs_table(found['tabs'])}")


if __name__ == "__main__":
    main()
