"""The training data of heads and laws that read latents: latents of original, changed and attacked crops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from morpholaw.cells.orientations import COUNT, all_orientations, orient
from morpholaw.config import ClassifierConfig
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.encoder import encode
from morpholaw.training.perturbed_crops import attacked_versions, linear_discriminants
from morpholaw.training.training_crops import changed_versions

DRAWS = 8
"""Number of noisy versions per orientation of a cell, of which each epoch uses one."""
ROWS = 500_000
"""Number of rows (64 MB) above which there are fewer noisy versions."""


def oriented_posteriors(
    encoder: BetaTCVAE, images: np.ndarray, augment: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Encode crops in all orientations.

    Returns
    -------
    means, log_variances : ndarray
        Means and log variances of q(z|x), float32 (8, n, latents), or (1, n, latents) without ``augment``.
    """
    return _encoded(encoder, all_orientations(images) if augment else images[None])


def _encoded(encoder: BetaTCVAE, versions: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Encode versions of crops one after another, to limit the use of memory."""
    rows = (encode(encoder, np.ascontiguousarray(version)) for version in versions)
    means, log_variances = zip(*rows, strict=True)
    return np.stack(means), np.stack(log_variances)


def training_posteriors(
    encoder: BetaTCVAE, images: np.ndarray, targets: np.ndarray, config: ClassifierConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Encode the training crops of heads and laws in all their versions.

    Parameters
    ----------
    encoder : BetaTCVAE
        In evaluation mode.
    images : ndarray, uint8 (n, s, s)
        The training crops.
    targets : ndarray, int (n,)
        Their class numbers, 0 to C - 1, which attacks need.
    config : ClassifierConfig
        Settings, of which ``augment``, ``swaps``, ``microscopes`` and ``perturbation`` define the versions.

    Returns
    -------
    means, log_variances : ndarray
        Means and log variances of q(z|x), float32 (versions, n, latents): all orientations of the original crops, then
        changed and attacked crops in one orientation each.
    """
    parts = [oriented_posteriors(encoder, images, config.augment)]

    def changed() -> Iterator[np.ndarray]:
        count = config.swaps or COUNT
        return changed_versions(images, count, config.swaps > 0, config.microscopes, config.seed)

    def oriented(versions: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        return (orient(one, k % COUNT if config.augment else 0) for k, one in enumerate(versions))

    if config.swaps or config.microscopes:
        parts.append(_encoded(encoder, oriented(changed())))
    if config.perturbation:
        latents = np.concatenate([means for means, _ in parts])
        discriminants = linear_discriminants(
            latents.reshape(-1, encoder.latents), np.tile(targets, len(latents))
        )
        generator = torch.Generator().manual_seed(config.seed)
        attacked = (
            attacked_versions(encoder, one, targets, discriminants, config.perturbation, generator)
            for one in changed()
        )
        parts.append(_encoded(encoder, oriented(attacked)))
    means, log_variances = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(log_variances)


def training_latents(means: np.ndarray, log_variances: np.ndarray, config: ClassifierConfig) -> np.ndarray:
    """Return noisy versions of latents, on which heads are trained, float32 (versions, n, latents).

    Noise is drawn from q(z|x), with its standard deviation multiplied by ``config.latent_noise``. It is needed because
    symmetric latents are identical in all orientations of a cell, so that rotations do not augment the data.
    """
    if not config.latent_noise or not means.size:
        return means
    width = np.float32(config.latent_noise) * np.exp(0.5 * log_variances)
    draws = int(np.clip(ROWS // (means.shape[0] * means.shape[1]), 1, DRAWS))
    generator = np.random.default_rng(config.seed)
    noisy = [means + width * generator.standard_normal(means.shape, np.float32) for _ in range(draws)]
    return np.concatenate(noisy)


def repeated(count: int, least: int) -> np.ndarray:
    """Return the indices 0 to ``count`` - 1, all repeated equally often, so that there are at least ``least``."""
    return np.tile(np.arange(count), max(1, -(-least // count)))
