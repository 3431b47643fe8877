"""The rows that heads and laws learn from: latents of crops in all orientations, with or without noise."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.orientations import all_orientations
from morpholaw.config import ClassifierConfig
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.encoder import encode

DRAWS = 8
"""Noisy versions of each orientation of a cell, of which every epoch draws one."""
ROWS = 500_000
"""Rows above which there are fewer such versions: 64 MB."""


def oriented_latents(encoder: BetaTCVAE, images: np.ndarray, augment: bool = True) -> np.ndarray:
    """Means float32 (8, n, latents) of the eight orientations of crops; (1, n, latents) without."""
    return oriented_posteriors(encoder, images, augment)[0]


def oriented_posteriors(
    encoder: BetaTCVAE, images: np.ndarray, augment: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances of q(z|x), each as :func:`oriented_latents`."""
    turned = all_orientations(images) if augment else images[None]
    means, log_variances = zip(*(encode(encoder, np.ascontiguousarray(one)) for one in turned), strict=True)
    return np.stack(means), np.stack(log_variances)


def training_latents(means: np.ndarray, log_variances: np.ndarray, config: ClassifierConfig) -> np.ndarray:
    """Latents float32 (versions, n, latents) for heads to learn from: noisy versions of each orientation.

    Noise is drawn from q(z|x), widened ``config.latent_noise`` times. Latents that keep to their symmetry say the same
    of a cell in all its orientations, which are then no variety to learn from: this is.
    """
    if not config.latent_noise or not means.size:
        return means
    width = np.float32(config.latent_noise) * np.exp(0.5 * log_variances)
    draws = int(np.clip(ROWS // (means.shape[0] * means.shape[1]), 1, DRAWS))
    generator = np.random.default_rng(config.seed)
    noisy = [means + width * generator.standard_normal(means.shape, np.float32) for _ in range(draws)]
    return np.concatenate(noisy)


def repeated(count: int, least: int) -> np.ndarray:
    """Indices 0 to ``count`` - 1, all as often as makes at least ``least`` of them."""
    return np.tile(np.arange(count), max(1, -(-least // count)))
