"""The arrow keys in a picture: the nearest point in their direction."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt

ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
"""Columns and rows that a key moves by."""
ASIDE = 2.0
"""How much farther a pixel aside counts than one ahead."""


def next_point(places: np.ndarray, start: np.ndarray, key: int) -> int | None:
    """Return which of the places, float (n, 2), an arrow key leads to from ``start``; None where none is ahead."""
    direction = np.array(ARROWS[Qt.Key(key)])
    steps = np.asarray(places, float) - start
    ahead = steps @ direction
    aside = np.abs(steps @ direction[::-1])
    cost = np.where((ahead > 0.5) & np.isfinite(ahead), ahead + ASIDE * aside, np.inf)
    best = int(np.argmin(cost)) if len(cost) else -1
    return best if best >= 0 and np.isfinite(cost[best]) else None
