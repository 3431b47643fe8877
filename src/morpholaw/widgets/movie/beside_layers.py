"""Room in the viewer beside what is there, so that a new picture covers nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

_GAP = 16.0


def free_place(viewer: Any) -> tuple[float, float]:
    """The corner (y, x), in world coordinates, to the right of all layers, level with their upper edge."""
    if not len(viewer.layers):
        return 0.0, 0.0
    (low, high) = np.asarray(viewer.layers.extent.world)[:, -2:]
    if not np.isfinite([*low, *high]).all():
        return 0.0, 0.0
    return float(low[0]), float(high[1] + _GAP)
