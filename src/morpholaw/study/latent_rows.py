"""The rows that heads and laws learn from: latents of crops as they are, changed or attacked, with noise or without."""

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
"""Noisy versions per orientation of a cell; every epoch draws one of them."""
ROWS = 500_000
"""Rows above which there are fewer such versions: 64 MB."""


def oriented_posteriors(
    encoder: BetaTCVAE, images: np.ndarray, augment: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Encode crops in all orientations.

    Returns
    -------
    means, log_variances : ndarray
        Of q(z|x), float32 (8, n, latents), or (1, n, latents) without ``augment``.
    """
    return _encoded(encoder, all_orientations(images) if augment else images[None])


def _encoded(encoder: BetaTCVAE, versions: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Encode versions of crops, each of which is in memory only while it is encoded."""
    rows = (encode(encoder, np.ascontiguousarray(version)) for version in versions)
    means, log_variances = zip(*rows, strict=True)
    return np.stack(means), np.stack(log_variances)


def training_posteriors(
    encoder: BetaTCVAE, images: np.ndarray, targets: np.ndarray, config: ClassifierConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Encode the crops that heads and laws learn from.

    Parameters
    ----------
    encoder : BetaTCVAE
        In evaluation mode.
    images : ndarray, uint8 (n, s, s)
        The training crops.
    targets : ndarray, int (n,)
        Their class numbers, 0 to C - 1, from which attacks move them away.
    config : ClassifierConfig
        Which versions of them: ``augment``, ``swaps``, ``microscopes`` and ``perturbation``.

    Returns
    -------
    means, log_variances : ndarray
        float32 (versions, n, latents): the orientations, then the changed and the attacked versions, each in one
        orientation.
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
    """Return the latents that heads are trained on, float32 (versions, n, latents): noisy versions of each orientation.

    Noise is drawn from q(z|x) with its standard deviation multiplied by ``config.latent_noise``. It is needed because
    symmetric latents are the same in all orientations of a cell, which therefore do not augment the data.
    """
    if not config.latent_noise or not means.size:
        return means
    width = np.float32(config.latent_noise) * np.exp(0.5 * log_variances)
    draws = int(np.clip(ROWS // (means.shape[0] * means.shape[1]), 1, DRAWS))
    generator = np.random.default_rng(config.seed)
    noisy = [means + width * generator.standard_normal(means.shape, np.float32) for _ in range(draws)]
    return np.concatenate(noisy)


def repeated(count: int, least: int) -> np.ndarray:
    """Return indices 0 to ``count`` - 1, repeated equally often to at least ``least``."""
    return np.tile(np.arange(count), max(1, -(-least // count)))
