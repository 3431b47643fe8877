"""Scale and offsets of the scores of several classes on cells of another source, from a few labels.

As of two classes, the classifier stays as it is: f'_c = scale * f_c + offset_c. Another source may make some classes
likelier everywhere than they are, which offsets undo, and scores too wide or too narrow, which the scale undoes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.classes import log_softmax

STRETCH, OFFSET = 0.35, 3.0
"""What is expected between sources: standard deviations of the logarithm of the scale, and of the offsets, in units of
a calibrated log probability. Few labels change little."""
CHANCE = 0.02
"""Gain of a label's log probability over that of equal classes, below which the labels contradict the scores."""


@dataclass(frozen=True)
class ClassAdaptation:
    """A scale and one offset per class that fit scores to another source.

    Attributes
    ----------
    scale : float
        Factor, above 0, of all scores.
    offsets : tuple of float
        What is added to the score of each class; they add up to 0.
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
    """Find scale and offsets from labelled cells of the new source, with classes weighted to count the same.

    Parameters
    ----------
    scores : ndarray
        Scores of the labelled cells, (n, classes); cells without a finite score of each class are left out.
    targets : ndarray
        Their classes, int (n,); every class must occur.
    temperature : float
        That of the classifier's probabilities on the cells that it knows, which adapted scores keep.

    Raises
    ------
    InputError
        When a class is missing, or the labels contradict the scores.
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

    found = minimize(objective, np.zeros(1 + classes), jac=True, method="L-BFGS-B").x
    adapted = log_softmax((np.exp(found[0]) * values + found[1:]) / temperature)
    if float(np.mean(weight * one_hot * adapted)) * classes < CHANCE - np.log(classes):
        raise InputError(
            "The labels contradict the scores: they are no likelier to be right here than by chance. Check the labels, "
            "or train the classifier on cells of this source."
        )
    offsets = found[1:] - found[1:].mean()  # a softmax does not change by a constant
    return ClassAdaptation(float(np.exp(found[0])), tuple(map(float, offsets)))
