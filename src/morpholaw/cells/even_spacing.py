"""Evenly spaced indices and elements, for deterministic samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Element = TypeVar("Element")


def evenly(n: int, count: int) -> np.ndarray:
    """Return up to ``count`` evenly spaced integers from 0 to n-1, int64, in ascending order."""
    return np.arange(n) if n <= count else np.linspace(0, n - 1, count).round().astype(np.int64)


def spread(values: Sequence[Element], count: int) -> list[Element]:
    """Return up to ``count`` evenly spaced elements of the values."""
    return [values[i] for i in evenly(len(values), count)]
