"""What an MSE law is fitted to: the outputs of a network, whose far tails do not matter.

Raw logits reach tens or hundreds, and the squared error sees little else. Measured on two known laws with the same
searches for each option (docs/laws.md): the best law found was right in 97.0 and 97.5 % when fitted to censored
outputs, in 94.4 and 96.3 % to clipped ones, in 93.6 and 94.7 % to tanh, and in 87.9 and 89.6 % to raw ones.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from morpholaw.errors import InputError
from morpholaw.training.symbolic.engine import LossKind

Distillation = Literal["censored", "clipped", "tanh", "raw"]

NEAR_BOUNDARY = 0.1
"""Share of the rows whose outputs are near the boundary, where the law should follow the network's values."""


def distil(outputs: np.ndarray, how: Distillation = "censored") -> tuple[np.ndarray, LossKind]:
    """Return the targets of a search and the loss to fit them by.

    Parameters
    ----------
    outputs : ndarray
        A network's scores, (rows,).
    how : {"censored", "clipped", "tanh", "raw"}
        "censored": outputs in units of their 10 % quantile of magnitude, clipped to [-1, 1], and the law may exceed the
        ends; "clipped": the same in units of the median, and the law must meet them; "tanh": tanh of half the output,
        which is the network's probability from -1 to 1; "raw": the outputs as they are, as in the paper.

    Returns
    -------
    targets : ndarray
        (rows,).
    loss : {"mse", "censored"}

    Raises
    ------
    InputError
        If the outputs are mostly zero or of one sign, or there is no such option.
    """
    if how not in get_args(Distillation):
        raise InputError(f"There is no distillation {how!r}; there are {', '.join(get_args(Distillation))}.")
    if how == "raw":
        return outputs, "mse"
    if how == "tanh":
        return np.tanh(outputs / 2), "mse"
    unit = float(np.quantile(np.abs(outputs), NEAR_BOUNDARY if how == "censored" else 0.5))
    if not unit > 0 or outputs.min() >= 0 or outputs.max() < 0:
        raise InputError("The outputs to distil must be of both signs and not mostly zero.")
    return np.clip(outputs / unit, -1, 1), "censored" if how == "censored" else "mse"
