"""Adversarial versions of labelled crops, from which heads and laws learn to be robust."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.augment import gradient_signs

BATCH = 256
RIDGE = 0.1
"""Share of each latent's variance that is added to it, so that discriminants exist even for few cells."""


def attacked_versions(
    encoder: BetaTCVAE,
    images: np.ndarray,
    targets: np.ndarray,
    discriminants: Tensor,
    size: float,
    generator: torch.Generator,
) -> np.ndarray:
    """Perturb each crop by the fast gradient sign method (eq. 1) against a linear discriminant of its latents.

    Parameters
    ----------
    encoder : BetaTCVAE
        Encoder in evaluation mode.
    images : ndarray of uint8, shape (n, s, s)
        Crops.
    targets : ndarray of int, shape (n,)
        Class numbers, 0 to C - 1.
    discriminants : Tensor
        float32 (C, C, latents), from `linear_discriminants`.
    size : float
        Largest step, in grey levels (0 to 1); the step of each crop is drawn up to this size.
    generator : torch.Generator
        Source of randomness for the steps and the classes to attack towards.

    Returns
    -------
    ndarray of uint8, shape (n, s, s)
    """
    attacked = np.empty_like(images)
    count = len(discriminants)
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        crops = torch.from_numpy(np.ascontiguousarray(images[part])).unsqueeze(1).float() / 255
        labels = torch.from_numpy(np.asarray(targets[part], dtype=np.int64))
        other = (labels + torch.randint(1, count, labels.shape, generator=generator)) % count
        step = size * torch.rand(len(labels), 1, 1, 1, generator=generator)
        signs = gradient_signs(crops, lambda images: encoder.encode(images)[0], discriminants[labels, other])
        moved = (crops - step * signs).clamp_(0, 1)
        attacked[part] = moved[:, 0].mul(255).round().byte().numpy()
    return attacked


def linear_discriminants(latents: np.ndarray, targets: np.ndarray) -> Tensor:
    """Return linear discriminants of latents between each pair of classes, float32 (C, C, latents).

    Entry [a, b] points from class b to class a. Classes have the same weight whatever their size.

    Parameters
    ----------
    latents : ndarray of shape (n, latents)
        Latents of the training cells.
    targets : ndarray of int, shape (n,)
        Class numbers, 0 to C - 1; each class at least once.

    Returns
    -------
    Tensor
    """
    count, width = int(targets.max()) + 1, latents.shape[1]
    of_class = [latents[targets == k].astype(np.float64) for k in range(count)]
    within = np.mean([np.cov(rows.T, ddof=0).reshape(width, width) for rows in of_class], axis=0)
    within += np.diag(RIDGE * np.diag(within) + 1e-6)
    means = np.stack([rows.mean(axis=0) for rows in of_class])
    directions = np.linalg.solve(within, (means[:, None] - means[None]).reshape(-1, width).T).T
    return torch.from_numpy(directions.reshape(count, count, width)).float()
