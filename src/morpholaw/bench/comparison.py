"""A comparison of measurements with a peer's, and its JSON form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """Measurements of Morpholaw and of a peer, and the goal for their ratio.

    Attributes
    ----------
    ours, peer : sequence of float
        Repeated measurements in ``unit``, taken in turn. ``peer`` is empty if it could not be measured.
    peer_name : str
        Name of the peer.
    goal : float or None
        Smallest ratio that meets the goal; None without a goal.
    unit : str
        Unit of the measurements, such as "images/s" or "s".
    more_is_better : bool
        Whether larger numbers are better (rates) or smaller ones (times).
    note : str
        One sentence, for example about a missing peer or a sample.
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
        """Ratio of the medians; above 1, Morpholaw is better."""
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
    """Return a comparison without a peer, because the peer's package ``module`` is not installed."""
    sentence = f"{module} is not installed, so only Morpholaw was measured; docs/performance.md says how to install it."
    return Comparison(ours, (), module, goal, unit, more_is_better, sentence)


def _median(values: Sequence[float]) -> float | None:
    return float(f"{np.median(values):.4g}") if len(values) else None


def _quartiles(values: Sequence[float]) -> list[float] | None:
    return [float(f"{q:.4g}") for q in np.quantile(values, (0.25, 0.75))] if len(values) else None
