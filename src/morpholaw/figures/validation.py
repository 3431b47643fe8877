"""Arrays as the figures need them, or one sentence that says what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from morpholaw.errors import InputError


def numbers(value: Any, shape: tuple[str | int, ...], name: str) -> np.ndarray:
    """``value`` as float64 of the given ``shape``, e.g. ``("n", "s", 2)``; letters stand for any length.

    Raises
    ------
    InputError
        If it isn't numeric or has another shape.
    """
    wanted = "(" + ", ".join(str(part) for part in shape) + ("," if len(shape) == 1 else "") + ")"
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"The figure's {name} must be an array of numbers of shape {wanted}.") from None
    fits = array.ndim == len(shape) and all(
        not isinstance(part, int) or part == length for part, length in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise InputError(f"The figure's {name} must have shape {wanted}, not {array.shape}.")
    return array


def same_length(value: Any, length: int, name: str) -> Any:
    """``value`` itself, if it has ``length`` items.

    Raises
    ------
    InputError
        If it has another number of items.
    """
    if len(value) != length:
        raise InputError(f"The figure's {name} must have {length} items, not {len(value)}.")
    return value


def pictures(value: Any, shape: tuple[str | int, ...], name: str) -> np.ndarray:
    """Pictures as float64 in their own range; uint8 crops are divided by 255.

    Raises
    ------
    InputError
        If the shape is another one, or there is no picture at all.
    """
    array = np.asarray(value)
    scale = 255.0 if array.dtype == np.uint8 else 1.0
    checked = numbers(array, shape, name) / scale
    if checked.size == 0:
        raise InputError(f"The figure's {name} holds no picture; at least one is needed.")
    return checked
