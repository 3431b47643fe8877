"""The part of the torture that ``make test`` has time for: ``python short.py PART OUT.json``."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import run

KILLED = {
    "import": 2, "train-encoder": 2, "load-encoder": 1, "scheme 1": 1, "scheme 2": 1, "discover-law": 1, 
    "annotate": 1,
}  # fmt: skip
"""Kills of each step, spread over its operations."""


def crashes(place: Path) -> dict[str, Any]:
    """Some kills of every step."""
    from crashes import Crashes

    made = Crashes(place)
    for name, kills in KILLED.items():
        made.reference(name)
        for k in range(kills):
            made.kill(name, [1 + (2 * k + 1) * made.operations[name] // (2 * kills + 1)])
    return asdict(made.tally)


def environment(place: Path) -> dict[str, Any]:
    """Writes that fail early and in the middle, a deleted study, a killed owner, no network."""
    from crashes import Crashes
    from environment import deleted, lock_of_a_killed_process, no_space, once, whole_workflow

    made, failures = Crashes(place), []
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

    fuzzer = Fuzzer(place, seed=1)
    for name in READERS:
        fuzzer.feed(name, 2 if name == "study" else 6)
    return {name: asdict(result) for name, result in fuzzer.results.items()}


def hostile(place: Path) -> dict[str, Any]:
    """All of them."""
    return run.hostile(place, 0, 0)


def annotators(place: Path) -> dict[str, Any]:
    """A few people who label one study at once."""
    from together import annotate

    return asdict(annotate(place, 6, 8, seed=0))


def leaders(place: Path) -> dict[str, Any]:
    """One search whose leader is killed."""
    from crashes import Crashes
    from together import leaders

    return asdict(leaders(Crashes(place).base, 1))


def names(place: Path) -> dict[str, Any]:
    """Some names that mean harm."""
    from names import try_names

    return asdict(try_names(500, seed=0))


def long(place: Path) -> dict[str, Any]:
    """Seconds of training, and some cycles of a panel."""
    return {"memory": run.memory(place / "memory", 8, 0), "cycles": run.cycles(place, 8, 0)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    began = time.monotonic()
    parts = {"crashes": crashes, "environment": environment, "fuzz": fuzz, "hostile": hostile, "long": long}
    parts |= {"annotators": annotators, "leaders": leaders, "names": names}
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        found = parts[sys.argv[1]](Path(folder))
    Path(sys.argv[2]).write_text(
        json.dumps({**found, **({} if sys.argv[1] == "fuzz" else {"seconds": time.monotonic() - began})})
    )
