"""What is known of a movie before a pixel is read, and where each fact comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class MovieFacts:
    """How a movie is understood: its size, scale and time, and what was chosen where there was a choice.

    Attributes
    ----------
    frames, height, width : int
        Of the movie (t, y, x) that is read.
    dtype : numpy.dtype
        Of a pixel, in native byte order.
    axes : str
        One letter per axis of the source, in its order: t, c (channel), z, p (position), y, x, s (red, green
        and blue), and "?" for an axis that nothing names. Axes of length one are listed too.
    format : str
        For display, such as "OME-TIFF" or "folder of TIFF files".
    channel : int or None
        The channel that is read, counted from 0; None where the source has no channels.
    channels : tuple of str
        The names of all channels, in order.
    position : int or None
        The position (field, scene, series) that is read, counted from 0; None where there is only one.
    positions : tuple of str
        The names of all positions, in order.
    z : str or None
        What is read of a z-stack, such as "maximum of 5 slices" or "slice 2 of 5"; None where there is none.
    pixel_size : float or None
        Micrometres per pixel, the same in y and x; None where nothing says it.
    pixel_size_source : str or None
        Who says so: "OME header", "ImageJ header", "TIFF resolution", "OME-Zarr metadata", "given", ...
    frame_interval : float or None
        Seconds from one frame to the next; None where nothing says it.
    frame_interval_source : str or None
        Who says so.
    frame_numbers : tuple of int or None
        For frames that are files of their own: the number in each file's name, rising, not always 0, 1, 2, ...;
        None where the names have none or the movie is one file.
    files : tuple of pathlib.Path
        The files that are read, in order; empty for an array.
    notes : tuple of str
        What was decided for the user or is doubtful, one sentence each. Whoever opens a movie shows them.
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
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width."""
        return self.frames, self.height, self.width
