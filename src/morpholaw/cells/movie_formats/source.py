"""What every movie format offers, and the rules that every format obeys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.movie_facts import MovieFacts
from morpholaw.cells.movie_formats.units import PixelSize
from morpholaw.errors import InputError

MAX_FRAME_PIXELS = 2**30
MAX_MOVIE_PIXELS = 2**40

_LETTERS = frozenset("tczpyxs")
COLOURS = ("red", "green", "blue", "alpha")


class MovieWarning(UserWarning):
    """Something in a movie that was decided for the user, in one sentence."""


@dataclass(frozen=True)
class Choices:
    """What to read where a source holds more than one movie.

    Attributes
    ----------
    channel, position : int or str or None
        A name, or a number counted from 0; None where nothing was chosen.
    z : int or str or None
        "max", "mean" or the number of a slice counted from 0.
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
            raise InputError(f"z is {self.z!r}, but max, mean or the number of a slice from 0 was expected.")
        if self.axes is not None:
            axes = self.axes.lower().strip()
            wrong = not set(axes) <= _LETTERS or len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes)
            if wrong:
                raise InputError(
                    f"axes is {self.axes!r}, but one letter per axis was expected, y and x among them and none twice: "
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
        Its size, scale and time, and where they come from.
    read : callable
        ``read(t)`` returns frame t as an array (y, x). It may be called from several threads at once.
    pixel_size : PixelSize or None
        What the source says, not yet checked to be square.
    fresh : bool
        Whether ``read`` returns a new array at every call, which may be changed.
    mapped : bool
        Whether frames lie in a file as they are, so that nothing is decoded.
    """

    facts: MovieFacts
    read: Callable[[int], np.ndarray]
    pixel_size: PixelSize | None = None
    fresh: bool = False
    mapped: bool = False


def is_number(value: int | str) -> bool:
    """Whether a choice is a whole number, as such or in digits."""
    return not isinstance(value, bool) and (isinstance(value, int) or value.strip().isdecimal())


def choose(kind: str, names: Sequence[str], wanted: int | str | None, where: str, hint: str = "") -> int:
    """Return the index of the channel or position that was asked for.

    Parameters
    ----------
    kind : str
        "channel" or "position", as in the option's name.
    names : sequence of str
        In order; "" for one without a name.
    wanted : int or str or None
        A name, or a number from 0. A name wins over a number.
    where : str
        What to call the source in a message.
    hint : str
        A further sentence for the refusal where nothing was chosen.

    Raises
    ------
    InputError
        There are several and none was chosen, or there is none of that name or number.
    """
    count = len(names)
    if wanted is None:
        if count == 1:
            return 0
        example = next((name for name in names if name), "0")
        example = f'"{example}"' if " " in example else example
        raise InputError(
            f"{where} has {count} {kind}s ({_listed(names)}), but a movie has one: choose one with --{kind}, for "
            f"example --{kind} {example}.{' ' + hint if hint else ''}"
        )
    text = str(wanted).strip()
    exact = [i for i, name in enumerate(names) if name == text]
    found = exact or [i for i, name in enumerate(names) if name.lower() == text.lower()]
    if len(found) == 1:
        return found[0]
    if not found and is_number(wanted) and int(text) < count:
        return int(text)
    raise InputError(f"{where} has no single {kind} {text!r}; its {kind}s are {_listed(names)}.")


def _listed(names: Sequence[str]) -> str:
    shown = [f"{i}: {name}" if name else str(i) for i, name in enumerate(names)]
    return ", ".join(shown) if len(shown) <= 12 else ", ".join([*shown[:6], "...", shown[-1]])


def check_size(shape: tuple[int, int, int], where: str) -> None:
    """Refuse headers that claim more pixels than any movie has."""
    frames, height, width = shape
    if height * width > MAX_FRAME_PIXELS or frames * height * width > MAX_MOVIE_PIXELS:
        raise InputError(
            f"{where} claims {frames} frames of {height} x {width} pixels, more than any movie has: "
            "its header is wrong."
        )


def check_dtype(dtype: np.dtype, where: str) -> np.dtype:
    """Return ``dtype`` in native byte order; refuse anything but real numbers."""
    if dtype.kind not in "uif":
        raise InputError(f"{where} has pixels of type {dtype}, but integers or floats were expected.")
    return dtype.newbyteorder("=")
