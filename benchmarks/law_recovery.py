"""How often a known law is recovered from labels, by Morpholaw and by other engines that a user can install.

The laws, their rows and the goal are those of ``morpholaw.bench.known_laws``. Every engine gets the same time and the
same number of processes for each seed. Writes a table in Markdown:

    python benchmarks/law_recovery.py --seeds 10 --seconds 300 --processes 2 --out laws.md
"""

# ruff: noqa: E402  (thread counts must be set before NumPy is imported)

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np

from morpholaw.bench.known_laws import LAWS, NAMES, make_data
from morpholaw.bench.law_engines import ENGINES, unavailable
from morpholaw.models.expressions import parse
from morpholaw.training.symbolic import refit


@dataclass(frozen=True)
class Row:
    """The result of one engine with one seed."""

    accuracy: float
    complexity: int
    size: int
    seconds_to_goal: float | None
    text: str


def run_one(task: tuple[str, str, int, float]) -> list[tuple[float, float, str]]:
    """Run one process, and return (seconds, loss, text) each time a new best law was found."""
    engine, law, seed, seconds = task
    data, best, found = make_data(LAWS[law]), np.inf, []
    with np.errstate(all="ignore"), contextlib.redirect_stdout(None):
        for item in ENGINES[engine](data, seed, seconds):
            if item.loss < best:
                best = item.loss
                found.append((item.seconds, item.loss, item.expression.text()))
    return found


def run(engine: str, law: str, seed: int, seconds: float, processes: int) -> Row | None:
    """Return the law with the best training loss over all processes, refitted, and when the goal was first met."""
    tasks = [(engine, law, 100 * seed + process, seconds) for process in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        found = sorted(item for share in pool.map(run_one, tasks) for item in share)
    data, best, goal_at = make_data(LAWS[law]), np.inf, None
    chosen = None
    for at, loss, text in found:
        if loss < best:
            best, chosen = loss, parse(text, NAMES)
            if goal_at is None and data.accuracy(chosen) >= data.goal:
                goal_at = at
    if chosen is None:
        return None
    chosen = refit(chosen, data.x, data.y)
    return Row(data.accuracy(chosen), chosen.complexity(), chosen.size, goal_at, chosen.text())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--laws", default="A,B")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--out", type=Path, default=Path("laws_recovery.md"))
    options = parser.parse_args()
    missing = unavailable()
    lines = [
        f"{options.seeds} seeds, {options.seconds:g} s on {options.processes} processes each.",
        "",
        "| law | engine | recovered | accuracy, mean (worst) | complexity, mean | seconds to goal, median |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    details = [
        "",
        "| law | engine | seed | accuracy | complexity | seconds to goal | expression |",
        "| --- " * 7 + "|",
    ]
    for law in options.laws.split(","):
        goal = make_data(LAWS[law]).goal
        for engine in options.engines.split(","):
            if engine in missing:
                lines.append(f"| {law} | {engine} | not run: {missing[engine]} | | | |")
                continue
            rows = [
                run(engine, law, seed, options.seconds, options.processes) for seed in range(options.seeds)
            ]
            done = [row for row in rows if row is not None]
            for seed, row in enumerate(rows):
                if row is not None:
                    when = "-" if row.seconds_to_goal is None else f"{row.seconds_to_goal:.0f}"
                    cells = [
                        law,
                        engine,
                        seed,
                        f"{100 * row.accuracy:.2f}",
                        row.complexity,
                        when,
                        f"`{row.text}`",
                    ]
                    details.append(f"| {' | '.join(map(str, cells))} |")
            hits = sum(row.accuracy >= goal for row in done)
            accuracies = [100 * row.accuracy for row in done] or [float("nan")]
            times = [row.seconds_to_goal for row in done if row.seconds_to_goal is not None]
            lines.append(
                f"| {law} (goal {100 * goal:.2f} %) | {engine} | {hits} of {options.seeds} "
                f"| {np.mean(accuracies):.2f} ({np.min(accuracies):.2f}) "
                f"| {np.mean([row.complexity for row in done] or [float('nan')]):.1f} "
                f"| {f'{np.median(times):.0f}' if times else 'never'} |"
            )
            print(lines[-1], flush=True)
    options.out.write_text("\n".join(lines + details) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
