"""Targets of MSE laws: the outputs of a network, with extreme values limited.

Raw logits reach tens or hundreds and dominate the squared error. In a benchmark with two known laws and the same
searches for each option (docs/laws.md), the best law was correct in 97.0 and 97.5 % of rows with censored outputs, 94.4
and 96.3 % with clipped, 93.6 and 94.7 % with tanh, and 87.9 and 89.6 % with raw outputs.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from morpholaw.errors import InputError
from morpholaw.training.symbolic.engine import LossKind

Distillation = Literal["censored", "clipped", "tanh", "raw"]

NEAR_BOUNDARY = 0.1
"""Share of rows near the boundary, where the law should reproduce the network's outputs."""


def distil(outputs: np.ndarray, how: Distillation = "censored") -> tuple[np.ndarray, LossKind]:
    """Return the targets of a search and the loss for fitting them.

    Parameters
    ----------
    outputs : ndarray
        Scores of a network, (rows,).
    how : {"censored", "clipped", "tanh", "raw"}
        "censored": outputs divided by the 10 % quantile of their magnitude and clipped to [-1, 1]; laws may exceed the
        ends at no cost. "clipped": divided by the median magnitude and clipped; laws must match the ends. "tanh": tanh
        of half the output, the network's probability from -1 to 1. "raw": unchanged, as in the paper.

    Returns
    -------
    targets : ndarray
        Targets, (rows,).
    loss : {"mse", "censored"}

    Raises
    ------
    InputError
        If the outputs are mostly zero or all of one sign, or the option does not exist.
    """
    if how not in get_args(Distillation):
        raise InputError(
            f"There is no distillation {how!r}; the options are {', '.join(get_args(Distillation))}."
        )
    if how == "raw":
        return outputs, "mse"
    if how == "tanh":
        return np.tanh(outputs / 2), "mse"
    unit = float(np.quantile(np.abs(outputs), NEAR_BOUNDARY if how == "censored" else 0.5))
    if not unit > 0 or outputs.min() >= 0 or outputs.max() < 0:
        raise InputError("The outputs to distil must have both signs and must not be mostly zero.")
    return np.clip(outputs / unit, -1, 1), "censored" if how == "censored" else "mse"
