"""How strongly a score speaks for a class, as the held-out cells show: a weak score is weak evidence.

The scores of a head or a law are not probabilities, and those of a movie are weaker than those of the cells it was
trained on. A logistic regression of the held-out cells' classes on their scores (Platt 1999) says what one is worth;
and no score is worth more than the classifier's calls are, which are wrong at times however sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError

FAR = 3.0
"""Times the median score that a score counts for at the most in the fit: one that is far out says no more than that,
and would else flatten the slope for all others."""


@dataclass(frozen=True)
class Calibration:
    """What scores are worth.

    Attributes
    ----------
    slope, intercept : float
        Log odds of the positive class, both classes being as frequent: ``slope * score + intercept``; the slope is 0 or
        more.
    least, most : float
        Bounds of the odds, below and above 1.
    """

    slope: float
    intercept: float
    least: float
    most: float

    def __post_init__(self) -> None:
        known = np.isfinite([self.slope, self.intercept, self.least, self.most]).all()
        if not (known and self.slope >= 0 and 0 < self.least <= 1 <= self.most):
            raise ValueError("the calibration is not that of a classifier")

    @classmethod
    def fit(cls, scores: np.ndarray, targets: np.ndarray) -> Calibration:
        """From held-out cells.

        Parameters
        ----------
        scores : ndarray, (n,)
            f(x); cells whose score is not a finite number are left out.
        targets : ndarray, (n,)
            0 for the negative class, 1 for the positive; both are there.

        Raises
        ------
        InputError
            When one of the classes is missing.
        """
        from scipy.optimize import (
            minimize,  # here: records hold calibrations, and scipy takes a second to load
        )
        from scipy.special import expit

        from morpholaw.evaluation.metrics import confusion

        known = np.isfinite(scores)
        x, positive = np.asarray(scores, np.float64)[known], (np.asarray(targets) == 1)[known]
        if positive.all() or not positive.any():
            raise InputError(
                "To judge scores, held-out cells of both classes are needed; there is one class."
            )
        least, most = _bounds(confusion(positive.astype(np.int64), (x >= 0).astype(np.int64), 2))
        scale = max(float(np.median(np.abs(x))), 1e-100)  # no slope is too steep to be written down
        x = np.clip(x, -FAR * scale, FAR * scale) / scale
        sign = np.where(positive, 1.0, -1.0)
        weight = len(x) * np.where(positive, 0.5 / positive.sum(), 0.5 / (~positive).sum())

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            # With a ridge of one cell's weight: classes that are told apart wholly have no steepest slope.
            margin = sign * (values[0] * x + values[1])
            pull = -weight * sign * expit(-margin)
            value = np.sum(weight * np.logaddexp(0, -margin)) + 0.5 * values[0] ** 2
            return float(value), np.array([np.sum(pull * x) + values[0], np.sum(pull)])

        slope, intercept = minimize(loss, np.zeros(2), jac=True, bounds=[(0, None), (None, None)]).x
        return cls(float(slope) / scale, float(intercept), least, most)

    def odds(self, scores: np.ndarray) -> np.ndarray:
        """P(score | positive) / P(score | negative), float64; 1 where a score is not a finite number."""
        scores = np.asarray(scores, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            odds = np.clip(np.exp(self.slope * scores + self.intercept), self.least, self.most)
        return np.where(np.isfinite(scores), odds, 1.0)


def _bounds(counts: np.ndarray) -> tuple[float, float]:
    """Odds of a negative and of a positive call by a confusion (2, 2), one cell added so that none is impossible."""
    share = counts + np.array([[1.0, 0.5], [0.5, 1.0]])
    share /= share.sum(1, keepdims=True)
    low, high = share[1] / share[0]
    return min(float(low), 1.0), max(float(high), 1.0)
