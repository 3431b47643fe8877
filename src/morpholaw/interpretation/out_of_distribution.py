"""Pictures that are no cells: where they land in latent space, what the classifiers say (appendix G)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from morpholaw.errors import InputError
from morpholaw.evaluation.scoring import (
    Scorer,
    as_images,
    device_of,
    encode_means,
    has_latents,
    shared_scores,
)

BACKGROUND_NOISE = 0.02  # standard deviation of an empty field in the normalised image


@dataclass(frozen=True)
class OddCrops:
    """What an ensemble makes of one kind of odd crop.

    Attributes
    ----------
    kind
        "blank", "saturated", "empty", "noise" or "defocused".
    images
        uint8 (k, s, s).
    scores
        float64 (members, k).
    means, variances
        Gaussian encodings, float64 (k, latents) each (figure 27); None for scheme 1.
    distance
        float64 (k,): Mahalanobis distance from the encodings of real crops; None for scheme 1.
    distance_limit
        Distance that 1 % of the real crops exceed: farther crops are unlike the data.
    """

    kind: str
    images: np.ndarray
    scores: np.ndarray
    means: np.ndarray | None = None
    variances: np.ndarray | None = None
    distance: np.ndarray | None = None
    distance_limit: float | None = None


COUNT = 16
"""Odd crops of each kind that has several."""
DEFOCUS = 6.0
"""Standard deviation of the blur of those out of focus, in pixels."""


def odd_crops(crops: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Odd crops of every kind, uint8 (k, s, s): blank and saturated once, the others `COUNT` times.

    Parameters
    ----------
    crops
        Real crops, uint8 (n, s, s): their size is taken, and the defocused ones are made of them.
    seed
        Of the noise and the choice of crops.
    """
    from scipy.ndimage import gaussian_filter

    if crops.ndim != 3 or crops.dtype != np.uint8 or not len(crops):
        raise InputError("Real crops must be uint8 (n, s, s), at least one.")
    rng = np.random.default_rng(seed)
    shape = crops.shape[1:]
    chosen = crops[rng.integers(0, len(crops), COUNT)].astype(np.float64)
    return {
        "blank": np.zeros((1, *shape), dtype=np.uint8),
        "saturated": np.full((1, *shape), 255, dtype=np.uint8),
        "empty": _bytes(255 * BACKGROUND_NOISE * rng.normal(size=(COUNT, *shape))),
        "noise": rng.integers(0, 256, (COUNT, *shape), dtype=np.uint8),
        "defocused": _bytes(np.stack([gaussian_filter(crop, DEFOCUS, mode="nearest") for crop in chosen])),
    }


def probe_odd_crops(
    classifier: Scorer, crops: np.ndarray, odd: dict[str, np.ndarray] | None = None
) -> list[OddCrops]:
    """Encode and score odd crops.

    Parameters
    ----------
    classifier
        In evaluation mode.
    crops
        Real crops, uint8 (n, s, s), that the encodings are compared with.
    odd
        Kinds of odd crops, as from `odd_crops`, which makes them where None.
    """
    kinds = odd_crops(crops) if odd is None else odd
    shared = has_latents(classifier)
    reference = encode_means(classifier.encoder, crops).cpu().double().numpy() if shared else None
    results = []
    for kind, images in kinds.items():
        inputs = as_images(images).to(device_of(classifier.encoder, classifier))
        with torch.no_grad():
            scores = shared_scores(classifier, inputs, "image").cpu().double().numpy()
            if reference is None:
                results.append(OddCrops(kind, images, scores))
                continue
            encoding = classifier.encoder.encode(inputs)
            mean, log_variance = (part.cpu().double().numpy() for part in encoding)
        far = mahalanobis(mean, reference)
        limit = float(np.quantile(mahalanobis(reference, reference), 0.99))
        results.append(OddCrops(kind, images, scores, mean, np.exp(log_variance), far, limit))
    return results


def mahalanobis(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distance of points (k, latents) from the cloud of ``reference`` (n, latents), in standard deviations.

    Directions in which the reference hardly varies are kept from dividing by zero by a floor of 1e-3.

    Parameters
    ----------
    points : ndarray, float (k, latents)
        The points.
    reference : ndarray, float (n, latents)
        The cloud.
    """
    centred = reference - reference.mean(axis=0)
    spread, directions = np.linalg.eigh(centred.T @ centred / max(1, len(reference) - 1))
    along = (points - reference.mean(axis=0)) @ directions
    return np.asarray(np.sqrt(np.sum(along**2 / np.maximum(spread, 1e-6), axis=1)))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)
