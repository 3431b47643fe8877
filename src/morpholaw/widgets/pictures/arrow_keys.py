"""Arrow keys in a figure: the nearest point in the direction of a key."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt

ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
"""Direction of each key, as (columns, rows)."""
ASIDE = 2.0
"""Weight of a sideways distance relative to a distance ahead."""


def next_point(places: np.ndarray, start: np.ndarray, key: int) -> int | None:
    """Return the index of the place, among float (n, 2), to which an arrow key leads from ``start``; None if none."""
    direction = np.array(ARROWS[Qt.Key(key)])
    steps = np.asarray(places, float) - start
    ahead = steps @ direction
    aside = np.abs(steps @ direction[::-1])
    cost = np.where((ahead > 0.5) & np.isfinite(ahead), ahead + ASIDE * aside, np.inf)
    best = int(np.argmin(cost)) if len(cost) else -1
    return best if best >= 0 and np.isfinite(cost[best]) else None
