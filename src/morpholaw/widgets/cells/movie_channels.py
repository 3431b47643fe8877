"""Channels and pixel size of an image layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_CHANNELS = 8
"""Longest axis that is taken to hold channels if the layer does not name its axes."""
_NAMES = ("c", "ch", "channel", "channels")


@dataclass(frozen=True)
class Channels:
    """The axis of a layer's data that holds channels.

    Attributes
    ----------
    axis : int
        Number of the axis.
    names : tuple of str
        Name of each channel.
    """

    axis: int
    names: tuple[str, ...]


def channels_of(layer: Any) -> Channels | None:
    """Return the channels of an image layer; None if it has only one, or if it is unclear which axis holds them."""
    data = _pixels(layer)
    if getattr(layer, "rgb", False):
        return Channels(data.ndim - 1, ("red", "green", "blue", "alpha")[: data.shape[-1]])
    extra = [axis for axis in range(data.ndim - 2) if data.shape[axis] > 1]
    if len(extra) != 2:
        return None
    labels = [str(label).lower() for label in layer.axis_labels]
    named = [axis for axis in extra if labels[axis] in _NAMES]
    axis = named[0] if named else min(extra, key=lambda axis: data.shape[axis])
    if not named and data.shape[axis] > MOST_CHANNELS:
        return None
    return Channels(axis, tuple(f"channel {number}" for number in range(data.shape[axis])))


def one_channel(layer: Any, channel: int) -> Any:
    """Return one channel of a layer as (..., y, x); a lazy layer stays lazy."""
    import dask.array as da

    data, channels = _pixels(layer), channels_of(layer)
    if channels is None:
        return data
    if not isinstance(data, np.ndarray):
        data = da.asarray(data)  # type: ignore[no-untyped-call]  # dask declares no types
    chosen = [slice(None)] * data.ndim
    return data[(*chosen[: channels.axis], channel, *chosen[channels.axis + 1 :])]


def pixel_size_of(layer: Any) -> float | None:
    """Return the micrometres per pixel of a layer, from its units of length or from a scale without units."""
    scale, unit = float(layer.scale[-1]), layer.units[-1]
    if str(unit) in ("pixel", "px"):
        return scale if scale != 1.0 else None
    try:
        return float((scale * unit).to("micrometer").magnitude)
    except Exception:  # pint raises various errors for a unit that is not a length
        return None


def _pixels(layer: Any) -> Any:
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data
