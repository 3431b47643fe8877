"""Two known laws of the paper's kind, to measure how well and how fast a search finds them.

The data are 7200 noisy, balanced rows of four standard normal latents, and 20,000 rows for testing. The goal is half a
percentage point below the accuracy of the true law at its best threshold, at a complexity of at most 20 (paper, B.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from morpholaw.models.expressions import Expression

NAMES = ("z3", "z17", "z21", "z29")
MAX_COMPLEXITY = 20
NOISE = 0.2
TRAIN, TEST = 7200, 20_000


def law_a(z: np.ndarray) -> np.ndarray:
    """Compute z29 (z17^2 + z21^2) - e^(e^z3), the paper's H1, for rows of z3, z17, z21, z29."""
    score: np.ndarray = z[:, 3] * (z[:, 1] ** 2 + z[:, 2] ** 2) - np.exp(np.exp(z[:, 0]))
    return score


def law_b(z: np.ndarray) -> np.ndarray:
    """Compute (z29 - z3) (|z17| + z21^2) - 2.88, the paper's H3, for rows of z3, z17, z21, z29."""
    score: np.ndarray = (z[:, 3] - z[:, 0]) * (np.abs(z[:, 1]) + z[:, 2] ** 2) - 2.88
    return score


LAWS = {"A": law_a, "B": law_b}


@dataclass(frozen=True)
class Data:
    """Training and test rows of a known law, and the accuracy at which the law counts as found.

    Attributes
    ----------
    x, test_x : ndarray
        Features, (rows, 4).
    y, test_y : ndarray
        Targets -1 or +1, (rows,), as the engines expect them.
    goal : float
        Accuracy on the test rows at which the law counts as found.
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    goal: float

    def accuracy(self, expression: Expression) -> float:
        """Return the share of test rows that are classified correctly."""
        return float(np.mean((expression.evaluate(self.test_x) >= 0) == (self.test_y > 0)))


def make_data(law: Callable[[np.ndarray], np.ndarray]) -> Data:
    """Draw noisy, balanced rows of a law."""
    rng = np.random.default_rng(1)
    z = rng.standard_normal((600_000, 4))
    f = law(z)
    positive = f + NOISE * rng.standard_normal(len(z)) >= 0
    half = (TRAIN + TEST) // 2
    rows = np.concatenate(
        [rng.choice(np.flatnonzero(side), half, replace=False) for side in (positive, ~positive)]
    )
    rng.shuffle(rows)
    y = np.where(positive, 1.0, -1.0)
    fit, new = rows[:TRAIN], rows[TRAIN:]
    goal = _accuracy_at_best_threshold(f[fit], y[fit], f[new], y[new]) - 0.005
    return Data(z[fit], y[fit], z[new], y[new], goal)


def _accuracy_at_best_threshold(
    f: np.ndarray, y: np.ndarray, test_f: np.ndarray, test_y: np.ndarray
) -> float:
    order = np.argsort(f)
    right: np.ndarray = np.cumsum(y[order] < 0) + np.sum(y > 0) - np.cumsum(y[order] > 0)
    threshold = f[order][np.argmax(right)]
    return float(np.mean((test_f > threshold) == (test_y > 0)))
