"""One number of the table with its peer's, and how it is written as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """Our measurements, the peer's, and the goal for their ratio.

    Attributes
    ----------
    ours, peer
        Repeated measurements in ``unit``, taken in turn. No ``peer`` where it could not be measured.
    peer_name
        Who or what the peer is.
    goal
        The smallest ratio that meets the goal; None where there is none.
    unit
        Unit of the measurements, e.g. "images/s" or "s".
    more_is_better
        Whether larger numbers are ahead (rates), or smaller ones (seconds).
    note
        One plain sentence: a peer that is missing, or what was sampled.
    """

    ours: Sequence[float]
    peer: Sequence[float]
    peer_name: str
    goal: float | None
    unit: str
    more_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ratio of the medians; above 1 is ahead."""
        if not len(self.ours) or not len(self.peer):
            return None
        ours, peer = float(np.median(self.ours)), float(np.median(self.peer))
        return ours / peer if self.more_is_better else peer / ours

    def to_json(self) -> dict[str, Any]:
        """Return medians, quartiles, ratio and goal as plain JSON values."""
        ratio = self.ratio
        return {
            "ours": _median(self.ours),
            "peer": _median(self.peer),
            "peer_name": self.peer_name,
            "ratio": None if ratio is None else float(f"{ratio:.3g}"),
            "goal": self.goal,
            "met": None if ratio is None or self.goal is None else ratio >= self.goal,
            "unit": self.unit,
            "ours_quartiles": _quartiles(self.ours),
            "peer_quartiles": _quartiles(self.peer),
            "repeats": len(self.ours),
            "note": self.note,
        }


def missing(
    ours: Sequence[float], module: str, goal: float, unit: str, more_is_better: bool = False
) -> Comparison:
    """Return the comparison with a peer that is not installed."""
    sentence = (
        f"{module} is not installed, so only ours was measured; docs/performance.md says how to install it."
    )
    return Comparison(ours, (), module, goal, unit, more_is_better, sentence)


def _median(values: Sequence[float]) -> float | None:
    return float(f"{np.median(values):.4g}") if len(values) else None


def _quartiles(values: Sequence[float]) -> list[float] | None:
    return [float(f"{q:.4g}") for q in np.quantile(values, (0.25, 0.75))] if len(values) else None
