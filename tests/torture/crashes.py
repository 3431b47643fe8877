"""Kill a step of a study between any two of its writes, look at what is left, and start the step again.

The step runs in a forked process whose file operations below the study are counted (Python's audit events,
the flushes of :mod:`os` and the calls of Optuna's storage). The process kills itself with SIGKILL before the
k-th. Then the study must open with its last complete results, its lock must be free, and the same call must
reach the very result of a run that nobody killed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from forks import Failed, Killed, value_of
from sample_crops import write_sample_crops

from morpholaw.study import Study
from morpholaw.training import cnn, encoder
from morpholaw.training.checkpointing import Checkpointing

ENCODER = {
    "latents": 4, "filters": (2, 2, 4, 4), "hidden": 8, "batch_size": 32, "epochs": 2, "epoch_crops": 0,
    "threads": 1, "device": "cpu", "start_from": "none", "precision": "float32",
}  # fmt: skip
HEADS = {
    "models": 2, "epochs": 4, "warmup_epochs": 2, "epoch_cells": 0, "threads": 1, "device": "cpu",
    "sparsity": 0.5, "update_every": 2, "hidden": (4, 4),
}  # fmt: skip
LAWS = {"count": 2, "evaluations": 1_000, "processes": 1, "engine": "embedded", "latents": (3, 8, 17, 21)}


@dataclass(frozen=True)
class Step:
    """A step to be killed: the call, and whether its result is there (then it need not be started again)."""

    run: Callable[[Study, Path], Any]
    done: Callable[[Study], bool] = lambda study: False


def _label(study: Study, place: Path) -> None:
    """Twelve single labels, one taken back, and a latent's name; goes on after what is already there."""
    labels = study.annotations
    for crop in range(12):
        if labels.get("cells", crop) is None:
            labels.set_label("cells", crop, "odd" if crop % 3 else None)
    study.name_latent(1, "elongation <b>")


def _has_other_laws(study: Study) -> bool:
    """Whether the laws, or their order, are others than those of the study that the copies are made of."""
    base = Study(study.path.parents[1] / "base" / "study")
    now, before = ([law.text() for law in one.laws()] for one in (study, base))
    return now != before


STEPS: dict[str, Step] = {
    "import": Step(
        lambda s, place: s.import_crops(place / "pngs", name="pngs", size=64),
        lambda s: any(one.name == "pngs" for one in s.sets),
    ),
    "crop": Step(
        lambda s, place: s.crop(
            place / "movie.tif", place / "tracks.csv", name="movie", size=64, pixel_size=0.333
        ),
        lambda s: any(one.name == "movie" for one in s.sets),
    ),
    "train-encoder": Step(lambda s, _: s.train_encoder(**ENCODER, seed=1, resume=s.can_resume)),
    "load-encoder": Step(lambda s, place: s.load_encoder(place / "another-encoder")),
    "latents": Step(lambda s, _: s.latents()),
    "scheme 1": Step(lambda s, _: s.train_classifier(1, **HEADS | {"models": 1, "epochs": 2}, seed=1)),
    "scheme 2": Step(lambda s, _: s.train_classifier(2, **HEADS, seed=1)),
    "scheme 3": Step(lambda s, _: s.train_classifier(3, **HEADS, seed=1)),
    "discover-law": Step(lambda s, _: s.discover_law(**LAWS, seed=1)),
    "tune": Step(lambda s, _: s.tune(trials=4, batch_trials=2, runs=1, epochs=4, device="cpu")),
    "improve-law": Step(lambda s, _: s.improve_law(0, evaluations=1_000), lambda s: _has_other_laws(s)),
    "apply-law": Step(lambda s, _: s.apply_law(1), lambda s: _has_other_laws(s)),
    "rename-set": Step(
        lambda s, _: s.rename_set("cells", "renamed"),
        lambda s: any(one.name == "renamed" for one in s.sets),
    ),
    "annotate": Step(_label),
}


