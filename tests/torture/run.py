"""Torture Morpholaw for some minutes and write docs/reliability.md: ``make torture``.

Every part is a process of its own. ``--minutes`` is the time of all parts together.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
warnings.simplefilter("ignore")

SHARES = {
    **{"crashes": 0.37, "fuzz": 0.32, "hostile": 0.02, "environment": 0.08, "memory": 0.04, "cycles": 0.10},
    **{"annotators": 0.03, "leaders": 0.02, "names": 0.01, "reports": 0.01},
}
"""Share of the time that each part gets."""


def crashes(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Kills of every step: a sweep with even gaps first, then at random."""
    from crashes import STEPS, Crashes

    begun = time.monotonic()
    made = Crashes(place)
    per_step = max(1.0, seconds / 2 / len(STEPS))
    for name in STEPS:
        made.reference(name)
        began, offset = time.monotonic(), seed
        operations = made.operations[name]
        gap = max(1, operations // 8)
        made.sweep([name], gap, offset % gap, until=min(began + per_step, begun + seconds))
    made.at_random(begun + seconds, seed)
    return {**asdict(made.tally), "operations": made.operations}


def fuzz(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Changed files for all readers: each reader gets the same time, so that quick ones read more."""
    from fuzz import BATCH, READERS, Fuzzer

    fuzzer, until = Fuzzer(place, seed), time.monotonic() + seconds
    spent = dict.fromkeys(READERS, 0.0)
    while (began := time.monotonic()) < until:
        name = min(spent, key=lambda one: spent[one])
        fuzzer.feed(name, BATCH)
        spent[name] += time.monotonic() - began
    return {name: asdict(result) for name, result in fuzzer.results.items() if result.files}


def hostile(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """All files that mean harm, and the odd ones that do not."""
    from fuzz import judge
    from hostile import HARMLESS, HOSTILE

    found = {"refused": 0, "read": 0, "memory": 0, "failures": []}
    for expected, files in (("refused", HOSTILE), ("read", HARMLESS)):
        for number, (name, (file, make, read)) in enumerate(files.items()):
            outcome, memory = judge(place / f"{expected}-{number}" / "in" / file, make, read)
            found["memory"] = max(found["memory"], memory)
            if outcome.startswith(expected):
                found[expected] += 1
            else:
                found["failures"].append(f"{name}: {outcome}")
    return found


def environment(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Full disks, folders that may only be read or are deleted, two processes, no network."""
    from crashes import STEPS, Crashes
    from environment import deleted, lock_of_a_killed_process, no_space, once, whole_workflow

    made, until = Crashes(place), time.monotonic() + seconds
    found: dict[str, Any] = {"full": 0, "read-only": 0, "deleted": 0, "failures": []}
    names = [name for name in STEPS if name != "latents"]  # a cache: it goes without
    for after in (0, 1, 2, 4, 8, 16):
        for name in names:
            if time.monotonic() > until and after > 1:
                break
            found["failures"] += no_space(made, name, after)
            found["full"] += 1
    for name in names:
        found["failures"] += no_space(made, name, 0, errno.EROFS)
        found["read-only"] += 1
        found["failures"] += deleted(made, name)
        found["deleted"] += 1
    found["failures"] += once(lambda: lock_of_a_killed_process(made.base))
    found["failures"] += whole_workflow(made)
    return found


def memory(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """The slope of a training's memory."""
    from leaks import training_memory

    slope = training_memory(seconds)
    failures = []
    if slope.last - slope.first > 20:
        failures.append(f"memory grew from {slope.first:.0f} to {slope.last:.0f} MB")
    return {**asdict(slope), "failures": failures}


def cycles(place: Path, seconds: float, seed: int, before: int = 4) -> dict[str, Any]:
    """Open, train, stop and close: a training in a process every tenth time, else a step in a thread.

    The first ``before`` make what is made once and kept.
    """
    from leaks import cycle, held, small_study

    study = small_study(place)
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance() or QApplication([])
    for number in range(before):
        cycle(application, study, train=number % 2 == 0)
    first, until, done, trained = held(), time.monotonic() + seconds, 0, 0
    while (time.monotonic() < until and done < 1000) or done < 3:
        train = done % 10 == 0
        cycle(application, study, train)
        done, trained = done + 1, trained + train
    patience = time.monotonic() + 20  # a stopped job's timer ends after ten seconds
    while (after := held()).threads > first.threads and time.monotonic() < patience:
        application.processEvents()
        time.sleep(0.1)
    failures = []
    if after.children > first.children or after.threads > first.threads or after.files > first.files + 2:
        failures.append(f"left behind: {first} became {after}")
    return {
        "cycles": done,
        "trained": trained,
        "before": asdict(first),
        "after": asdict(after),
        "failures": failures,
    }


def annotators(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """50 people who label one study at once."""
    from together import annotate

    return asdict(annotate(place, 50, 20, seed))


def leaders(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Searches whose leader is killed."""
    from crashes import Crashes
    from together import leaders

    return asdict(leaders(Crashes(place).base, 3))


def names(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """5,000 names that mean harm."""
    from names import try_names

    return asdict(try_names(5000, seed))


def reports(place: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Reports of hostile studies in a real browser, where there is one."""
    from browser import open_reports
    from crashes import Crashes

    return asdict(open_reports(Crashes(place).base, place / "reports", 4))


PARTS: dict[str, Callable[[Path, float, int], dict[str, Any]]] = {
    "crashes": crashes, "fuzz": fuzz, "hostile": hostile, "environment": environment, "memory": memory,
    "cycles": cycles, "annotators": annotators, "leaders": leaders, "names": names, "reports": reports,
}  # fmt: skip


def main() -> int:
    """Run one part here, or all in processes of their own; exit status 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    if options.part:
        with tempfile.TemporaryDirectory(prefix="torture-") as place:
            found = PARTS[options.part](Path(place), options.minutes * 60, options.seed)
        options.json.write_text(json.dumps(found))
        return 0
    results: dict[str, Any] = {"minutes": options.minutes, "seed": options.seed}
    with tempfile.TemporaryDirectory() as place:
        for part, share in SHARES.items():
            out, began = Path(place) / f"{part}.json", time.monotonic()
            minutes = str(options.minutes * share)
            command = [sys.executable, __file__, "--part", part, "--minutes", minutes, "--json", str(out)]
            done = subprocess.run(
                [*command, "--seed", str(options.seed)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            ended = f"{part} ended with {done.returncode}: {done.stderr[-800:]}"
            results[part] = json.loads(out.read_text()) if out.exists() else {"failures": [ended]}
            print(f"{part}: {time.monotonic() - began:.0f} s", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))
    from chronicle import failures_of, write

    if options.report:
        write(results, options.report)
    failures = failures_of(results)
    print("\n".join([f"{len(failures)} failures", *failures]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
