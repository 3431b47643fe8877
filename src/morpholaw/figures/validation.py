"""Validation of the arrays that are passed to figures, with one-sentence errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from morpholaw.errors import InputError


def numbers(value: Any, shape: tuple[str | int, ...], name: str) -> np.ndarray:
    """Return ``value`` as float64 of the given shape, such as ``("n", "s", 2)``; letters match any length.

    Raises
    ------
    InputError
        If it is not numeric or has another shape.
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
    """Return ``value`` unchanged if it has ``length`` items.

    Raises
    ------
    InputError
        If it has another number of items.
    """
    if len(value) != length:
        raise InputError(f"The figure's {name} must have {length} items, not {len(value)}.")
    return value


def pictures(value: Any, shape: tuple[str | int, ...], name: str) -> np.ndarray:
    """Return images as float64; uint8 crops are divided by 255, other ranges are kept.

    Raises
    ------
    InputError
        If the shape is wrong or there are no images.
    """
    array = np.asarray(value)
    scale = 255.0 if array.dtype == np.uint8 else 1.0
    checked = numbers(array, shape, name) / scale
    if checked.size == 0:
        raise InputError(f"The figure's {name} contain no images; at least one is needed.")
    return checked