def make_base(place: Path) -> Path:
    """A study of 60 labelled crops with an encoder, schemes 1-3 and laws; a folder of crops; a movie."""
    import tifffile
    from PIL import Image

    study = Study.create(place / "base" / "study")
    images = write_sample_crops(study.path / "crops" / "cells", interphase=36, metaphase=24)
    (place / "pngs").mkdir()
    for k, image in enumerate(images[:9]):
        Image.fromarray(image).save(place / "pngs" / f"{k}.png")
    frames = np.stack([np.tile(images[k], (2, 2)) for k in range(4)]).astype(np.uint16)
    tifffile.imwrite(place / "movie.tif", frames, photometric="minisblack")
    rows = [
        f"{track},{t},{32 + 64 * (track // 2)},{32 + 64 * (track % 2)}\n"
        for track in range(4)
        for t in range(4)
    ]
    (place / "tracks.csv").write_text("ID,t,y,x\n" + "".join(rows))
    study.train_encoder(**ENCODER)
    shutil.copytree(study.path / "encoder", place / "another-encoder")
    study.load_encoder("sample")
    study.train_classifier(1, **HEADS | {"models": 1, "epochs": 1})
    study.train_classifier(2, **HEADS)
    study.train_classifier(3, **HEADS)
    study.discover_law(**LAWS)
    return study.path


def state(study: Study) -> dict[str, Any]:
    """What a study holds, as plain values that do not depend on when it was made; everything is read."""
    from morpholaw.store import classifiers

    found: dict[str, Any] = {
        f"set {one.name}": [len(one), int(one.images[:].astype(int).sum()), len(one.cells)]
        for one in study.sets
    }
    found["encoder"] = _weights(study.encoder)
    for name in classifiers.names(study):
        classifier = classifiers.load(study, name)
        found[name] = [_weights(classifier), [law.text() for law in classifier.laws]]
    found["labels"] = {key: study.annotations.get("cells", key) for key in range(60)}
    found["renamed labels"] = {key: study.annotations.get("renamed", key) for key in range(60)}
    found["classes"] = list(study.classes)
    found["names"] = study.latent_names
    if (tuned := study.tuned) is not None:
        found["tuned"] = [tuned.settings, tuned.objective]
    study.table1()
    return json.loads(json.dumps(found))


def _weights(module: torch.nn.Module) -> str:
    from morpholaw.cells.files import fingerprint

    return fingerprint(
        np.concatenate(
            [t.numpy().astype(np.float64).ravel() for t in module.state_dict().values()] or [np.zeros(1)]
        )
    )


