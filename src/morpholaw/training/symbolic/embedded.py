"""The embedded engine: NumPy and SciPy alone, on every platform, the same result for the same seed."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from morpholaw.events import ShouldStop, never
from morpholaw.training.symbolic.engine import (
    Availability,
    SearchProgress,
    SearchResult,
    SearchSpec,
    check_data,
)
from morpholaw.training.symbolic.evolution import Evolution, Settings
from morpholaw.training.symbolic.polish_front import Finisher
from morpholaw.training.symbolic.program import decode


class EmbeddedEngine:
    """Regularised evolution of shapes, whose best scale and offset are worked out rather than searched for."""

    name = "embedded"
    version = "1"
    own_process = False

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings

    def availability(self) -> Availability:
        """Always ready."""
        return Availability(True, "the embedded engine needs nothing but NumPy and SciPy")

    def search(
        self,
        x: np.ndarray,
        y: np.ndarray,
        spec: SearchSpec,
        *,
        weights: np.ndarray | None = None,
        progress: Callable[[SearchProgress], None] | None = None,
        should_stop: ShouldStop = never,
    ) -> SearchResult:
        """Search for y (rows,), for hinge -1 and +1, from x (rows, variables).

        Raises
        ------
        InputError
            Shapes or values that cannot be searched.
        """
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        weights = None if weights is None else np.asarray(weights, dtype=np.float64)
        check_data(x, y, weights, spec)
        began = time.perf_counter()
        evolution = Evolution(x, y, spec, weights, self.settings)
        with np.errstate(all="ignore"):
            hall = evolution.run(progress, should_stop)
            shapes = [
                (decode(member.program, spec.variables), evolution.all_rows.fit(member.program))
                for _, member in sorted(hall.items())
            ]
        front = Finisher(x, y, spec, weights).finish(shapes, should_stop)
        return SearchResult(
            front, evolution.stopped_by, self.name, spec.seed, evolution.spent(), time.perf_counter() - began
        )
