"""Chunks of zarr arrays that are not stored, which zarr reads as the fill value without an error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
"""Names of the files of a zarr folder that are no chunks."""
_MOST_CHUNKS = 2**21
"""Number of chunks above which they are not looked up."""


def stored_chunks(array: Any, path: Path) -> np.ndarray | None:
    """Return which chunks (or shards) of an array are stored, bool, one axis per axis of the array.

    Parameters
    ----------
    array : zarr array
        Array that is stored in the folder ``path``.
    path : Path
        Its folder.

    Returns
    -------
    ndarray or None
        None if all are stored, or there are too many to look up.
    """
    sides = array.shards or array.chunks
    grid = tuple(-(-n // side) for n, side in zip(array.shape, sides, strict=True))
    count = int(np.prod(grid, dtype=object))
    if count > _MOST_CHUNKS:
        return None
    found = set(_files(path, 2 * count))
    if sum(name not in METADATA for name in found) >= count:
        return None
    key_of = array.metadata.encode_chunk_key
    stored = np.fromiter((key_of(index) in found for index in product(*map(range, grid))), bool, count)
    return None if stored.all() else stored.reshape(grid)


def _files(root: Path, most: int) -> Iterator[str]:
    """Yield the files below a folder, with "/" between folders; stop after ``most`` files."""
    count = 0
    for folder, _, names in os.walk(root):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in names:
            yield name if below == "." else f"{below}/{name}"
        count += len(names)
        if count > most + len(METADATA):
            return


def unstored_planes(
    array: Any, path: Path, leading: list[int]
) -> Callable[[tuple[int, ...]], tuple[bool, bool]] | None:
    """Return a function that says whether all, and whether any, of a plane's chunks are missing.

    Parameters
    ----------
    array, path
        As for :func:`stored_chunks`.
    leading : list of int
        Axes that are not y and x, in the order of the function's argument.

    Returns
    -------
    callable or None
        ``missing(index)``; None if every chunk is stored.
    """
    stored = stored_chunks(array, path)
    if stored is None:
        return None
    sides = array.shards or array.chunks

    def missing(index: tuple[int, ...]) -> tuple[bool, bool]:
        at: list[Any] = [slice(None)] * array.ndim
        for axis, i in zip(leading, index, strict=True):
            at[axis] = i // sides[axis]
        plane = stored[tuple(at)]
        return not plane.any(), not plane.all()

    return missing
