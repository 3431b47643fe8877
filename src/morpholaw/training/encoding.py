"""Crops through a trained encoder: means and log-variances of their latents."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch

from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.models.vae import BetaTCVAE

CPU_BATCH, GPU_BATCH = 128, 4096
"""Crops per batch. On CPUs the activations then stay in the cache, which is several times faster than with 1024."""


class Images(Protocol):
    """Anything that holds crops: an array, a memory map, a study's crops."""

    def __len__(self) -> int:
        """Return the number of crops."""
        ...

    def __getitem__(self, index: Any) -> np.ndarray:
        """Return crops, uint8 (n, size, size)."""
        ...


@torch.no_grad()
def encode(
    model: BetaTCVAE,
    images: Images,
    *,
    batch: int | None = None,
    monitor: Monitor = SILENT,
) -> tuple[np.ndarray, np.ndarray]:
    """Encode crops.

    Parameters
    ----------
    model : BetaTCVAE
        A trained encoder, in evaluation mode.
    images : Images
        Crops, uint8 (n, size, size).
    batch : int, optional
        Crops that are read and encoded at a time; by default chosen by the device.
    monitor : Monitor
        Where progress is reported; if asked to stop, the crops encoded so far are returned.

    Returns
    -------
    means, log_variances : ndarray
        float32 (n, latents) each.
    """
    device = next(model.parameters()).device
    batch = batch or (CPU_BATCH if device.type == "cpu" else GPU_BATCH)
    means, log_variances = [], []
    for start in range(0, len(images), batch):
        if monitor.should_stop():
            break
        crops = torch.from_numpy(np.array(images[start : start + batch]))
        mean, log_variance = model.encode(crops.to(device).unsqueeze(1).float().div_(255))
        means.append(mean.cpu().numpy())
        log_variances.append(log_variance.cpu().numpy())
        monitor.emit(Progress(min(start + batch, len(images)), len(images), "encoding"))
    empty = np.zeros((0, model.latents), np.float32)
    return np.concatenate(means or [empty]), np.concatenate(log_variances or [empty])