@dataclass
class Tally:
    """What was done and what went wrong."""

    kills: int = 0
    resumes: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class Crashes:
    """The base study and the references of every step; ``sweep`` kills."""

    def __init__(self, place: Path) -> None:
        self.place = place
        torch.set_num_threads(1)
        value_of(lambda: make_base(place))
        self.base = place / "base" / "study"
        self.before = value_of(lambda: state(Study(self.base)))
        self.after: dict[str, Any] = {}
        self.operations: dict[str, int] = {}
        self.tally = Tally()

    def reference(self, name: str) -> None:
        """Run a step with nobody in its way: its result, and how many operations it is."""
        if name in self.after:
            return
        path = self._copy(name, f"{name} uninterrupted")

        def run() -> Any:
            study = Study(path)
            with counted(path) as count, often():
                STEPS[name].run(study, self.place)
            return count[0], state(Study(path))

        self.operations[name], self.after[name] = value_of(run)

    def kill(self, name: str, at: list[int]) -> None:
        """Kill a step before the operations ``at``, one after the other in each new start, then let it end."""
        self.reference(name)
        path = self._copy(name, f"{name}-{'-'.join(map(str, at))}".replace(" ", "-"))
        for operation in at:
            if self._start(name, path, operation):
                self.tally.kills += 1
                self.tally.steps[name] = self.tally.steps.get(name, 0) + 1
            self._look(name, path, at)
        for leftover in path.rglob(".*.tmp"):
            os.utime(leftover, (0, 0))  # as if an hour had passed
        try:
            value_of(lambda: self._again(name, path))
            self.tally.resumes += 1
        except Failed as error:
            self.tally.failures.append(f"{name} killed at {at}, started again: {error}")
        shutil.rmtree(path.parent)

    def sweep(self, names: list[str], every: int = 1, offset: int = 0, until: float = float("inf")) -> Tally:
        """Kill each step before every ``every``-th of its operations."""
        for name in names:
            self.reference(name)
            for k in range(1 + offset % every, self.operations[name] + 1, every):
                if time.monotonic() > until:
                    return self.tally
                self.kill(name, [k])
        return self.tally

    def at_random(self, until: float, seed: int = 0) -> Tally:
        """Kill random steps one to three times in a row until the time is up."""
        rng = random.Random(seed)
        while time.monotonic() < until:
            name = rng.choice(list(STEPS))
            self.reference(name)
            self.kill(name, [rng.randint(1, self.operations[name]) for _ in range(rng.randint(1, 3))])
        return self.tally

    def _start(self, name: str, path: Path, operation: int) -> bool:
        """Whether the step was killed; it may be done before."""

        def run() -> None:
            study = Study(path)
            if not STEPS[name].done(study):
                with counted(path, die_at=operation), often():
                    STEPS[name].run(study, self.place)

        try:
            value_of(run)
        except Killed:
            return True
        except Failed as error:
            self.tally.failures.append(f"{name} on its way to {operation}: {error}")
        return False

    def _look(self, name: str, path: Path, at: list[int]) -> None:
        """The study opens, holds the old or the new of everything, and can be written to."""

        def look() -> Any:
            study = Study(path)
            with study.writing():
                return state(study)

        try:
            found = value_of(look)
        except Failed as error:
            self.tally.failures.append(f"{name} killed at {at}, opened: {error}")
            return
        before, after = self.before, self.after[name]
        for key in found.keys() | before.keys():
            allowed = [before.get(key), after.get(key)]
            if key not in ("labels", "classes") and found.get(key) not in allowed:
                self.tally.failures.append(f"{name} killed at {at}: {key} is neither the old nor the new")

    def _again(self, name: str, path: Path) -> None:
        study = Study(path)
        if not STEPS[name].done(study):
            STEPS[name].run(study, self.place)
        with study.writing():
            pass
        found = state(Study(path))
        different = [
            key
            for key in found.keys() | self.after[name].keys()
            if found.get(key) != self.after[name].get(key)
        ]
        if different:
            raise Failed(f"another result: {', '.join(sorted(different))}")
        left = [
            str(p.relative_to(path))
            for p in path.rglob("*")
            if p.suffix in (".tmp", ".replaced") or p.name == "checkpoint"
        ]
        if left:
            raise Failed(f"left behind: {', '.join(left)}")

    def _copy(self, name: str, called: str) -> Path:
        return Path(shutil.copytree(self.base, self.place / called / "study"))


@contextmanager
def often() -> Iterator[None]:
    """Reports and checkpoints at every step."""
    encoder.REPORT_EVERY = encoder.CHECKPOINT_EVERY = cnn.REPORT_EVERY = -1.0
    Checkpointing.__init__.__defaults__ = (None, None, 0.0)
    yield


@contextmanager
def counted(path: Path, die_at: int = 0) -> Iterator[list[int]]:
    """Count operations on files below ``path``; before the ``die_at``-th the process is killed. For forks."""
    import optuna

    count, below = [0], str(path)
    on = [True]

    def operation() -> None:
        count[0] += 1
        if count[0] == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if not on[0]:
            return
        if event == "open":
            file, _, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if isinstance(flags, int) else False
            if writes and str(file).startswith(below):
                operation()
        elif event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate") and (
            # with dir_fd, as rmtree, only the name is known
            str(arguments[0]).startswith(below) or not os.path.isabs(str(arguments[0]))
        ):
            operation()

    flush = os.fsync

    def fsync(descriptor: int) -> None:
        operation()
        flush(descriptor)

    def before(method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            operation()
            return method(*arguments, **named)

        return called

    storage = optuna.storages.RDBStorage
    for name in ("create_new_trial", "set_trial_param", "set_trial_user_attr", "set_trial_state_values"):
        setattr(storage, name, before(getattr(storage, name)))
    os.fsync = fsync
    sys.addaudithook(heard)
    yield count
    on[0] = False
    os.fsync = flush
