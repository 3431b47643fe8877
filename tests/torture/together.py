"""Several at once: people who label one study while some of them are killed, and jobs whose leader is killed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from morpholaw.cells.annotations import Annotations
from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_set import CropSet
from morpholaw.errors import MorpholawError

FORK = multiprocessing.get_context("fork")


@dataclass
class Annotated:
    """What parallel annotators did, and what became of it."""

    annotators: int = 0
    killed: int = 0
    labels: int = 0
    lost: int = 0
    failures: list[str] = field(default_factory=list)


def annotate(place: Path, annotators: int, labels: int, seed: int) -> Annotated:
    """Let many processes label one study at once, and kill every fifth at a random moment.

    Each tells when a label has been saved; all those must be there in the end.
    """
    crops = np.random.default_rng(seed).integers(0, 255, (annotators * labels + 1, 8, 8)).astype(np.uint8)
    crop_set = CropSet.write(place / "cells", crops, cells_table(len(crops)))
    chance, found = random.Random(seed), Annotated(annotators)
    running, saved = [], []
    for number in range(annotators):
        receiver, sender = FORK.Pipe(duplex=False)
        process = FORK.Process(target=_annotator, args=(place, number, labels, sender))
        process.start()
        sender.close()
        running.append((process, receiver))
        if number % 5 == 4:
            threading.Timer(chance.uniform(0.2, 3.0), process.kill).start()
            found.killed += 1
    for process, receiver in running:
        try:
            while True:
                saved.append(receiver.recv())
        except EOFError:
            pass
        process.join()
        if process.exitcode not in (0, -signal.SIGKILL):
            found.failures.append(f"an annotator ended with {process.exitcode}")
    notes = Annotations(place / "annotations.jsonl", {"cells": crop_set}.get)
    found.labels = len(saved)
    missing = [crop for crop, label in saved if notes.get("cells", crop) != label]
    found.lost = len(missing)
    if missing:
        found.failures.append(f"{len(missing)} labels are lost, the first of crop {missing[0]}")
    if any("cannot be read" in one for one in notes.problems) and not found.killed:
        found.failures.append(notes.problems[0])
    return found


def _annotator(place: Path, number: int, labels: int, saved: Connection) -> None:
    """Label crops of its own, and in between one that everybody labels; take every seventh label back."""
    crop_set = CropSet(place / "cells")
    notes = Annotations(place / "annotations.jsonl", {"cells": crop_set}.get)
    for crop in range(1 + number * labels, 1 + (number + 1) * labels):
        _insist(notes.set_label, "cells", 0, f"class {number}")
        _insist(notes.set_label, "cells", crop, f"class {number}")
        if crop % 7:
            saved.send((crop, f"class {number}"))
        else:
            _insist(notes.undo)
            saved.send((crop, None))
    saved.close()


def _insist(change: Callable[..., Any], *arguments: Any) -> None:
    """Make a change again as long as the program says that somebody else is saving and it was not made."""
    while True:
        try:
            change(*arguments)
        except MorpholawError as error:
            if "another process is saving" not in str(error):
                raise
        else:
            return


@dataclass
class Led:
    """Jobs whose leader was killed."""

    killed: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


def leaders(study: Path, kills: int, patience: float = 2.0) -> Led:
    """Kill the leader of a law search: its listener must hear so at once, and its workers must end."""
    from morpholaw.errors import StepFailedError
    from morpholaw.job_process import JobProcess
    from morpholaw.jobs import Job

    found = Led()
    settings: dict[str, Any] = {
        **{"count": 8, "evaluations": 3_000_000, "processes": 2, "engine": "embedded"},
        "latents": [3, 8, 17, 21],
    }
    for _ in range(kills):
        process = JobProcess(Job("discover_law", str(study), settings, {}))
        events = process.events()
        for _ in range(3):
            next(events)
        workers = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        began = time.monotonic()
        try:
            for _ in events:
                pass
            found.failures.append("a killed search ended as if it were complete")
        except StepFailedError:
            pass
        took = time.monotonic() - began
        found.killed, found.slowest = found.killed + 1, max(found.slowest, took)
        if took > patience:
            found.failures.append(f"a killed search was noticed after {took:.1f} s")
        _, alive = psutil.wait_procs(workers, timeout=patience)
        if alive := [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
            found.failures.append(f"{len(alive)} workers outlived their leader")
        process.close()
    return found
