"""The tracker's own masks of cells, kept beside their crops where the tracks came as masks.

They say which pixels of a crop are the cell's own; where a tracker has none, or marks cells by dots, the nucleus is
segmented in the crop.
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
"""Packed bits, uint8 (n, s, s / 8), in the folder of a crop set."""
FORMATS = ("label stack", "CTC folder")
"""Formats of tracks that are masks."""
LEAST_AREA = 0.5
"""Area of a mask over that of the nucleus as it is segmented below which it is a marker and no outline."""


@dataclass(frozen=True)
class TrackerMasks:
    """The label images that tracks were read from.

    Attributes
    ----------
    movie : Movie
        One image per frame: 0 for background, a number for each cell.
    numbers : tuple of int or None
        The frame that each image is of, in the tracks' own numbering; None where it is its place.
    """

    movie: Movie
    numbers: tuple[int, ...] | None

    @classmethod
    def of(cls, source: Any, facts: TrackFacts, shape: tuple[int, int, int]) -> TrackerMasks | None:
        """Open the masks that tracks were read from; None where they are no masks, or of another size than the movie.

        Parameters
        ----------
        source : path or array
            What the tracks were read from.
        facts : TrackFacts
            What their file says about them.
        shape : tuple of int
            Of the movie, (t, y, x).
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
        """Return the masks of a frame, in the tracks' own numbering, (y, x); None where there is none."""
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
    """Return which pixels of the crops of one frame are the cells' own, bool (k, s, s).

    Parameters
    ----------
    labels : ndarray or None
        The masks of the frame; None where there are none.
    y, x : ndarray, int64 (k,)
        Centres of the crops, after resampling.
    ids : ndarray, int64 (k,)
        The cells' numbers in the masks.
    shape : tuple of int
        Height and width of the frame after resampling.
    size : int
        Side of a crop.
    """
    if labels is None:
        return np.zeros((len(ids), size, size), bool)
    if labels.shape != shape:  # the nearest pixel: numbers have no mean
        rows, columns = (
            np.minimum(((np.arange(n) + 0.5) * old / n).astype(np.int64), old - 1)
            for n, old in zip(shape, labels.shape, strict=True)
        )
        labels = labels[rows[:, None], columns]
    padded = np.pad(labels, size // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    found: np.ndarray = windows[y, x] == np.asarray(ids)[:, None, None]
    return found


def packed(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Pack masks, bool (k, s, s), as they are kept: uint8 (k, s, s / 8)."""
    return (np.packbits(block, axis=2) for block in blocks)


def read_masks(folder: Path, count: int, size: int, crops: Sequence[int] | np.ndarray) -> np.ndarray | None:
    """Read the tracker's masks of some crops of a set, bool (k, s, s); None where it has none that can be read."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        kept = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # whatever numpy says of a damaged file: nuclei are segmented instead
        return None
    if kept.dtype != np.uint8 or kept.shape != (count, size, size // 8):
        return None
    return np.unpackbits(np.asarray(kept[np.asarray(crops, np.int64)]), axis=2).astype(bool)


def nuclei_with_masks(segmented: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return nuclei by the tracker's masks where those are outlines, else as segmented.

    Parameters
    ----------
    segmented : ndarray, bool (n, s, s)
        Nuclei as they are segmented in the crops.
    masks : ndarray, bool (n, s, s)
        The tracker's; empty where there is none.

    Returns
    -------
    nuclei : ndarray, bool (n, s, s)
    tracked : ndarray, bool (n,)
        Which of them are the tracker's: masks of `LEAST_AREA` of the segmented nucleus or more.
    """
    area = masks.sum(axis=(1, 2))
    tracked = (area > 0) & (area >= LEAST_AREA * segmented.sum(axis=(1, 2)))
    return np.where(tracked[:, None, None], masks, segmented), tracked
