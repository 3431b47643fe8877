"""Independent searches in parallel. A search finds a law early or gets stuck, so many are better than a long one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

import numpy as np

from morpholaw.errors import StepFailedError
from morpholaw.events import SILENT, Front, Metrics, Monitor, Progress, ShouldStop
from morpholaw.models.pareto import pareto_front
from morpholaw.training.cores import free_cores
from morpholaw.training.symbolic.embedded import EmbeddedEngine
from morpholaw.training.symbolic.engine import Engine, SearchProgress, SearchResult, SearchSpec
from morpholaw.training.symbolic.search_process import ChildSearch

REPORT_EVERY = 0.2
"""Seconds between two reports."""
GRACE = 6
"""Seconds in which running searches must return their results after a stop."""


def search_restarts(
    engine: Engine,
    x: np.ndarray,
    y: np.ndarray,
    specs: Sequence[SearchSpec],
    *,
    processes: int = 0,
    monitor: Monitor = SILENT,
    keep: Callable[[SearchResult], None] | None = None,
) -> list[SearchResult]:
    """Run several searches and return their results in the order of ``specs``.

    Parameters
    ----------
    engine : Engine
        The engine to search with.
    x : ndarray
        Features (rows, variables).
    y : ndarray
        Targets (rows,).
    specs : sequence of SearchSpec
        One specification per search.
    processes : int
        Number of parallel searches, each in its own process; 0 for the free cores. If no process can be started, the
        searches run one after the other in this process, with the same results.
    monitor : Monitor
        Receives progress and can stop the searches; searches that did not start are left out.
    keep : callable, optional
        Called with each result when its search is complete, so that a crash affects only the others.

    Returns
    -------
    list of SearchResult
    """
    workers = min(processes or free_cores(), len(specs))
    job = _Job(engine, x, y)
    watch = _Watch(specs, monitor, keep)
    if workers > 1 and engine.own_process:
        return _side_by_side(job, specs, workers, watch)
    if workers > 1 and isinstance(engine, EmbeddedEngine):
        try:
            return _side_by_side(ChildSearch(engine, x, y), specs, workers, watch)
        except (StepFailedError, OSError) as error:
            monitor.warn(f"No processes could be started ({error}); searching in this process.")
            watch = _Watch(specs, monitor, keep)
    results: list[SearchResult] = []
    for index, spec in enumerate(specs):
        if monitor.should_stop() and results:
            break
        results.append(job.run(spec, partial(watch.update, index), monitor.should_stop))
        watch.finish(index, results[-1])
    return results


@dataclass(frozen=True)
class _Job:
    """The engine and data that all searches share."""

    engine: Engine
    x: np.ndarray
    y: np.ndarray

    def run(
        self, spec: SearchSpec, progress: Callable[[SearchProgress], None], should_stop: ShouldStop
    ) -> SearchResult:
        """Run one search."""
        return self.engine.search(self.x, self.y, spec, progress=progress, should_stop=should_stop)


class _Watch:
    """Sums the progress of all searches and merges their fronts; reports both at most five times a second."""

    def __init__(
        self,
        specs: Sequence[SearchSpec],
        monitor: Monitor,
        keep: Callable[[SearchResult], None] | None = None,
    ) -> None:
        self.monitor, self.keep = monitor, keep
        self.budgets = [spec.budget.max_evaluations for spec in specs]
        self.done = [0] * len(specs)
        self.best = math.inf
        self.front: list[tuple[int, float]] = []
        self.law, self.cost = "", math.inf
        self.reported_front: tuple[list[tuple[int, float]], str] = [], ""
        self.reported = 0.0

    def update(self, index: int, progress: SearchProgress) -> None:
        """Update the progress of a search."""
        self.done[index] = min(progress.evaluations, self.budgets[index] or progress.evaluations)
        self.best = min(self.best, progress.best)
        self.front = pareto_front([*self.front, *progress.front], key=tuple)
        if progress.cost < self.cost:
            self.law, self.cost = progress.law, progress.cost
        self.report()

    def finish(self, index: int, result: SearchResult) -> None:
        """Add the result of a search."""
        if self.keep is not None and result.stopped_by == "budget":
            self.keep(result)
        self.done[index] = self.budgets[index] or result.evaluations
        self.best = min([self.best, *(candidate.loss for candidate in result.front)])
        points = [(candidate.complexity, candidate.loss) for candidate in result.front]
        self.front = pareto_front([*self.front, *points], key=tuple)
        self.report(at_once=True)

    def report(self, at_once: bool = False) -> None:
        """Report progress, the lowest loss, and the front if it has changed."""
        now = time.monotonic()
        if not at_once and now - self.reported < REPORT_EVERY:
            return
        self.reported = now
        known = [budget for budget in self.budgets if budget is not None]
        total = sum(known) if len(known) == len(self.budgets) else None
        done = sum(self.done) if total is None else min(sum(self.done), total)
        self.monitor.emit(Progress(done, total, "search"))
        if math.isfinite(self.best):
            self.monitor.emit(Metrics(done, {"loss": self.best}))
        if (self.front, self.law) != self.reported_front:
            self.reported_front = self.front, self.law
            self.monitor.emit(Front([c for c, _ in self.front], [loss for _, loss in self.front], self.law))


def _side_by_side(
    job: _Job | ChildSearch, specs: Sequence[SearchSpec], workers: int, watch: _Watch
) -> list[SearchResult]:
    """Run searches in processes of their own, with one thread waiting for each."""
    latest: dict[int, SearchProgress] = {}
    should_stop = watch.monitor.should_stop
    with ThreadPoolExecutor(workers) as pool:
        futures = [
            pool.submit(job.run, spec, partial(latest.__setitem__, index), should_stop)
            for index, spec in enumerate(specs)
        ]
        return _collect(futures, watch, latest.get)


def _collect(
    futures: Sequence[Future[SearchResult]],
    watch: _Watch,
    latest: Callable[[int], SearchProgress | None],
) -> list[SearchResult]:
    """Wait for all searches, or after a stop for those that return in time."""
    pending, deadline = set(futures), math.inf
    while pending and time.monotonic() < deadline:
        done, pending = wait(pending, timeout=0.05)
        for future in done:
            if not future.cancelled():
                watch.finish(futures.index(future), future.result())
        for index, future in enumerate(futures):
            progress = latest(index) if future in pending else None
            if progress is not None:
                watch.update(index, progress)
        if deadline == math.inf and watch.monitor.should_stop():
            deadline = time.monotonic() + GRACE
            for future in pending:
                future.cancel()
    return [f.result() for f in futures if f.done() and not f.cancelled()]
