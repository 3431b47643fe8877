"""Traversals of latents: decoded images along one latent at a time (paper, 6.1, figures 4 and 24)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.scoring import CPU_BATCH, Encoder, batches, device_of

TYPICAL = tuple(np.linspace(-3.0, 3.0, 7))  # the prior is a unit Gaussian: 99.7 % lies in [-3, 3]


def traverse(
    encoder: Encoder,
    base: np.ndarray | Tensor,
    latents: Sequence[int] | None = None,
    values: Sequence[float] = TYPICAL,
) -> np.ndarray:
    """Decode images along one latent at a time, with the others held at ``base``.

    Parameters
    ----------
    encoder : Encoder
        The encoder, in evaluation mode.
    base : ndarray, (latents,)
        Latents of the cell from which to start, such as zeros or an encoded cell.
    latents : sequence of int, optional
        Latents to vary. The default is all latents.
    values : sequence of float
        Values of the varied latent, in standard deviations of the prior.

    Returns
    -------
    ndarray, float32 (len(latents), len(values), s, s)
        Decoded images.

    Raises
    ------
    InputError
        If the base has no such latent.
    """
    start = np.asarray(torch.as_tensor(base).detach().cpu(), dtype=np.float32).reshape(-1)
    moved = range(len(start)) if latents is None else latents
    for k in moved:
        if not 0 <= k < len(start):
            raise InputError(f"Latent {k} cannot be traversed: there are latents 0 to {len(start) - 1}.")
    points = np.tile(start, (len(moved), len(values), 1))
    for row, k in enumerate(moved):
        points[row, :, k] = values
    images = decode(encoder, points.reshape(-1, len(start)))
    return images.reshape(len(moved), len(values), *images.shape[1:])


def decode(encoder: Encoder, latents: np.ndarray | Tensor, batch: int = CPU_BATCH) -> np.ndarray:
    """Decode latents to images, in batches and without gradients.

    Parameters
    ----------
    encoder : Encoder
        The encoder, in evaluation mode.
    latents : ndarray or Tensor, float (n, latents)
        The latents.
    batch : int
        Number of latent vectors that are decoded at once.

    Returns
    -------
    ndarray, float32 (n, s, s)
        Decoded images.
    """
    device = device_of(encoder)
    points = torch.as_tensor(latents, dtype=torch.float32)
    with torch.no_grad():
        parts = [encoder.decode(part.to(device))[:, 0].cpu() for part in batches(points, batch)]
    if not parts:
        raise InputError("There are no latents to decode; expected at least one row.")
    return torch.cat(parts).numpy()
