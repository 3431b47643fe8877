"""Long work: the memory of a training that goes on, and what is left of panels that open, train, stop and close."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

TINY = {"latents": 4, "filters": (2, 2, 4, 4), "hidden": 8, "batch_size": 32, "device": "cpu", "threads": 1}


PATIENCE = 240
"""Seconds that a step may take to begin or to stop, on a busy machine too."""


@dataclass
class Slope:
    """Resident memory against steps of a training."""

    steps: int
    megabytes_per_1000_steps: float
    first: float
    last: float


def training_memory(seconds: float) -> Slope:
    """Train an encoder for so long after its first report; fit a line to the second half of its memory, in MB."""
    from morpholaw.config import EncoderConfig
    from morpholaw.training import encoder

    images = np.random.default_rng(0).integers(0, 255, (256, 32, 32)).astype(np.uint8)
    config = EncoderConfig(**{**TINY, "epochs": 1000, "epoch_crops": 10**7, "start_from": "none"})  # type: ignore[arg-type]
    process, points, until = psutil.Process(), [], float("inf")
    encoder_every = encoder.REPORT_EVERY
    encoder.REPORT_EVERY = 0.05

    def report(event: Any) -> None:
        nonlocal until
        if type(event).__name__ == "Metrics":
            until = min(until, time.monotonic() + seconds)
            points.append((event.step, process.memory_info().rss / 2**20))

    try:
        from morpholaw.events import Monitor

        encoder.train_encoder(
            images, config, monitor=Monitor(report, should_stop=lambda: time.monotonic() > until)
        )
    finally:
        encoder.REPORT_EVERY = encoder_every
    steps, memory = np.array(points[len(points) // 2 :], float).T
    slope = float(np.polyfit(steps, memory, 1)[0]) * 1000
    return Slope(int(points[-1][0]), slope, float(memory[0]), float(memory[-1]))


@dataclass
class Held:
    """What a process holds."""

    children: int
    threads: int
    files: int
    megabytes: float


def held() -> Held:
    """Child processes, threads, open files and memory of this process."""
    gc.collect()
    process = psutil.Process()
    return Held(
        len(process.children(recursive=True)),
        sum(
            not isinstance(one, threading._DummyThread) for one in threading.enumerate()
        ),  # Qt's pool keeps some
        process.num_fds(),
        process.memory_info().rss / 2**20,
    )


def small_study(place: Path) -> Path:
    """A study of 48 crops, nothing trained."""
    from sample_crops import write_sample_crops

    from morpholaw.study import Study

    study = Study.create(place / "study")
    write_sample_crops(study.path / "crops" / "cells", interphase=24, metaphase=24)
    return study.path


def cycle(application: Any, study: Path, train: bool) -> None:
    """Open the Latents panel on a study, train (or run a step in a thread), stop, close it."""
    from napari.components import ViewerModel
    from qtpy.QtCore import QCoreApplication, QEvent

    from morpholaw.jobs import Job
    from morpholaw.widgets.latents.panel import LatentsWidget

    panel = LatentsWidget(ViewerModel())
    panel.show()
    panel.current.open(study)
    runner = panel.encoder.runner
    runner.ask = False
    heard: list[Any] = []
    ended: list[Any] = []
    runner.reported.connect(heard.append)
    runner.finished.connect(ended.append)
    runner.failed.connect(ended.append)
    if train:
        values = {**TINY, "epochs": 1000, "epoch_crops": 10**6, "start_from": "none"}
        runner.start(Job("train_encoder", str(study), values))
    else:
        runner.run("count", _count, 10**9)
    _until(application, lambda: bool(heard or ended), PATIENCE)
    runner.stop()
    _until(application, lambda: bool(ended), PATIENCE)
    panel.close()
    runner.close_down()
    panel.deleteLater()
    for _ in range(5):
        application.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _count(upto: int, monitor: Any) -> int:
    from morpholaw.events import Progress

    for number in range(upto):
        monitor.emit(Progress(number, upto, "count"))
        time.sleep(0.002)
        if monitor.should_stop():
            return number
    return upto


def _until(application: Any, true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        application.processEvents()
        time.sleep(0.002)
        if time.monotonic() > end:
            raise TimeoutError
