"""Whether a layer shows another movie than the one that a crop set was cut from, although both look alike."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from morpholaw.errors import MorpholawError
from morpholaw.widgets.movie.layer_sources import stated_path

if TYPE_CHECKING:
    from napari.layers import Layer

    from morpholaw.cells.crop_set import CropSet

PATIENCE = 0.2
"""Seconds for which the window waits for a frame of two movies. A slow disk takes longer, in a thread."""


def is_other_movie(layer: Layer, crop_set: CropSet) -> bool:
    """Return whether a layer was opened from another movie than that of a crop set.

    Movies of one microscope have the same shape, and often the same name. If a layer states its file, and the file of
    the set still exists, they are the same movie only if one is a copy of the other. As long as a slow disk has not
    shown that it is a copy, it is another movie.
    """
    path = stated_path(layer)
    sources = [(crop_set.folder / source.path).resolve() for source in crop_set.record.sources]
    own = next((source for source in sources if source.exists()), None)
    if path is None or own is None or not path.exists():
        return False
    path = path.resolve()
    if path == own or path in own.parents or own in path.parents:
        return False
    comparison = _comparison(path, path.stat().st_mtime_ns, own, own.stat().st_mtime_ns)
    return not (comparison.done() and comparison.result())


@lru_cache(maxsize=64)
def _comparison(one: Path, _changed: int, other: Path, _other_changed: int) -> Future[bool]:
    """Return whether two movies agree, as soon as a thread knows it; the times tell changed files apart."""
    same: Future[bool] = Future()
    Thread(target=lambda: same.set_result(_is_copy(one, other)), daemon=True).start()
    with suppress(TimeoutError):
        same.result(PATIENCE)
    return same


def _is_copy(one: Path, other: Path) -> bool:
    """Return whether two movies agree in their shape and middle frame; False if one cannot be read."""
    from morpholaw.cells.movies import open_movie

    try:
        first, second = open_movie(one), open_movie(other)
        middle = first.shape[0] // 2
        return first.shape == second.shape and np.array_equal(first.frame(middle), second.frame(middle))
    except (MorpholawError, OSError):
        return False
