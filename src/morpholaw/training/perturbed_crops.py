"""Versions of labelled crops under attack, from which heads and laws over latents learn to withstand it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.augment import gradient_signs

BATCH = 256
RIDGE = 0.1
"""Share of each latent's variance that is added to it, so that few cells give discriminants too."""


def attacked_versions(
    encoder: BetaTCVAE,
    images: np.ndarray,
    targets: np.ndarray,
    discriminants: Tensor,
    size: float,
    generator: torch.Generator,
) -> np.ndarray:
    """Move each crop away from its class by the fast gradient sign (eq. 1) of a linear discriminant of its latents.

    Parameters
    ----------
    encoder : BetaTCVAE
        In evaluation mode.
    images : ndarray, uint8 (n, s, s)
        The crops.
    targets : ndarray, int (n,)
        Class numbers, 0 to C - 1.
    discriminants : Tensor
        float32 (C, C, latents), as `linear_discriminants` returns them.
    size : float
        The largest step, in grey levels of 0 to 1; that of each crop is drawn.
    generator : torch.Generator
        Draws the step and the other class.

    Returns
    -------
    ndarray, uint8 (n, s, s)
    """
    attacked = np.empty_like(images)
    count = len(discriminants)
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        crops = torch.from_numpy(np.ascontiguousarray(images[part])).unsqueeze(1).float() / 255
        own = torch.from_numpy(np.asarray(targets[part], dtype=np.int64))
        other = (own + torch.randint(1, count, own.shape, generator=generator)) % count
        step = size * torch.rand(len(own), 1, 1, 1, generator=generator)
        signs = gradient_signs(crops, lambda images: encoder.encode(images)[0], discriminants[own, other])
        moved = (crops - step * signs).clamp_(0, 1)
        attacked[part] = moved[:, 0].mul(255).round().byte().numpy()
    return attacked


def linear_discriminants(latents: np.ndarray, targets: np.ndarray) -> Tensor:
    """Return directions of latents that tell each class from each other one, float32 (C, C, latents).

    Place [a, b] leads from class b to class a; classes count the same, however many cells they have.

    Parameters
    ----------
    latents : ndarray, (n, latents)
        Of the training cells.
    targets : ndarray, int (n,)
        Class numbers, 0 to C - 1, each at least once.
    """
    count, width = int(targets.max()) + 1, latents.shape[1]
    of_class = [latents[targets == k].astype(np.float64) for k in range(count)]
    within = np.mean([np.cov(rows.T, ddof=0).reshape(width, width) for rows in of_class], axis=0)
    within += np.diag(RIDGE * np.diag(within) + 1e-6)
    means = np.stack([rows.mean(axis=0) for rows in of_class])
    found = np.linalg.solve(within, (means[:, None] - means[None]).reshape(-1, width).T).T
    return torch.from_numpy(found.reshape(count, count, width)).float()
