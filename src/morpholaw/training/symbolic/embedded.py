"""The embedded engine, which needs only NumPy and SciPy and gives the same result for the same seed."""

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
from morpholaw.training.symbolic.polish_front import polish_front
from morpholaw.training.symbolic.program import decode


class EmbeddedEngine:
    """Symbolic regression by regularised evolution of forms whose scale and offset are computed, not searched.

    Parameters
    ----------
    settings : Settings, optional
        Parameters of the evolution.
    """

    name = "embedded"
    version = "1"
    own_process = False

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings

    def availability(self) -> Availability:
        """Return that the engine can always run."""
        return Availability(True, "the embedded engine needs nothing but NumPy and SciPy")

    def search(
        self,
        x: np.ndarray,
        y: np.ndarray,
        spec: SearchSpec,
        *,
        progress: Callable[[SearchProgress], None] | None = None,
        should_stop: ShouldStop = never,
    ) -> SearchResult:
        """Search for y (rows,), -1 and +1 for the hinge loss, as a function of x (rows, variables).

        Raises
        ------
        InputError
            If the shapes or values are invalid.
        """
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        check_data(x, y, spec)
        began = time.perf_counter()
        evolution = Evolution(x, y, spec, self.settings)
        with np.errstate(all="ignore"):
            hall = evolution.run(progress, should_stop)
            forms = [
                (decode(member.program, spec.variables), evolution.all_rows.fit(member.program))
                for _, member in sorted(hall.items())
            ]
        front = polish_front(forms, x, y, spec, should_stop)
        return SearchResult(
            front, evolution.stopped_by, self.name, spec.seed, evolution.spent(), time.perf_counter() - began
        )
