"""Tracks as returned by a reader: the table, and facts from the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from morpholaw.errors import InputError

FrameNumbering = Literal["as stored", "file numbers", "unknown"]
LengthUnit = Literal["pixel", "um", "unknown"]
Ids = Literal["auto", "tracks", "per-frame", "linked", "laptrack"]
"""Meaning of the ids in a file: decided from the content; ids of tracks; ids of single frames; or not used, with cells
linked by overlap or with LapTrack."""


@dataclass(frozen=True)
class TrackContext:
    """Known facts about the movie when tracks are read.

    Attributes
    ----------
    movie_shape : tuple of int or None
        Shape (t, y, x) of the movie.
    movie_frames : tuple of int or None
        Numbers in the names of the movie's files, one per frame.
    pixel_size : float or None
        Micrometres per pixel of the movie.
    ids : {"auto", "tracks", "per-frame", "linked", "laptrack"}
        Meaning of the ids in the file.
    frame_interval : float or None
        Seconds between frames of the movie; in the file's unit of time if that is unknown.
    movie_interval : float or None
        Seconds between frames according to the movie's header, used if nothing else is known.
    """

    movie_shape: tuple[int, int, int] | None = None
    movie_frames: tuple[int, ...] | None = None
    pixel_size: float | None = None
    ids: Ids = "auto"
    frame_interval: float | None = None
    movie_interval: float | None = None

    def pixel_size_for(self, unit: str, where: str) -> float:
        """Return the micrometres per pixel of the movie, which positions in a unit of length need.

        Raises
        ------
        InputError
            If the pixel size is unknown.
        """
        if self.pixel_size is None:
            raise InputError(
                f"{where} has positions in {unit}: give the movie's pixel size, in micrometres, with --pixel-size "
                "(pixel_size=...)."
            )
        return self.pixel_size


@dataclass(frozen=True)
class TrackFacts:
    """Facts about tracks besides their positions, for comparison with the movie.

    Attributes
    ----------
    format : str
        Name of the format, such as "TrackMate XML".
    image_size : tuple of int or None
        (height, width) of the tracked image, if the file states or implies it.
    frames : tuple of int
        First and last frame with a cell, in the numbering of the column ``t``.
    frame_count : int or None
        Number of frames of the tracked movie, if the file states it.
    frame_numbering : {"as stored", "file numbers", "unknown"}
        Origin of the frame numbers: the file's own count from 0, the numbers in the names of mask files, or a column
        that may begin anywhere.
    frame_numbers : tuple of int or None
        Numbers in the names of the mask files, for "file numbers".
    pixel_size : float or None
        Micrometres per pixel according to the file.
    unit : {"pixel", "um", "unknown"}
        Unit of positions in the file. The table is always in pixels.
    linked : bool
        Whether cells are linked over time; False if (almost) every track has one frame.
    automatic : bool
        Whether the links were made by Morpholaw (see :mod:`morpholaw.cells.linking`).
    notes : list of str
        Assumptions and omissions, one sentence each.
    sources : mapping of str
        Source of each fact by the name of its attribute, such as {"pixel_size": "ImageData in the file"}.
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
    """A track table and facts about it.

    Attributes
    ----------
    table : DataFrame
        Columns ``track_id``, ``t``, ``y``, ``x`` (pixels), ``parent``, and if available ``label``, ``dummy``,
        ``source_track`` and ``source_id`` (str, the file's own ids of track and spot), ``source_t`` (the file's own
        frame number, if it differs from ``t``) and ``mask_id`` (the value in the mask).
    facts : TrackFacts
        Facts from the file.
    """

    table: pd.DataFrame
    facts: TrackFacts

    @property
    def parts(self) -> tuple[pd.DataFrame, TrackFacts]:
        """The table and the facts."""
        return self.table, self.facts
