"""The part of the torture that ``make test`` has time for: ``python short.py OUT.json PART...``.

It asserts what ``make torture`` asserts, of fewer kills, files and seconds. Parts of one process share a base study.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import warnings
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import run
from crashes import Crashes

KILLED = {
    "import": 2, "train-encoder": 2, "load-encoder": 3, "scheme 1": 1, "scheme 2": 1, "discover-law": 1, 
    "annotate": 1,
}  # fmt: skip
"""Kills of each step, spread over its operations."""


@cache
def base(place: Path) -> Crashes:
    """The study that several parts begin with."""
    return Crashes(place / "crashes")


def crashes(place: Path) -> dict[str, Any]:
    """Some kills of every step."""
    made = base(place)
    for name, kills in KILLED.items():
        made.reference(name)
        for k in range(kills):
            made.kill(name, [1 + (2 * k + 1) * made.operations[name] // (2 * kills + 1)])
    return asdict(made.tally)


def environment(place: Path) -> dict[str, Any]:
    """Writes that fail early and in the middle, a deleted study, a killed owner, no network."""
    from environment import deleted, lock_of_a_killed_process, no_space, once, whole_workflow

    made, failures = base(place), []
    for name, after in {
        "train-encoder": 6,
        "scheme 2": 4,
        "annotate": 4,
    }.items():
        failures += no_space(made, name, after)
    for name in ("train-encoder", "annotate"):
        failures += deleted(made, name)
    failures += once(lambda: lock_of_a_killed_process(made.base))
    return {"failures": failures + whole_workflow(made)}


def fuzz(place: Path) -> dict[str, Any]:
    """A few changed files for each reader."""
    from fuzz import READERS, Fuzzer

    fuzzer = Fuzzer(place / "fuzz", seed=1)
    shutil.copytree(base(place).base, place / "fuzz" / "good" / "making" / "base" / "study")
    for name in READERS:
        fuzzer.feed(name, 2 if name == "study" else 6)
    return {name: asdict(result) for name, result in fuzzer.results.items()}


def hostile(place: Path) -> dict[str, Any]:
    """All of them."""
    return run.hostile(place / "hostile", 0, 0)


def annotators(place: Path) -> dict[str, Any]:
    """A few people who label one study at once."""
    from together import annotate

    return asdict(annotate(place / "annotators", 6, 8, seed=0))


def leaders(place: Path) -> dict[str, Any]:
    """One search whose leader is killed."""
    from together import leaders

    return asdict(leaders(base(place).base, 1))


def names(place: Path) -> dict[str, Any]:
    """Some names that mean harm."""
    from names import try_names

    return asdict(try_names(500, seed=0))


def reports(place: Path) -> dict[str, Any]:
    """One report of a hostile study in a real browser, where there is one."""
    from browser import open_reports

    return asdict(open_reports(base(place).base, place / "reports", 1))


def long(place: Path) -> dict[str, Any]:
    """Seconds of training, and some cycles of a panel."""
    return {"memory": run.memory(place / "memory", 5, 0), "cycles": run.cycles(place, 5, 0, before=2)}


PARTS = {
    "crashes": crashes, "environment": environment, "fuzz": fuzz, "hostile": hostile, "long": long,
    "annotators": annotators, "leaders": leaders, "names": names, "reports": reports,
}  # fmt: skip

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        found = {name: PARTS[name](Path(folder)) for name in sys.argv[2:]}
    Path(sys.argv[1]).write_text(json.dumps(found))
