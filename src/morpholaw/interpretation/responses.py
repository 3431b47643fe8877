"""The response of a network to few inputs: its map, symmetries and monotonicity (paper, 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from morpholaw.errors import InputError

Response = Callable[[np.ndarray], np.ndarray]
"""A function of points (n, inputs) that gives values (n,)."""


@dataclass(frozen=True)
class ResponseMap:
    """A response on a regular grid of one or two inputs.

    Attributes
    ----------
    axis
        float64 (steps,), the values of every input.
    values
        float64 (steps,) or (steps, steps); the first input along the first axis.
    gradient
        float64 (inputs, steps, ...), the derivative by each input.
    """

    axis: np.ndarray
    values: np.ndarray
    gradient: np.ndarray


def response_map(
    response: Response, inputs: int, low: float = -3.0, high: float = 3.0, steps: int = 61
) -> ResponseMap:
    """Evaluate a response of one or two inputs on a grid (figures 7-10)."""
    if inputs not in (1, 2):
        raise InputError(f"A response map shows one or two inputs; this response has {inputs}.")
    axis = np.linspace(low, high, steps)
    points = np.stack(np.meshgrid(*[axis] * inputs, indexing="ij"), axis=-1).reshape(-1, inputs)
    values = np.asarray(response(points), dtype=np.float64).reshape([steps] * inputs)
    gradient = np.stack([np.gradient(values, axis, axis=k) for k in range(inputs)])
    return ResponseMap(axis, values, gradient)


def symmetries(
    response: Response, inputs: int, limit: float = 3.0, samples: int = 20_000, seed: int = 0
) -> pd.DataFrame:
    """Measure how symmetric a response is under swapping and negating its inputs.

    A response is the sum of a part that the operation does not change (even) and a part whose sign it changes (odd).
    The parity is the even part's share of the variance minus the odd part's: 1 for "treated equally" (z17 and z21 in
    the paper), -1 for "equally, in opposite directions", about 0 for neither.

    Parameters
    ----------
    limit
        Inputs are drawn uniformly from [-limit, limit].

    Returns
    -------
    pd.DataFrame
        ``operation`` ("negate", "swap", "negate and swap", the mirror at z_a = -z_b), ``inputs`` (positions)
        and ``parity``, in [-1, 1]; NaN for a response that is constant.
    """
    points = np.random.default_rng(seed).uniform(-limit, limit, (samples, inputs))
    values = np.asarray(response(points), dtype=np.float64)
    rows: list[dict[str, object]] = []
    for k in range(inputs):
        moved = points.copy()
        moved[:, k] *= -1
        rows.append({"operation": "negate", "inputs": (k,), "parity": parity(values, response(moved))})
    for pair in combinations(range(inputs), 2):
        moved = points.copy()
        moved[:, list(pair)] = points[:, list(pair[::-1])]
        rows.append({"operation": "swap", "inputs": pair, "parity": parity(values, response(moved))})
        moved[:, list(pair)] *= -1
        rows.append(
            {"operation": "negate and swap", "inputs": pair, "parity": parity(values, response(moved))}
        )
    return pd.DataFrame(rows, columns=["operation", "inputs", "parity"])


def parity(values: np.ndarray, moved: np.ndarray) -> float:
    """Return even minus odd share of the variance of ``values`` (n,), given the values at the moved points (n,)."""
    finite = np.isfinite(values) & np.isfinite(moved)
    if not finite.any():
        return float("nan")
    centre = (values[finite].mean() + moved[finite].mean()) / 2
    even = np.mean(((values[finite] + moved[finite]) / 2 - centre) ** 2)
    odd = np.mean(((values[finite] - moved[finite]) / 2) ** 2)
    scale = max(float(np.abs(values[finite]).max()), 1e-300)
    return float((even - odd) / (even + odd)) if even + odd > (1e-12 * scale) ** 2 else float("nan")


def monotonicity(
    response: Response, inputs: int, limit: float = 3.0, steps: int = 61, lines: int = 400, seed: int = 0
) -> np.ndarray:
    """Compute net change over total variation along each input, float64 (inputs,).

    1 where the response only increases with the input, whatever the others are; -1 where it only decreases; near 0
    where it returns to its start; NaN where it does not depend on the input. The others are drawn uniformly from
    [-limit, limit].
    """
    axis = np.linspace(-limit, limit, steps)
    others = np.random.default_rng(seed).uniform(-limit, limit, (lines, 1, inputs))
    result = np.full(inputs, np.nan)
    for k in range(inputs):
        points = np.repeat(others, steps, axis=1)
        points[:, :, k] = axis
        values = np.asarray(response(points.reshape(-1, inputs)), dtype=np.float64).reshape(lines, steps)
        change = np.diff(values[np.isfinite(values).all(axis=1)], axis=1)
        variation = np.abs(change).sum()
        if variation > 1e-12 * max(1.0, float(np.abs(values[np.isfinite(values)]).sum())):
            result[k] = change.sum() / variation
    return result
