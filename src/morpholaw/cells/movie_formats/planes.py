"""Images with several axes as planes (y, x), and the selection of one movie from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from morpholaw.cells.movie_facts import MovieFacts
from morpholaw.cells.movie_formats.source import (
    COLOURS,
    Choices,
    FrameSource,
    check_dtype,
    check_size,
    choose,
    is_number,
)
from morpholaw.cells.movie_formats.units import PixelSize
from morpholaw.display import counted, first_few
from morpholaw.errors import InputError, NotChosenError

MOST_CHANNELS = 10_000
"""Maximum number of channels; larger numbers mean that the axis is another one or that the header is damaged."""
PARTS_NOT_STORED = "of which parts are not stored"
"""Words of the note on frames with missing chunks; in masks, chunks without a cell are often left out on purpose."""
_NARROW = 32
"""Width in pixels below which a frame is too narrow, half of a crop."""


@dataclass(frozen=True)
class Planes:
    """Planes (y, x) along any further axes, one of which is time.

    Attributes
    ----------
    axes : str
        Letter of each axis before y and x: t, c, z, p, s, or "?" if unnamed.
    sizes : tuple of int
        Length of each of these axes.
    height, width, dtype
        Size and type of a plane.
    read : callable
        ``read(index)`` returns the plane at ``index``, one int per axis. Thread-safe.
    stored : str
        All axes of the source in its own order, for display.
    format : str
        Name of the format, for display.
    channels, positions : tuple of str
        Names along c and p, if the source has names.
    position : int or None
        Which of ``positions`` the planes belong to, if p is not an axis.
    pixel_size : PixelSize or None
        Pixel size according to the source.
    frame_interval : float or None
        Seconds between frames.
    frame_interval_source : str or None
        Source of the frame interval.
    frame_numbers : tuple of int or None
        Frame numbers along t, for frames in separate files.
    files : tuple of path
        Files that are read.
    notes : tuple of str
        Automatic decisions so far.
    named : bool
        Whether the source or the user names the axes.
    colour_table : bool
        Whether pixels are numbers of colours, in an order that is not that of brightness.
    mapped : bool
        Whether planes are stored uncompressed, so that they can be mapped.
    missing : callable or None
        ``missing(index)`` says whether all, and whether any, of the chunks of a plane are not stored; None if all
        planes are stored.
    """

    axes: str
    sizes: tuple[int, ...]
    height: int
    width: int
    dtype: np.dtype
    read: Callable[[tuple[int, ...]], np.ndarray]
    stored: str
    format: str
    channels: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    position: int | None = None
    pixel_size: PixelSize | None = None
    frame_interval: float | None = None
    frame_interval_source: str | None = None
    frame_numbers: tuple[int, ...] | None = None
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    named: bool = True
    colour_table: bool = False
    mapped: bool = False
    missing: Callable[[tuple[int, ...]], tuple[bool, bool]] | None = None

    def length(self, axis: str) -> int:
        """Return the number of planes along an axis."""
        return self.sizes[self.axes.index(axis)] if axis in self.axes else 1

    def shape_text(self) -> str:
        """Return the sizes for a message, such as "6 x 2 x 200 x 300 (t, c, y, x)"."""
        sizes = " x ".join(map(str, (*self.sizes, self.height, self.width)))
        return f"{sizes} ({', '.join(self.axes)}, y, x)" if self.named and self.axes else sizes


def select_movie(planes: Planes, choices: Choices, where: str, one_frame: bool = False) -> FrameSource:
    """Select the movie (t, y, x) to read from a source.

    Parameters
    ----------
    planes : Planes
        Planes of the source.
    choices : Choices
        Choices by the user.
    where : str
        Name of the source in messages.
    one_frame : bool
        Whether the source is one frame of a movie, whose z axis must not be taken for time.

    Returns
    -------
    FrameSource

    Raises
    ------
    InputError
        If there are several channels, positions or slices and none was chosen, or the source is not a movie.
    """
    planes = _with_time(planes, where)
    check_size((planes.length("t"), planes.height, planes.width), where)
    dtype = check_dtype(planes.dtype, where)
    notes = list(planes.notes)
    position = _choose_position(planes, choices, where)
    channel, channels = _choose_channel(planes, choices, where)
    time, z = "t", choices.z
    slices = planes.length("z")
    if slices == 1:
        if z is not None and is_number(z) and int(z) > 0:
            raise InputError(f"{where} has no slice {z}; its only slice is 0.")
        z = None
    elif z is None and planes.length("t") == 1 and not one_frame:
        time = "z"
        notes.append(
            f"{where} has {slices} planes along the axis z and one point in time; z is read as time. If it is a "
            "z-stack, choose with --z."
        )
    elif z is None:
        raise NotChosenError(
            f"{where} ({planes.shape_text()}) has {slices} slices along z; choose --z max, --z mean, or one of them "
            f"with --z 0 to --z {slices - 1}."
        )
    elif is_number(z) and int(z) >= slices:
        raise InputError(f"{where} has no slice {z}; its slices are 0 to {slices - 1}.")
    index = {"p": position or 0, "c": channel or 0, "s": channel or 0}
    if z is not None and is_number(z):
        index["z"] = int(z)
    notes += _missing_frames(planes, index, time, z in ("max", "mean"), where)
    facts = MovieFacts(
        frames=planes.length(time),
        height=planes.height,
        width=planes.width,
        dtype=np.dtype(np.float32) if z == "mean" else dtype,
        axes=planes.stored,
        format=planes.format,
        channel=channel,
        channels=channels,
        position=position,
        positions=planes.positions,
        z=_describe_z(z, slices),
        frame_interval=planes.frame_interval,
        frame_interval_source=planes.frame_interval_source,
        frame_numbers=planes.frame_numbers,
        files=planes.files,
        colour_table=planes.colour_table,
        notes=tuple(notes),
    )
    return FrameSource(
        facts, partial(_read_frame, planes, index, time, z), planes.pixel_size, mapped=planes.mapped
    )


def _with_time(planes: Planes, where: str) -> Planes:
    """Name the unnamed axis: it is time if it is the only long one."""
    if 0 in (*planes.sizes, planes.height, planes.width):
        raise InputError(f"{where} has the shape {planes.shape_text()}, but a movie has axes t, y and x.")
    long = [i for i, n in enumerate(planes.sizes) if n > 1]
    unnamed = [i for i in long if planes.axes[i] not in "tczps"]
    if not unnamed:
        return planes
    if len(unnamed) > 1 or planes.length("t") > 1:
        raise InputError(
            f"{where} ({planes.shape_text()}) has more than one axis before y and x, and it is unclear which is time; "
            f"name them with --axes, for example --axes {_example(planes)}."
        )
    axes = "".join("t" if i == unnamed[0] else "?" if a == "t" else a for i, a in enumerate(planes.axes))
    planes = replace(planes, axes=axes)
    if not planes.named:
        _refuse_last_axis_time(planes, where)
    return planes


def _refuse_last_axis_time(planes: Planes, where: str) -> None:
    """Reject a stack with unnamed axes whose last axis looks like time or channels, such as (y, x, t) from Matlab."""
    frames, height, width = planes.length("t"), planes.height, planes.width
    narrow = width < _NARROW and width < height and width < frames
    square = frames == height != width
    if narrow or square:
        raise InputError(
            f"{where} ({planes.shape_text()}) would be {frames} frames of {height} x {width} pixels, but its axes look "
            "like y, x, t; name them with --axes yxt (time last), --axes yxc (channels last) or --axes tyx."
        )


def _example(planes: Planes) -> str:
    leading = [n for n in planes.sizes if n > 1]
    letters = "tzc" if len(leading) == 3 else "tc"
    return letters + "yx" if len(leading) <= 3 else "tzcpyx"


def _choose_position(planes: Planes, choices: Choices, where: str) -> int | None:
    if planes.length("p") > 1:
        return choose("position", _names(planes.positions, planes.length("p")), choices.position, where)
    if planes.position is None and choices.position is not None:
        return choose("position", planes.positions[:1] or ("",), choices.position, where)
    return planes.position


def _choose_channel(planes: Planes, choices: Choices, where: str) -> tuple[int | None, tuple[str, ...]]:
    """Return the number of the channel to read (None if the source has none) and the names of all channels."""
    count, colours = planes.length("c"), planes.length("s")
    if max(count, colours) > MOST_CHANNELS:
        raise InputError(
            f"{where} ({planes.shape_text()}) claims {max(count, colours):,} channels, which is impossible; the file "
            "is damaged, or its axes are others (--axes)."
        )
    if count > 1 and colours > 1:
        raise InputError(
            f"{where} ({planes.shape_text()}) has both channels and colours; save one channel as a greyscale TIFF."
        )
    if colours > 1:
        names = COLOURS[:colours] if colours in (3, 4) else _names((), colours)
        if choices.channel is None and colours in (3, 4):
            raise NotChosenError(
                f"{where} ({planes.shape_text()}) is a colour image; choose one channel with "
                "--channel red, --channel green or --channel blue, or save it as a greyscale TIFF."
            )
        return choose("channel", names, choices.channel, where), tuple(names)
    if count > 1:
        names = _names(planes.channels, count)
        hint = ""
        if planes.length("t") == 1 and planes.length("z") == 1:
            hint = "If they are frames, give --axes tyx."
        described = f"{where} ({planes.shape_text()})"
        return choose("channel", names, choices.channel, described, hint), tuple(names)
    names = planes.channels[:1]
    if choices.channel is not None:
        return choose("channel", names or ("",), choices.channel, where), tuple(names)
    return (0 if names else None), tuple(names)


def _names(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Return the names, padded with empty ones up to ``count``."""
    return (*names, *[""] * count)[:count]


