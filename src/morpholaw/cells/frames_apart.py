"""Reading of movie frames in a separate process that can be terminated, with frames passed in shared memory.

Uncompressed frames are stored in the file unchanged. Once its header has been read by the separate process, they are
read from the file directly.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from morpholaw.cells.movie_facts import MovieFacts
from morpholaw.cells.movie_formats.source import FrameSource
from morpholaw.cells.movie_formats.units import PixelSize
from morpholaw.cells.reader_process import ReaderProcess, can_read_apart


def frames_apart(open_source: Callable[[], FrameSource], path: Path) -> FrameSource:
    """Return the source that ``open_source`` opens, opened and read by a :class:`ReaderProcess`.

    Raises
    ------
    InputError
        If opening fails, or takes too much memory or time.
    """
    if not can_read_apart(path):
        return open_source()
    shared = os.memfd_create("morpholaw-frame")

    def begin() -> tuple[tuple[MovieFacts, PixelSize | None] | None, Callable[[int], np.ndarray | None]]:
        source = open_source()
        if source.mapped:
            return None, _nothing
        os.ftruncate(shared, _bytes(source.facts))
        frame = _frame_in(shared, source.facts)

        def read(t: int) -> np.ndarray | None:
            pixels = source.read(t)
            if pixels.shape != frame.shape:
                return pixels
            frame[...] = pixels
            return None

        return (source.facts, source.pixel_size), read

    try:
        reader = ReaderProcess(begin, path, keep=shared)
        if reader.greeting is None:
            reader.close()
            return open_source()
        facts, pixel_size = reader.greeting
        frames = _Frames(reader, _frame_in(shared, facts))
        return FrameSource(facts, frames.read, pixel_size, fresh=True)
    finally:
        os.close(shared)


def _nothing(_: int) -> None:
    """Read nothing."""


class _Frames:
    """Frames that a reader process writes to shared memory."""

    def __init__(self, reader: ReaderProcess, frame: np.ndarray) -> None:
        self._reader, self._frame, self._turn = reader, frame, threading.Lock()

    def read(self, t: int) -> np.ndarray:
        """Return frame ``t``; a frame whose size differs from the header is returned unchanged."""
        with self._turn:
            odd: np.ndarray | None = self._reader.ask(t, whole=False)
            return self._frame.copy() if odd is None else odd


def _bytes(facts: MovieFacts) -> int:
    return max(1, facts.height * facts.width * facts.dtype.itemsize)


def _frame_in(shared: int, facts: MovieFacts) -> np.ndarray:
    """Return the pixels of a frame in memory that both processes share."""
    count = facts.height * facts.width
    pixels = np.frombuffer(mmap.mmap(shared, _bytes(facts)), facts.dtype, count)
    return pixels.reshape(facts.height, facts.width)
