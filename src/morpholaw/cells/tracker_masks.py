"""The tracker's masks of cells, stored beside their crops if the tracks were read from masks.

They define the pixels of the central cell. If there is no mask, or if it only marks the cell by a dot, the nucleus is
segmented in the crop instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError

if TYPE_CHECKING:
    from morpholaw.cells.movies import Movie
    from morpholaw.cells.track_formats.facts import TrackFacts

FILE = "masks.npy"
"""File in the folder of a crop set with the masks as packed bits, uint8 (n, s, s / 8)."""
FORMATS = ("label stack", "CTC folder")
"""Formats of tracks that consist of masks."""
LEAST_AREA = 0.5
"""Ratio of a mask's area to that of the segmented nucleus, below which the mask is a marker and not an outline."""


@dataclass(frozen=True)
class TrackerMasks:
    """The label images from which tracks were read.

    Attributes
    ----------
    movie : Movie
        One image per frame with 0 for background and a number for each cell.
    numbers : tuple of int or None
        Frame of each image in the numbering of the tracks; None for 0, 1, 2, ...
    """

    movie: Movie
    numbers: tuple[int, ...] | None

    @classmethod
    def of(cls, source: Any, facts: TrackFacts, shape: tuple[int, int, int]) -> TrackerMasks | None:
        """Open the masks from which tracks were read; return None if there are none of the movie's size.

        Parameters
        ----------
        source : path or array
            Source of the tracks.
        facts : TrackFacts
            Facts from their file.
        shape : tuple of int
            Shape of the movie, (t, y, x).

        Returns
        -------
        TrackerMasks or None
        """
        from morpholaw.cells.movies import open_movie

        if facts.format not in FORMATS:
            return None
        if isinstance(source, (str, os.PathLike)):
            path = Path(source)
            source = path.parent if facts.format == "CTC folder" and path.is_file() else path
        with suppress(InputError):
            movie = open_movie(source, name="The masks", pixel_size=1.0, apart=True)
            if movie.shape[1:] == shape[1:] and movie.dtype.kind in "ui":
                return cls(movie, facts.frame_numbers)
        return None

    def frame(self, number: int) -> np.ndarray | None:
        """Return the masks (y, x) of a frame, in the numbering of the tracks, or None."""
        place = number
        if self.numbers is not None:
            if number not in self.numbers:
                return None
            place = self.numbers.index(number)
        return self.movie.frame(place) if 0 <= place < len(self.movie) else None


def cut_masks(
    labels: np.ndarray | None,
    y: np.ndarray,
    x: np.ndarray,
    ids: np.ndarray,
    shape: tuple[int, int],
    size: int,
) -> np.ndarray:
    """Return masks of the central cells in the crops of one frame.

    Parameters
    ----------
    labels : ndarray or None
        Masks of the frame, if there are any.
    y, x : ndarray of int64, shape (k,)
        Centres of the crops after resampling.
    ids : ndarray of int64, shape (k,)
        Numbers of the cells in the masks.
    shape : tuple of int
        Height and width of the frame after resampling.
    size : int
        Side length of a crop, in pixels.

    Returns
    -------
    ndarray
        bool (k, s, s).
    """
    if labels is None:
        return np.zeros((len(ids), size, size), bool)
    if labels.shape != shape:  # nearest pixel, because numbers cannot be averaged
        rows, columns = (
            np.minimum(((np.arange(n) + 0.5) * old / n).astype(np.int64), old - 1)
            for n, old in zip(shape, labels.shape, strict=True)
        )
        labels = labels[rows[:, None], columns]
    padded = np.pad(labels, size // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    masks: np.ndarray = windows[y, x] == np.asarray(ids)[:, None, None]
    return masks


def packed(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Pack masks, bool (k, s, s), for storage: uint8 (k, s, s / 8)."""
    return (np.packbits(block, axis=2) for block in blocks)


def read_masks(folder: Path, count: int, size: int, crops: Sequence[int] | np.ndarray) -> np.ndarray | None:
    """Read the tracker's masks of some crops of a set, bool (k, s, s); None if there are none or they are damaged."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        kept = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # whatever NumPy raises for a damaged file; nuclei are segmented instead
        return None
    if kept.dtype != np.uint8 or kept.shape != (count, size, size // 8):
        return None
    return np.unpackbits(np.asarray(kept[np.asarray(crops, np.int64)]), axis=2).astype(bool)


def nuclei_with_masks(segmented: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return nuclei by the tracker's masks if those are outlines, else as segmented.

    Parameters
    ----------
    segmented : ndarray of bool, shape (n, s, s)
        Segmented nuclei.
    masks : ndarray of bool, shape (n, s, s)
        Masks of the tracker; empty where there is none.

    Returns
    -------
    nuclei : ndarray of bool, shape (n, s, s)
        Masks of the nuclei.
    tracked : ndarray of bool, shape (n,)
        Which of them are the tracker's: those of at least `LEAST_AREA` of the area of the segmented nucleus.
    """
    area = masks.sum(axis=(1, 2))
    tracked = (area > 0) & (area >= LEAST_AREA * segmented.sum(axis=(1, 2)))
    return np.where(tracked[:, None, None], masks, segmented), tracked
