"""Clicks on the movie, as distinct from drags, and the cell nearest to a click."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from napari.components import ViewerModel
    from napari.layers import Layer

REACH = 25.0
"""Largest distance from a click to a cell's centre, in pixels of the movie."""
DRAG = 4.0
"""Distance in screen pixels beyond which a press is a drag."""


class MovieClicks:
    """Calls a method with the world position of every click on the viewer's canvas.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    method : bound method
        Called with the position, float (ndim,). It is referenced weakly, so a closed panel is not called.
    """

    def __init__(self, viewer: ViewerModel, method: Callable[[np.ndarray], None]) -> None:
        self._viewer, self._method = viewer, WeakMethod(method)
        viewer.mouse_drag_callbacks.append(self._pressed)

    def disconnect(self) -> None:
        """Stop listening to clicks."""
        if self._pressed in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._pressed)

    def _pressed(self, _viewer: Any, event: Any) -> Generator[None, None, None]:
        start = np.asarray(event.pos, float)
        yield
        while event.type == "mouse_move":
            if np.hypot(*(np.asarray(event.pos, float) - start)) > DRAG:
                return
            yield
        method = self._method()
        if method is None:
            self.disconnect()
        else:
            method(np.asarray(event.position, float))


def nearest_cell(
    cells: pd.DataFrame, layer: Layer | None, position: np.ndarray, reach: float = REACH
) -> int | None:
    """Return the row of the cell nearest to a world position; None if none is within ``reach`` pixels.

    Parameters
    ----------
    cells : DataFrame
        ``t``, ``y``, ``x`` in pixels of ``layer``.
    layer : layer or None
        The movie; None if pixels are world units.
    position : ndarray, float (ndim,)
        World position; only cells in its frame are considered.
    reach : float
        Largest distance, in pixels.
    """
    if len(position) < 3:
        return None
    t, y, x = position[-3:] if layer is None else np.asarray(layer.world_to_data(position))[-3:]
    in_frame = np.flatnonzero(cells["t"].to_numpy(np.float64, na_value=-1) == round(float(t)))
    if not len(in_frame):
        return None
    distance = np.hypot(cells["y"].to_numpy()[in_frame] - y, cells["x"].to_numpy()[in_frame] - x)
    best = int(np.nanargmin(distance)) if np.isfinite(distance).any() else -1
    return int(in_frame[best]) if best >= 0 and distance[best] <= reach else None
