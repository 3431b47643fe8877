"""Adaptation of the scores of more than two classes to another source, from a few labels.

Adapted scores are f'_c = scale * f_c + offset_c. Offsets correct for classes that are over- or underestimated in cells
of another source, and the scale for scores that are too large or too small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.classes import log_softmax

STRETCH, OFFSET = 0.35, 3.0
"""Prior standard deviations of the logarithm of the scale, and of the offsets in units of a calibrated log probability.
With few labels, the prior dominates."""
CHANCE = 0.02
"""Smallest mean gain in log probability of the labels over chance; with less, the labels contradict the scores."""


@dataclass(frozen=True)
class ClassAdaptation:
    """Adaptation of the scores of more than two classes to another source.

    Attributes
    ----------
    scale : float
        Positive factor of all scores.
    offsets : tuple of float
        Offset of each class; the sum is 0.
    """

    scale: float
    offsets: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the values."""
        if not (np.isfinite([self.scale, *self.offsets]).all() and self.scale > 0):
            raise InputError("An adaptation needs finite offsets and a scale above 0.")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Return adapted scores, (..., classes), of the same shape and dtype."""
        adapted: np.ndarray = (scores * self.scale + np.asarray(self.offsets)).astype(scores.dtype)
        return adapted


def adapt_classes_to_labels(
    scores: np.ndarray, targets: np.ndarray, temperature: float = 1.0
) -> ClassAdaptation:
    """Fit scale and offsets to labelled cells of the new source, with balanced class weights.

    Parameters
    ----------
    scores : ndarray
        Scores of the labelled cells, (n, classes). Cells without finite scores are ignored.
    targets : ndarray
        Their classes, int (n,). Every class must occur.
    temperature : float
        Temperature of the classifier's calibration, which stays valid for the adapted scores.

    Returns
    -------
    ClassAdaptation
        Scale and offsets.

    Raises
    ------
    InputError
        If a class is missing, or the labels contradict the scores.
    """
    from scipy.optimize import minimize

    finite = np.isfinite(scores).all(axis=1)
    values, truth = np.asarray(scores, np.float64)[finite], np.asarray(targets, np.int64)[finite]
    classes = values.shape[1]
    sizes = np.bincount(truth, minlength=classes)
    if not sizes.all():
        raise InputError("Scores of several classes are adapted to labels of each; label some cells of each.")
    weight = (len(truth) / (classes * sizes[truth]))[:, None]
    one_hot = np.eye(classes)[truth]

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, offsets = np.exp(parameters[0]), parameters[1:]
        log_probability = log_softmax((scale * values + offsets) / temperature)
        slope = weight * (np.exp(log_probability) - one_hot) / temperature
        loss = -float(np.sum(weight * one_hot * log_probability))
        loss += 0.5 * (parameters[0] / STRETCH) ** 2 + 0.5 * float(offsets @ offsets) / OFFSET**2
        own = np.concatenate([[float(np.sum(slope * values)) * scale], slope.sum(0)])
        return loss, own + np.concatenate([[parameters[0] / STRETCH**2], offsets / OFFSET**2])

    solution = minimize(objective, np.zeros(1 + classes), jac=True, method="L-BFGS-B").x
    adapted = log_softmax((np.exp(solution[0]) * values + solution[1:]) / temperature)
    if float(np.mean(weight * one_hot * adapted)) * classes < CHANCE - np.log(classes):
        raise InputError(
            "The labels contradict the scores: here, the scores predict them no better than chance. Check the labels, "
            "or train the classifier on cells of this source."
        )
    offsets = solution[1:] - solution[1:].mean()  # a softmax does not depend on a common constant
    return ClassAdaptation(float(np.exp(solution[0])), tuple(map(float, offsets)))
