"""Probabilities where classes are not equally frequent: a metaphase is half of a labelled set, and 2 % of a movie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from morpholaw.errors import InputError

Prevalence = float | Mapping[str, float]
"""Share of the cells that are of the second of two classes, or shares of cells by class."""


def stated_shares(prevalence: Prevalence, classes: Sequence[str]) -> np.ndarray:
    """Return the stated share of each class.

    Parameters
    ----------
    prevalence : float or mapping
        Of two classes the share of the second, in (0, 1); or shares by class. Classes that are not named have equal
        shares of what is left.
    classes : sequence of str
        The names of the classes.

    Returns
    -------
    ndarray
        float64 (classes,), above 0, of sum 1.

    Raises
    ------
    InputError
        When a class is not known, or the shares are none.
    """
    if not isinstance(prevalence, Mapping):
        if len(classes) != 2:
            raise InputError(
                f"There are {len(classes)} classes; state the prevalence by class, such as {classes[-1]}=0.02."
            )
        prevalence = {classes[1]: prevalence}
    unknown = [name for name in prevalence if name not in classes]
    if unknown:
        raise InputError(
            f"There is no class {unknown[0]!r} to state a prevalence of; there are {', '.join(classes)}."
        )
    others, rest = len(classes) - len(prevalence), 1 - math.fsum(prevalence.values())
    fits = rest > 1e-9 if others else abs(rest) < 1e-6
    if not fits or not all(0 < share < 1 for share in prevalence.values()):
        raise InputError(
            "The prevalence must be a share between 0 and 1 for each class, such as 0.02, and all of them 1 together."
        )
    return np.array([prevalence.get(name, rest / max(1, others)) for name in classes])


def shift_probabilities(probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return probabilities for classes of the stated shares, by Bayes' rule.

    Parameters
    ----------
    probabilities : ndarray
        Of the classes if all were equally frequent, (n, classes); NaN where undefined.
    shares : ndarray
        Share of each class, (classes,).
    """
    weighted = np.asarray(probabilities, np.float64) * shares
    shifted: np.ndarray = weighted / weighted.sum(axis=1, keepdims=True)
    return shifted
