"""Facts about a movie that are known before its pixels are read, with their sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class MovieFacts:
    """How a movie is understood: its size, scale and timing, and what was selected from its source.

    Attributes
    ----------
    frames, height, width : int
        Size of the movie (t, y, x) that is read.
    dtype : numpy.dtype
        Type of a pixel, in native byte order.
    axes : str
        One letter per axis of the source, in its order: t, c (channel), z, p (position), y, x, s (red, green
        and blue), and "?" for unnamed axes. Axes of length one are included.
    format : str
        Name of the format, such as "OME-TIFF" or "folder of TIFF files".
    channel : int or None
        Channel that is read, counted from 0; None if the source has no channels.
    channels : tuple of str
        Names of all channels, in order.
    position : int or None
        Position (field, scene, series) that is read, counted from 0; None if there is only one.
    positions : tuple of str
        Names of all positions, in order.
    z : str or None
        How a z-stack is reduced, such as "maximum of 5 slices" or "slice 2 of 5"; None without one.
    pixel_size : float or None
        Micrometres per pixel, the same in y and x; None if unknown.
    pixel_size_source : str or None
        Source of the pixel size: "OME header", "ImageJ header", "TIFF resolution", "OME-Zarr metadata", "given", ...
    frame_interval : float or None
        Seconds between frames; None if unknown.
    frame_interval_source : str or None
        Source of the frame interval.
    frame_numbers : tuple of int or None
        For frames in separate files, the increasing numbers in the file names, which need not be 0, 1, 2, ...; None
        without such numbers or for a single file.
    files : tuple of pathlib.Path
        Files that are read, in order; empty for an array.
    colour_table : bool
        Whether pixels are numbers of colours, as in an image with indexed colours, in an order that is not that of
        brightness.
    notes : tuple of str
        Automatic decisions and doubts, one sentence each, to be shown by the caller.
    """

    frames: int
    height: int
    width: int
    dtype: np.dtype
    axes: str = "tyx"
    format: str = "array"
    channel: int | None = None
    channels: tuple[str, ...] = ()
    position: int | None = None
    positions: tuple[str, ...] = ()
    z: str | None = None
    pixel_size: float | None = None
    pixel_size_source: str | None = None
    frame_interval: float | None = None
    frame_interval_source: str | None = None
    frame_numbers: tuple[int, ...] | None = None
    files: tuple[Path, ...] = ()
    colour_table: bool = False
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, height and width."""
        return self.frames, self.height, self.width