def _describe_z(z: int | str | None, slices: int) -> str | None:
    if z is None:
        return None
    return (
        f"slice {z} of {slices}"
        if is_number(z)
        else f"{'maximum' if z == 'max' else 'mean'} of {slices} slices"
    )


def _missing_frames(
    planes: Planes, index: dict[str, int], time: str, all_slices: bool, where: str
) -> list[str]:
    """Return a note on the frames of the selected movie that are not stored, or only in part."""
    if planes.missing is None:
        return []
    whole, part = [], []
    for t in range(planes.length(time)):
        slices = range(planes.length("z")) if all_slices else (None,)
        chosen = [{**index, time: t} | ({} if z is None else {"z": z}) for z in slices]
        found = [planes.missing(tuple(one.get(axis, 0) for axis in planes.axes)) for one in chosen]
        if all(everything for everything, _ in found):
            whole.append(t)
        elif any(some for _, some in found):
            part.append(t)
    if len(whole) == planes.length(time):
        raise InputError(
            f"{where} has a header, but none of its pixels is stored; copy the whole folder again."
        )
    kinds = (("of which nothing is stored", whole), (PARTS_NOT_STORED, part))
    return [
        f"{where} has {counted(len(frames), 'frame')} {kind} ({first_few(frames, 5)}), read as "
        "empty: if the folder was not copied completely, copy it again."
        for kind, frames in kinds
        if frames
    ]


def _read_frame(planes: Planes, index: dict[str, int], time: str, z: int | str | None, t: int) -> np.ndarray:
    """Return frame t of the selected movie."""
    chosen = {**index, time: t}
    if z not in ("max", "mean"):
        return planes.read(tuple(chosen.get(axis, 0) for axis in planes.axes))
    total: np.ndarray | None = None
    slices = planes.length("z")
    for k in range(slices):
        plane = planes.read(tuple({**chosen, "z": k}.get(axis, 0) for axis in planes.axes))
        if total is None:
            total = np.array(plane, dtype=np.float64 if z == "mean" else None)
        elif z == "mean":
            total += plane
        else:
            np.maximum(total, plane, out=total)
    assert total is not None
    return (total / slices).astype(np.float32) if z == "mean" else total
