"""Tracks as a reader returns them: the table, and what the file says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

FrameNumbering = Literal["as stored", "file numbers", "unknown"]
LengthUnit = Literal["pixel", "um", "unknown"]
Ids = Literal["auto", "tracks", "per-frame", "linked", "laptrack"]
"""What the ids of a file mean: decided by content; ids of tracks; ids of one frame only; to be linked anew, by overlap
or with LapTrack."""


@dataclass(frozen=True)
class TrackContext:
    """What is known beside the file when tracks are read.

    Attributes
    ----------
    movie_shape : tuple of int or None
        (t, y, x) of the movie.
    movie_frames : tuple of int or None
        The numbers in the names of the movie's files, one per frame.
    pixel_size : float or None
        Micrometres per pixel of the movie.
    ids : {"auto", "tracks", "per-frame", "linked", "laptrack"}
        What the ids of the file mean.
    frame_interval : float or None
        Seconds from one frame of the movie to the next; in the file's unit of time where that is not known.
    movie_interval : float or None
        Seconds from one frame to the next by the movie's header, which is asked where nothing else tells.
    """

    movie_shape: tuple[int, int, int] | None = None
    movie_frames: tuple[int, ...] | None = None
    pixel_size: float | None = None
    ids: Ids = "auto"
    frame_interval: float | None = None
    movie_interval: float | None = None


@dataclass(frozen=True)
class TrackFacts:
    """What is known about tracks besides their positions, to be compared with the movie.

    Attributes
    ----------
    format : str
        Name of the format, e.g. "TrackMate XML".
    image_size : tuple of int or None
        (height, width) of the image that was tracked, where the file states or implies it.
    frames : tuple of int
        First and last frame with a cell, in the numbering of the table's ``t``.
    frame_count : int or None
        Frames of the movie that was tracked, where the file states it.
    frame_numbering : {"as stored", "file numbers", "unknown"}
        Where the frame numbers come from: the file's own count from 0; the numbers in the names of mask files;
        a column that may begin anywhere.
    frame_numbers : tuple of int or None
        The numbers in the names of the mask files, for "file numbers".
    pixel_size : float or None
        Micrometres per pixel that the file states.
    unit : {"pixel", "um", "unknown"}
        Unit of the positions in the file; the table is in pixels in any case.
    linked : bool
        Whether cells are linked over time; False where (almost) every track has one frame.
    automatic : bool
        Whether the links were made by Morpholaw (see :mod:`morpholaw.cells.linking`).
    notes : list of str
        What was assumed or left out, in plain sentences.
    sources : mapping of str
        Where a fact comes from, by the name of its attribute, e.g. {"pixel_size": "ImageData in the file"}.
    """

    format: str
    image_size: tuple[int, int] | None = None
    frames: tuple[int, int] = (0, 0)
    frame_count: int | None = None
    frame_numbering: FrameNumbering = "unknown"
    frame_numbers: tuple[int, ...] | None = None
    pixel_size: float | None = None
    unit: LengthUnit = "unknown"
    linked: bool = True
    automatic: bool = False
    notes: list[str] = field(default_factory=list)
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tracks:
    """A track table and what is known about it.

    Attributes
    ----------
    table : DataFrame
        ``track_id``, ``t``, ``y``, ``x`` (pixels), ``parent``, and where the file has them ``label``, ``dummy``,
        ``source_track`` and ``source_id`` (str, the file's own names of the track and of the spot), ``source_t``
        (the file's own frame number, where it differs from ``t``) and ``mask_id`` (the value in the mask).
    facts : TrackFacts
        What the file says about them.
    """

    table: pd.DataFrame
    facts: TrackFacts

    @property
    def parts(self) -> tuple[pd.DataFrame, TrackFacts]:
        """The table and the facts."""
        return self.table, self.facts
