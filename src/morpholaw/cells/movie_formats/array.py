"""An array somebody already has: numpy, dask, zarr, or a napari layer's data."""

from __future__ import annotations

from typing import Any

import numpy as np

from morpholaw.cells.movie_formats.source import FrameSource, check_dtype, check_size, time_axis
from morpholaw.errors import InputError


def open_array(
    array: Any, where: str, axes: str | None = None, pixel_size: float | None = None
) -> FrameSource:
    """Wrap an array with axes (t, y, x), where axes of length one before y and x don't count.

    A list of arrays is a pyramid, as napari gives for multiscale layers: its first level is read.

    Raises
    ------
    InputError
        It is not an array of numbers, or not a one-channel 2D movie.
    """
    if isinstance(array, (list, tuple)) and array and hasattr(array[0], "shape"):
        array = array[0]
    if not (hasattr(array, "shape") and hasattr(array, "dtype") and hasattr(array, "__getitem__")):
        raise InputError(
            f"{where} is a {type(array).__name__}, but a path or an array (t, y, x) was expected."
        )
    shape = tuple(int(n) for n in array.shape)
    at = time_axis(shape, axes, where)
    size = (1 if at is None else shape[at], shape[-2], shape[-1])
    check_size(size, where)
    dtype = check_dtype(np.dtype(array.dtype), where)
    leading = len(shape) - 2

    def read(t: int) -> np.ndarray:
        index = tuple(t if axis == at else 0 for axis in range(leading))
        return np.asarray(array[index] if index else array[...])

    return FrameSource(size, dtype, read, pixel_size)
