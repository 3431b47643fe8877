"""Baseline training of heads: one model at a time, with torch's layers, autograd and Adam."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from morpholaw.config import ClassifierConfig
from morpholaw.training.rigl import active_counts, decay

ROWS, HELD_OUT = 7200, 802
"""Number of training and held-out cells in the labelled set of the paper."""


def simulated_latents() -> tuple[np.ndarray, np.ndarray]:
    """Return latents, float32 (8 orientations, ROWS + HELD_OUT, 32), and classes 0 or 1 that depend on four of them."""
    random = np.random.default_rng(0)
    z = random.standard_normal((8, ROWS + HELD_OUT, 32)).astype(np.float32)
    z[:, :, :4] = z[0, :, :4]
    score = z[0, :, 0] * (z[0, :, 1] ** 2 + z[0, :, 2] ** 2) - z[0, :, 3]
    return z, (score > np.median(score)).astype(int)


def dense_model(z: Tensor, y: Tensor, config: ClassifierConfig, epochs: int) -> None:
    """Train a dense head with dropout on latents (8, n, inputs), with a random orientation per cell and epoch."""
    model = nn.Sequential(*_layers(z.shape[2], config, config.dropout))
    adam = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    loss_of = nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        orientations = torch.randint(len(z), (len(y),))
        for rows in torch.split(torch.randperm(len(y)), config.batch_size):
            adam.zero_grad()
            loss_of(model(z[orientations[rows], rows]).squeeze(1), y[rows]).backward()
            adam.step()


def sparse_model(z: Tensor, y: Tensor, config: ClassifierConfig, epochs: int) -> None:
    """Train a sparse head: half of the epochs dense, then RigL."""
    layers = _layers(z.shape[2], config)
    model = nn.Sequential(*layers)
    linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
    masks = [torch.ones_like(layer.weight) for layer in linears]
    counts = active_counts((z.shape[2], *config.hidden, 1), config.sparsity, "density")
    adam = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    loss_of = nn.BCEWithLogitsLoss()
    batches = -(-len(y) // config.batch_size)
    warmup, end = epochs // 2 * batches, config.update_until * (epochs - epochs // 2) * batches
    for epoch in range(epochs):
        orientations = torch.randint(len(z), (len(y),))
        for number, rows in enumerate(torch.split(torch.randperm(len(y)), config.batch_size)):
            adam.zero_grad()
            loss_of(model(z[orientations[rows], rows]).squeeze(1), y[rows]).backward()
            t = epoch * batches + number - warmup
            if 0 <= t < end and t % config.update_every == 0:
                for layer, mask, count in zip(linears, masks, counts, strict=True):
                    _move(layer, mask, count, round(decay(t, config.update_fraction, end) * count), adam)
                continue
            if t >= 0:
                for layer, mask in zip(linears, masks, strict=True):
                    assert layer.weight.grad is not None
                    layer.weight.grad *= mask
            adam.step()


def _layers(inputs: int, config: ClassifierConfig, dropout: float = 0.0) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise((inputs, *config.hidden)):
        layers += [nn.Linear(n_in, n_out), nn.Mish(), *([nn.Dropout(dropout)] if dropout else [])]
    return [*layers, nn.Linear(config.hidden[-1], 1)]


def _move(layer: nn.Linear, mask: Tensor, count: int, moved: int, adam: torch.optim.Adam) -> None:
    """Drop the smallest active weights and grow weights where the gradient is largest (RigL)."""
    assert layer.weight.grad is not None
    with torch.no_grad():
        size = (layer.weight.abs() - (mask == 0).float()).flatten()
        kept = size.topk(count - moved).indices
        gradient = layer.weight.grad.abs().flatten().index_fill(0, kept, -1)
        grown = gradient.topk(moved).indices
        mask.zero_().view(-1)[kept] = 1
        layer.weight *= mask
        for name in ("exp_avg", "exp_avg_sq"):
            adam.state[layer.weight][name] *= mask
        mask.view(-1)[grown] = 1
