"""Throughput while other processes are busy, compared with a fair share of the cores."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from morpholaw.bench.baseline_heads import ROWS, simulated_latents
from morpholaw.bench.comparison import Comparison
from morpholaw.config import ClassifierConfig, EncoderConfig
from morpholaw.events import Event, Monitor, Progress
from morpholaw.training.cnn import CNNTraining
from morpholaw.training.cores import DECIDE_EVERY, available_cores
from morpholaw.training.devices import kept_memory, shared_threads
from morpholaw.training.encoder_training import EncoderTraining
from morpholaw.training.heads import HeadTraining
from morpholaw.training.symbolic import Budget, SearchSpec, search_restarts
from morpholaw.training.symbolic.embedded import EmbeddedEngine

BUSY = (1, 2, 4)
"""Numbers of busy processes."""
SETTLING = 1.5 * DECIDE_EVERY
"""Seconds of work before each measurement, in which a training can adjust its threads."""
SECONDS = 4.0
CROPS = 4096
GOAL = 0.8

Step = Callable[[], float]
"""Does some work and returns its amount."""


def measure(full: bool = False) -> list[Comparison]:
    """Measure the work per second of each training beside busy processes, against the fair share of the cores."""
    comparisons = []
    for name, unit, working in (
        ("encoder", "images/s", _encoder),
        ("ten CNNs", "steps/s", _cnn),
        ("ten heads", "epochs/s", _heads),
        ("law search", "evaluations/s", _laws),
    ):
        with working() as step:
            alone, *beside = rates(step, 3 if full else 1)
        for count, each in zip(BUSY, beside, strict=True):
            share = available_cores() / (available_cores() + count)
            fair = [rate * share for rate in alone]
            peer = f"{name}: fair share beside {count} busy process{'es' * (count > 1)}"
            comparisons.append(Comparison(each, fair, peer, GOAL, unit, more_is_better=True))
    return comparisons


def rates(step: Step, rounds: int = 1) -> list[list[float]]:
    """Return the work per second in every round, beside no and beside each number of busy processes."""
    rates_by_count: list[list[float]] = [[] for _ in (0, *BUSY)]
    for _ in range(rounds):
        for each, count in zip(rates_by_count, (0, *BUSY), strict=True):
            with _busy(count):
                _work(step, SETTLING)
                each.append(_work(step, SECONDS))
    return rates_by_count


def _work(step: Step, seconds: float) -> float:
    """Return the work per second over a given time."""
    begin, done = time.monotonic(), 0.0
    while time.monotonic() - begin < seconds or not done:
        done += step()
    return done / (time.monotonic() - begin)


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """Keep ``count`` processes busy inside the block."""
    begun = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in begun:
            process.kill()
            process.wait()


def _crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (CROPS, 64, 64), dtype=np.uint8)


@contextmanager
def _encoder() -> Iterator[Step]:
    training = EncoderTraining(_crops(), EncoderConfig(epochs=1000, **EncoderConfig.PLAIN))
    batches = training.batches()
    with shared_threads() as decide, kept_memory():

        def step() -> float:
            training.parts = decide()
            training.advance(next(batches))
            return float(training.batch)

        yield step


@contextmanager
def _cnn() -> Iterator[Step]:
    training = CNNTraining(_crops(), np.arange(CROPS) % 2, ClassifierConfig(epochs=10_000))
    with shared_threads() as decide:

        def step() -> float:
            decide()
            training.advance()
            return 1.0

        yield step


@contextmanager
def _heads() -> Iterator[Step]:
    z, y = simulated_latents()
    training = HeadTraining(z[:, :ROWS], y[:ROWS], ClassifierConfig(epochs=10_000))

    def step() -> float:
        training.step_epoch()
        return 1.0

    yield step


@contextmanager
def _laws() -> Iterator[Step]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 4))
    y = np.where(x[:, 0] > x[:, 1] * x[:, 2], 1.0, -1.0)
    specs = [
        SearchSpec(("z0", "z1", "z2", "z3"), seed=seed, budget=Budget(10**9))
        for seed in range(available_cores())
    ]
    stop, done = threading.Event(), [0, 0]

    def hear(event: Event) -> None:
        if isinstance(event, Progress):
            done[0] = event.done

    def search() -> None:
        search_restarts(
            EmbeddedEngine(), x, y, specs, processes=len(specs), monitor=Monitor(hear, stop.is_set)
        )

    thread = threading.Thread(target=search)
    thread.start()

    def step() -> float:
        time.sleep(0.05)
        before, done[1] = done[1], done[0]
        return float(done[1] - before)

    try:
        yield step
    finally:
        stop.set()
        thread.join()
