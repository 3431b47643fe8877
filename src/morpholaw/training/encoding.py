"""Crops through a trained encoder: means and log-variances."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch

from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.models.vae import BetaTCVAE

ON_PROCESSOR, ON_ACCELERATOR = 128, 4096
"""Crops in a batch: on processors their activations then stay in the cache, measured several times faster than 1024."""


class Images(Protocol):
    """Anything with crops in it: an array, a memory map, a study's crops."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any) -> np.ndarray: ...


@torch.no_grad()
def encode(
    model: BetaTCVAE,
    images: Images,
    *,
    batch: int | None = None,
    monitor: Monitor = SILENT,
) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances, each float32 (n, latents), of crops uint8 (n, size, size).

    ``batch`` crops are read and encoded at a time; chosen by the device where None.
    """
    device = next(model.parameters()).device
    batch = batch or (ON_PROCESSOR if device.type == "cpu" else ON_ACCELERATOR)
    means, log_variances = [], []
    for begin in range(0, len(images), batch):
        if monitor.should_stop():
            break
        crops = torch.from_numpy(np.array(images[begin : begin + batch]))
        mean, log_variance = model.encode(crops.to(device).unsqueeze(1).float().div_(255))
        means.append(mean.cpu().numpy())
        log_variances.append(log_variance.cpu().numpy())
        monitor.emit(Progress(min(begin + batch, len(images)), len(images), "encoding"))
    empty = np.zeros((0, model.latents), np.float32)
    return np.concatenate(means or [empty]), np.concatenate(log_variances or [empty])
