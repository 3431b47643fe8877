"""Out-of-distribution images: their place in latent space, and the classes that are predicted (appendix G)."""

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
    """Encodings and scores of one kind of out-of-distribution crops.

    Attributes
    ----------
    kind : str
        "blank", "saturated", "empty", "noise" or "defocused".
    images : ndarray, uint8 (k, s, s)
        The crops.
    scores : ndarray, float64 (members, k)
        Scores of each model.
    means, variances : ndarray or None
        Gaussian encodings, float64 (k, latents) each (figure 27); None for scheme 1.
    distance : ndarray or None
        Mahalanobis distance from the encodings of real crops, float64 (k,); None for scheme 1.
    distance_limit : float or None
        Distance that is exceeded by 1 % of the real crops.
    """

    kind: str
    images: np.ndarray
    scores: np.ndarray
    means: np.ndarray | None = None
    variances: np.ndarray | None = None
    distance: np.ndarray | None = None
    distance_limit: float | None = None


COUNT = 16
"""Number of crops of each kind that varies."""
DEFOCUS = 6.0
"""Standard deviation of the blur of defocused crops, in pixels."""


def odd_crops(crops: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Create out-of-distribution crops of every kind.

    Parameters
    ----------
    crops : ndarray, uint8 (n, s, s)
        Real crops, which define the size and from which defocused ones are made.
    seed : int
        Seed of the noise and of the choice of crops.

    Returns
    -------
    dict
        Crops by kind, uint8 (k, s, s): one blank and one saturated crop, and `COUNT` of each other kind.
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
    """Encode and score out-of-distribution crops.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    crops : ndarray, uint8 (n, s, s)
        Real crops for comparison.
    odd : dict, optional
        Out-of-distribution crops by kind. The default is those of `odd_crops`.

    Returns
    -------
    list of OddCrops
        One for each kind.
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
    """Compute Mahalanobis distances of points from a distribution.

    The variance of the distribution has a lower limit of 1e-3 in every direction.

    Parameters
    ----------
    points : ndarray, float (k, latents)
        The points.
    reference : ndarray, float (n, latents)
        Sample of the distribution.

    Returns
    -------
    ndarray, float64 (k,)
        Distances in standard deviations.
    """
    centred = reference - reference.mean(axis=0)
    spread, directions = np.linalg.eigh(centred.T @ centred / max(1, len(reference) - 1))
    along = (points - reference.mean(axis=0)) @ directions
    return np.asarray(np.sqrt(np.sum(along**2 / np.maximum(spread, 1e-6), axis=1)))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)
