"""The Rashomon set of models that are about equally accurate, and the smallest of them (figures 1, 21)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from morpholaw.errors import InputError


@dataclass(frozen=True)
class ModelPoint:
    """A trained model with its scheme, number in the ensemble, test accuracy in [0, 1] and expression size."""

    scheme: int
    member: int
    accuracy: float
    size: int


def model_points(scheme: int, accuracies: Sequence[float], sizes: Sequence[int]) -> list[ModelPoint]:
    """Return the models of one ensemble as points.

    Parameters
    ----------
    scheme : int
        Scheme, 1 to 4.
    accuracies : sequence of float
        Accuracy of each model.
    sizes : sequence of int
        Number of nodes of each model.
    """
    if len(accuracies) != len(sizes):
        raise InputError(f"There are {len(accuracies)} accuracies for {len(sizes)} sizes; expected as many.")
    pairs = zip(accuracies, sizes, strict=True)
    return [ModelPoint(scheme, k, float(accuracy), int(size)) for k, (accuracy, size) in enumerate(pairs)]


def smallest_within(points: Iterable[ModelPoint], tolerance: float = 0.01) -> ModelPoint:
    """Return the smallest model whose accuracy is within ``tolerance`` of the best.

    If there are several of the same size, the most accurate one is returned.

    Parameters
    ----------
    points : iterable of ModelPoint
        The models.
    tolerance : float
        Largest accepted loss of accuracy, as a share.

    Raises
    ------
    InputError
        If there are no models.
    """
    everything = list(points)
    if not everything:
        raise InputError("There are no models to choose from; train a scheme first.")
    best = max(p.accuracy for p in everything)
    good = [p for p in everything if p.accuracy >= best - tolerance - 1e-12]
    return min(good, key=lambda p: (p.size, -p.accuracy, p.scheme, p.member))
