"""The interface that every movie format provides, and rules that apply to all formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.movie_facts import MovieFacts
from morpholaw.cells.movie_formats.units import PixelSize
from morpholaw.errors import InputError, NotChosenError

MAX_FRAME_PIXELS = 2**30
MAX_MOVIE_PIXELS = 2**40

_LETTERS = frozenset("tczpyxs")
COLOURS = ("red", "green", "blue", "alpha")


class MovieWarning(UserWarning):
    """An automatic decision about a movie, in one sentence."""


@dataclass(frozen=True)
class Choices:
    """What to read from a source with more than one movie.

    Attributes
    ----------
    channel, position : int or str or None
        Name or number, counted from 0; None if not chosen.
    z : int or str or None
        "max", "mean" or the number of a slice, counted from 0.
    axes : str or None
        One letter per axis of the source, in lower case.
    """

    channel: int | str | None = None
    position: int | str | None = None
    z: int | str | None = None
    axes: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.z is not None and not (self.z in ("max", "mean") or is_number(self.z)):
            raise InputError(f"z is {self.z!r}; expected max, mean or the number of a slice, counted from 0.")
        if self.axes is not None:
            axes = self.axes.lower().strip()
            wrong = not set(axes) <= _LETTERS or len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes)
            if wrong:
                raise InputError(
                    f"axes is {self.axes!r}; expected one letter per axis, with y and x and without repetitions: "
                    "t (time), c (channel), z, p (position), y, x, s (red, green and blue)."
                )
            object.__setattr__(self, "axes", axes)


NO_CHOICES = Choices()


@dataclass(frozen=True)
class FrameSource:
    """A movie that is read one frame at a time.

    Attributes
    ----------
    facts : MovieFacts
        Its size, scale and timing, with their sources.
    read : callable
        ``read(t)`` returns frame t as an array (y, x). Thread-safe.
    pixel_size : PixelSize or None
        Pixel size according to the source, which may not be square.
    fresh : bool
        Whether ``read`` returns a new array at every call, which the caller may change.
    mapped : bool
        Whether frames are stored uncompressed, so that they can be mapped.
    """

    facts: MovieFacts
    read: Callable[[int], np.ndarray]
    pixel_size: PixelSize | None = None
    fresh: bool = False
    mapped: bool = False


def is_number(value: int | str) -> bool:
    """Return whether a choice is an integer or a string of digits."""
    return not isinstance(value, bool) and (isinstance(value, int) or value.strip().isdecimal())


def choose(kind: str, names: Sequence[str], wanted: int | str | None, where: str, hint: str = "") -> int:
    """Return the index of the requested channel or position.

    Parameters
    ----------
    kind : str
        "channel" or "position", as in the name of the option.
    names : sequence of str
        Names in order; "" for unnamed ones.
    wanted : int or str or None
        Name or number, counted from 0. A name has priority over a number.
    where : str
        Name of the source in messages.
    hint : str
        Further sentence for the error if nothing was chosen.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If there are several and none was chosen, or the name or number does not exist.
    """
    count = len(names)
    if wanted is None:
        if count == 1:
            return 0
        example = next((name for name in names if name), "0")
        example = f'"{example}"' if " " in example else example
        raise NotChosenError(
            f"{where} has {count} {kind}s ({_listed(names)}); choose one with --{kind}, for "
            f"example --{kind} {example}.{' ' + hint if hint else ''}"
        )
    text = str(wanted).strip()
    exact = [i for i, name in enumerate(names) if name == text]
    matches = exact or [i for i, name in enumerate(names) if name.lower() == text.lower()]
    if len(matches) == 1:
        return matches[0]
    if not matches and is_number(wanted) and int(text) < count:
        return int(text)
    raise InputError(f"{where} has no single {kind} {text!r}; its {kind}s are {_listed(names)}.")


def _listed(names: Sequence[str]) -> str:
    shown = [f"{i}: {name}" if name else str(i) for i, name in enumerate(names)]
    return ", ".join(shown) if len(shown) <= 12 else ", ".join([*shown[:6], "...", shown[-1]])


def check_size(shape: tuple[int, int, int], where: str) -> None:
    """Reject headers that claim more pixels than any movie has."""
    frames, height, width = shape
    if height * width > MAX_FRAME_PIXELS or frames * height * width > MAX_MOVIE_PIXELS:
        raise InputError(
            f"{where} claims {frames} frames of {height} x {width} pixels, more than any movie has; "
            "its header is wrong."
        )


def check_dtype(dtype: np.dtype, where: str) -> np.dtype:
    """Return ``dtype`` in native byte order; reject anything but real numbers."""
    if dtype.kind not in "uif":
        raise InputError(f"{where} has pixels of type {dtype}; expected integers or floats.")
    return dtype.newbyteorder("=")
