"""Frames of a movie with the same pixels, as after a file was copied in the place of another."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from morpholaw.display import first_few

_ROWS = 32
"""One of so many rows is part of the checksum, beside the sum of all pixels."""
_MOST_COMPARED = 20
"""Number of pairs that are compared pixel by pixel."""


class RepeatedFrames:
    """Checksums of the frames that were read, in which repetitions stand out.

    Two frames of a camera never agree in all pixels, because of noise.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[int, int], int] = {}
        self._pairs: list[tuple[int, int]] = []

    def add(self, t: int, frame: np.ndarray) -> None:
        """Add frame ``t``; frames with the same value in all pixels do not count."""
        whole = np.ascontiguousarray(frame)
        pixels = whole.reshape(-1).view(np.uint8)
        words = pixels[: len(pixels) // 8 * 8].view(np.uint64)
        rows = np.ascontiguousarray(whole[::_ROWS])
        if len(words) == 0 or (rows == rows.flat[0]).all():
            return
        key = int(words.sum()), zlib.crc32(rows.data)
        first = self._first.setdefault(key, t)
        if first != t:
            self._pairs.append((first, t))

    def sentence(self, read: Callable[[int], np.ndarray], name: str) -> str | None:
        """Return a sentence on the repeated frames of the movie ``name``; None if there are none.

        Parameters
        ----------
        read : callable
            ``read(t)`` returns a frame, to compare pairs pixel by pixel.
        name : str
            Name of the movie.
        """
        pairs = self._pairs[:_MOST_COMPARED]
        pairs = [(a, b) for a, b in pairs if np.array_equal(read(a), read(b))]
        if not pairs:
            return None
        shown = first_few((f"{a} and {b}" for a, b in pairs), 3)
        return (
            f"Some frames of {name} have exactly the same pixels as an earlier one ({shown}), which no camera "
            "produces: perhaps one file was copied in the place of another. Check the movie, and cut it again."
        )
