"""Response of a network to one or two inputs, as a map, and its monotonicity (paper, 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError

Response = Callable[[np.ndarray], np.ndarray]
"""Function from points (n, inputs) to values (n,)."""

LIMIT, STEPS = 3.0, 61
"""Inputs are looked at from -LIMIT to LIMIT, at so many values."""
LINES = 400
"""Values of the other inputs, drawn at random, along which one input is followed."""


@dataclass(frozen=True)
class ResponseMap:
    """A response on a regular grid of one or two inputs.

    Attributes
    ----------
    axis : ndarray, float64 (steps,)
        Values of each input.
    values : ndarray, float64 (steps,) or (steps, steps)
        Responses, with the first input along the first axis.
    """

    axis: np.ndarray
    values: np.ndarray


def response_map(response: Response, inputs: int) -> ResponseMap:
    """Evaluate a response of one or two inputs on a grid (figures 7-10)."""
    if inputs not in (1, 2):
        raise InputError(f"A response map shows one or two inputs; this response has {inputs}.")
    axis = np.linspace(-LIMIT, LIMIT, STEPS)
    points = np.stack(np.meshgrid(*[axis] * inputs, indexing="ij"), axis=-1).reshape(-1, inputs)
    return ResponseMap(axis, np.asarray(response(points), dtype=np.float64).reshape([STEPS] * inputs))


def monotonicity(response: Response, inputs: int) -> np.ndarray:
    """Compute the monotonicity of a response in each input, float64 (inputs,).

    The monotonicity is the net change divided by the total variation along the input, with random values of the other
    inputs from -LIMIT to LIMIT. It is 1 if the response only increases with the input, -1 if it only decreases, close
    to 0 if it returns to its initial value, and NaN if it does not depend on the input.
    """
    axis = np.linspace(-LIMIT, LIMIT, STEPS)
    others = np.random.default_rng(0).uniform(-LIMIT, LIMIT, (LINES, 1, inputs))
    result = np.full(inputs, np.nan)
    for k in range(inputs):
        points = np.repeat(others, STEPS, axis=1)
        points[:, :, k] = axis
        values = np.asarray(response(points.reshape(-1, inputs)), dtype=np.float64).reshape(LINES, STEPS)
        change = np.diff(values[np.isfinite(values).all(axis=1)], axis=1)
        variation = np.abs(change).sum()
        if variation > 1e-12 * max(1.0, float(np.abs(values[np.isfinite(values)]).sum())):
            result[k] = change.sum() / variation
    return result
