"""Pages of the same size as one lazy array."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from morpholaw.errors import InputError

_WHOLE = 2**32
"""Maximum size in bytes of a stack that is read at once because y and x are not its last axes."""


@dataclass
class PageStack:
    """Pages along any leading axes, indexed like an array; only requested pages are read.

    Attributes
    ----------
    leading : tuple of int
        Lengths of the axes along which the pages are arranged, slowest first.
    page_shape : tuple of int
        Shape of one page: (y, x), (y, x, s) or (s, y, x).
    dtype : numpy.dtype
        Type of a pixel.
    read : callable
        ``read(i)`` returns page i, counted along the flattened leading axes. Thread-safe.
    where : str
        Name of the source in messages.
    """

    leading: tuple[int, ...]
    page_shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[int], np.ndarray]
    where: str

    def __post_init__(self) -> None:
        """Prepare to read the whole stack once."""
        self._lock = Lock()
        self._whole: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        return (*self.leading, *self.page_shape)

    def flattened(self) -> PageStack:
        """Return the same pages along one axis."""
        return PageStack((math.prod(self.leading),), self.page_shape, self.dtype, self.read, self.where)

    def __getitem__(self, index: tuple[Any, ...]) -> np.ndarray:
        """Return a part of the array."""
        at, rest = index[: len(self.leading)], index[len(self.leading) :]
        if all(isinstance(i, (int, np.integer)) for i in at):
            page = self.read(int(np.ravel_multi_index(at, self.leading)) if at else 0)
            return np.asarray(page.reshape(self.page_shape)[rest])
        return np.asarray(self._all()[index])

    def _all(self) -> np.ndarray:
        """Return all pages, which are read once, because each frame needs a part of every page."""
        size = math.prod(self.shape) * self.dtype.itemsize
        if size > _WHOLE:
            raise InputError(
                f"{self.where} is stored with its frames across all of its {math.prod(self.leading)} pages, and is too "
                "large to be transposed in memory; save it with the axes t, y, x."
            )
        with self._lock:
            if self._whole is None:
                pages = [self.read(i).reshape(self.page_shape) for i in range(math.prod(self.leading))]
                self._whole = np.stack(pages).reshape(self.shape)
            return self._whole


def stack_for(array: Any, wanted: str | None) -> Any:
    """Return the array to which the letters of ``wanted`` apply: one axis of pages if they are t, y and x."""
    frames_only = wanted is not None and set(wanted) == set("tyx")
    if frames_only and isinstance(array, PageStack) and len(array.page_shape) == 2 and len(array.leading) > 1:
        return array.flattened()
    return array
