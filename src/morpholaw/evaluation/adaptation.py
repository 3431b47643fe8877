"""Adaptation of the scores of two classes to another source, from a few labels or from the scores alone.

Another microscope or stain often shifts and stretches the scores of a classifier without changing their order. An
adaptation consists of a threshold and a scale, f' = scale * (f - threshold). With labels, they are obtained by logistic
regression of the classes on the scores. Without labels, the distributions of the scores of both classes are taken from
known cells, and shift, stretch and class shares are estimated by maximum a posteriori; the prior favours small shifts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError
from morpholaw.evaluation.calibration import Calibration

FEWEST = 30
"""Minimum number of cells for an adaptation without labels."""
MOST = 2_000
"""Maximum number of scores that are used."""
EVIDENCE = 50
"""Maximum weight of all scores, in cells, as the cells of one movie are not independent."""
SHIFT, STRETCH = 0.25, 0.35
"""Prior standard deviations of the shift, in distances between the two classes, and of the logarithm of the stretch."""
_FREEDOM = (
    4.0  # degrees of freedom of Student's t, as scores have much heavier tails than a normal distribution
)
_SHARES = np.array([0.03, 0.08, 0.2, 0.35, 0.5, 0.65, 0.8])


@dataclass(frozen=True)
class Adaptation:
    """Adaptation of the scores of two classes to another source.

    Attributes
    ----------
    threshold : float
        Score at which the class changes.
    scale : float
        Positive factor that gives adapted scores the spread of those of known cells.
    """

    threshold: float
    scale: float

    def __post_init__(self) -> None:
        """Check the values."""
        if not (np.isfinite([self.threshold, self.scale]).all() and self.scale > 0):
            raise InputError("An adaptation needs a finite threshold and a scale above 0.")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Return adapted scores, of the same shape and dtype."""
        adapted: np.ndarray = ((scores - self.threshold) * self.scale).astype(scores.dtype)
        return adapted


def adapt_to_labels(scores: np.ndarray, targets: np.ndarray, known: Calibration | None = None) -> Adaptation:
    """Fit threshold and scale to labelled cells of the new source.

    Parameters
    ----------
    scores : ndarray, (n,)
        Scores of the labelled cells.
    targets : ndarray, int (n,)
        Their classes, 0 or 1. Both must occur.
    known : Calibration, optional
        Calibration of the scores on known cells. Without it, the scale is 1.

    Returns
    -------
    Adaptation
        Threshold and scale.

    Raises
    ------
    InputError
        If a class is missing, or the labels contradict the order of the scores.
    """
    finite = np.isfinite(scores)
    values, positive = np.asarray(scores, np.float64)[finite], (np.asarray(targets) == 1)[finite]
    if positive.all() or not positive.any():
        raise InputError("Scores are adapted to labels of both classes; label some cells of each.")
    middle = (np.median(values[positive]) + np.median(values[~positive])) / 2
    fitted = Calibration.fit(values - middle, positive.astype(np.int64))
    if fitted.slope < 1e-9:
        raise InputError(
            "The labels contradict the scores: here, cells of the second class do not have higher scores than those of "
            "the first. Check the labels, or train the classifier on cells of this source."
        )
    scale = 1.0 if known is None or known.slope <= 0 else float(np.clip(fitted.slope / known.slope, 0.05, 20))
    return Adaptation(float(middle - fitted.intercept / fitted.slope), scale)


def adapt_to_scores(scores: np.ndarray, known_scores: np.ndarray, known_targets: np.ndarray) -> Adaptation:
    """Fit threshold and scale to the scores of unlabelled cells of the new source.

    Parameters
    ----------
    scores : ndarray, (n,)
        Scores of the new cells. The shares of the two classes are arbitrary.
    known_scores, known_targets : ndarray, (m,)
        Scores and classes, 0 or 1, of known cells.

    Returns
    -------
    Adaptation
        Threshold and scale.

    Raises
    ------
    InputError
        If there are too few cells, or a class is missing among the known cells.
    """
    values = np.asarray(scores, np.float64)[np.isfinite(scores)]
    if len(values) < FEWEST:
        raise InputError(
            f"There are {len(values)} scores; at least {FEWEST} are needed without labels. Label some cells."
        )
    values = np.sort(values)[np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST)).astype(int))]
    finite = np.isfinite(known_scores)
    known, positive = np.asarray(known_scores, np.float64)[finite], (np.asarray(known_targets) == 1)[finite]
    if positive.all() or not positive.any():
        raise InputError(
            "An adaptation without labels needs labelled cells of both classes from other sources."
        )
    low, high = (_centre_and_width(known[chosen]) for chosen in (~positive, positive))
    gap = max(high[0] - low[0], 1e-9)
    spread = max(float(np.quantile(values, 0.95) - np.quantile(values, 0.05)), 1e-9)
    best, parameters = -np.inf, (0.0, 1.0)
    thresholds = np.concatenate([[0.0], np.quantile(values, np.linspace(0.02, 0.98, 49))])
    weight = min(1.0, EVIDENCE / len(values))
    for scale in np.unique([1.0, *(gap / spread * np.geomspace(0.25, 8, 21))]):
        adapted = scale * (values - thresholds[:, None])
        parts = np.stack([_student(adapted, *low), _student(adapted, *high)])
        mixed = (1 - _SHARES[:, None, None]) * parts[0] + _SHARES[:, None, None] * parts[1]
        likelihood = np.log(mixed + 1e-300).sum(axis=2).max(axis=0) + len(values) * np.log(scale)
        expected = (scale * thresholds / (SHIFT * gap)) ** 2 + (np.log(scale) / STRETCH) ** 2
        posterior = weight * likelihood - 0.5 * expected
        if posterior.max() > best:
            best, parameters = float(posterior.max()), (float(thresholds[posterior.argmax()]), float(scale))
    return Adaptation(*parameters)


def _centre_and_width(values: np.ndarray) -> tuple[float, float]:
    """Return median and robust standard deviation."""
    centre = float(np.median(values))
    width = 1.4826 * float(np.median(np.abs(values - centre)))
    return centre, max(width, 1e-3 * max(abs(centre), 1e-6))


def _student(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """Return the density of Student's t at ``values``, up to a constant factor."""
    density: np.ndarray = (1 + ((values - centre) / width) ** 2 / _FREEDOM) ** (-(_FREEDOM + 1) / 2) / width
    return density
