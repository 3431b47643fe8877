"""Arrays in memory or lazy arrays (NumPy, dask, zarr, data of a napari layer), and .npy files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from morpholaw.cells.movie_formats.planes import Planes, select_movie
from morpholaw.cells.movie_formats.source import NO_CHOICES, Choices, FrameSource
from morpholaw.errors import InputError, reason


def open_array(array: Any, where: str, choices: Choices = NO_CHOICES) -> FrameSource:
    """Open an array with axes (t, y, x); axes of length one before y and x are ignored.

    A list of arrays is a pyramid, as for multiscale layers of napari; its first level is read.

    Raises
    ------
    InputError
        If it is not an array of numbers, or not a movie.
    """
    if isinstance(array, (list, tuple)) and array and hasattr(array[0], "shape"):
        array = array[0]
    if not (hasattr(array, "shape") and hasattr(array, "dtype") and hasattr(array, "__getitem__")):
        raise InputError(
            f"{where} is a {type(array).__name__}, but a path or an array (t, y, x) was expected."
        )
    return select_movie(array_planes(array, where, None, choices.axes), choices, where)


def open_npy(path: Path, choices: Choices) -> FrameSource:
    """Open a .npy file, memory-mapped."""
    array = load_npy(path)
    from dataclasses import replace

    planes = array_planes(array, str(path), None, choices.axes)
    return select_movie(replace(planes, format="NumPy file", files=(path,)), choices, str(path))


def load_npy(path: Path) -> np.ndarray:
    """Return the array in a .npy file, memory-mapped; raise InputError if it cannot be read or has Python objects."""
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, MemoryError) as error:
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            raise InputError(
                f"{path} contains Python objects, which are not opened because they could run code (cellpose's "
                "_seg.npy is such a file); save its images or masks as TIFF."
            ) from None
        raise InputError(f"{path} cannot be read as a .npy file: {reason(error)}.") from error
    return array


def array_planes(array: Any, where: str, stated: str | None, wanted: str | None) -> Planes:
    """Describe an array as planes.

    Parameters
    ----------
    array : array
        Anything with ``shape``, ``dtype`` and basic indexing.
    where : str
        Name of the array in messages.
    stated : str or None
        Names of the axes in the source, one lower-case letter per axis.
    wanted : str or None
        Letters given by the user, for all axes or for those longer than one.

    Returns
    -------
    Planes

    Raises
    ------
    InputError
        If the letters do not fit the array.
    """
    shape = tuple(int(n) for n in array.shape)
    letters = axis_letters(shape, stated, wanted, where)
    y, x = letters.index("y"), letters.index("x")
    leading = [i for i in range(len(shape)) if i not in (y, x)]

    def read(index: tuple[int, ...]) -> np.ndarray:
        at: list[Any] = [slice(None)] * len(shape)
        for axis, i in zip(leading, index, strict=True):
            at[axis] = i
        plane = np.asarray(array[tuple(at)])
        return plane if y < x else plane.T

    return Planes(
        axes="".join(letters[i] for i in leading),
        sizes=tuple(shape[i] for i in leading),
        height=shape[y],
        width=shape[x],
        dtype=np.dtype(array.dtype),
        read=read,
        stored=letters,
        format="array",
        named=stated is not None or wanted is not None,
        mapped=isinstance(array, np.memmap),
    )


def axis_letters(shape: tuple[int, ...], stated: str | None, wanted: str | None, where: str) -> str:
    """Return one letter per axis: those given by the user, else those of the source, else y and x last."""
    size = " x ".join(map(str, shape)) or "of one number"
    if len(shape) < 2:
        raise InputError(f"{where} has the shape {size}, but a movie has axes t, y and x.")
    if wanted is not None:
        long = [i for i, n in enumerate(shape) if n > 1]
        if len(wanted) == len(shape):
            return wanted
        if len(wanted) == len(long):
            at = dict(zip(long, wanted, strict=True))
            return "".join(at.get(i, "?") for i in range(len(shape)))
        raise InputError(
            f"{where} has {len(shape)} axes ({size}), but --axes {wanted} has {len(wanted)} letters; give one per axis."
        )
    if stated is None:
        if len(shape) > 2 and shape[-1] in (3, 4):
            return "?" * (len(shape) - 3) + "yxs"
        if len(shape) > 3 and shape[-1] == 1:  # the channel, as Keras and DeepCell write it
            return "?" * (len(shape) - 3) + "yxc"
        return "?" * (len(shape) - 2) + "yx"
    if len(stated) != len(shape):
        raise InputError(
            f"{where} names {len(stated)} axes ({stated}), but its array has {len(shape)} ({size})."
        )
    letters = stated.lower()
    if letters.count("y") != 1 or letters.count("x") != 1:
        raise InputError(
            f"{where} has the axes {letters} ({size}) without y or x; name the axes with --axes."
        )
    return letters
