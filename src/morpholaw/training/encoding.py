"""Encoding of crops by a trained encoder."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch

from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.models.vae import BetaTCVAE

CPU_BATCH, GPU_BATCH = 128, 4096
"""Crops per batch. On a CPU the activations then fit in the cache, which is several times faster than with 1024."""


class Images(Protocol):
    """A sequence of crops, such as an array, a memory map or the crops of a study."""

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
    """Return the means and log-variances of the latents of crops.

    Parameters
    ----------
    model : BetaTCVAE
        Trained encoder, in evaluation mode.
    images : Images
        Crops, uint8 (n, size, size).
    batch : int, optional
        Number of crops to read and encode at a time; by default chosen by the device.
    monitor : Monitor
        Receives progress. If it asks to stop, the crops encoded so far are returned.

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
