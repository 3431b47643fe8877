"""Training of scheme 1: dense CNNs with dense heads, ten at a time (paper, 4.2 and B.2)."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from morpholaw.config import ClassifierConfig
from morpholaw.events import Metrics, Progress, Report, ShouldStop, never, silent
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.heads import HeadEnsemble
from morpholaw.training.augment import orient_batch
from morpholaw.training.cores import free_cores
from morpholaw.training.devices import choose_device, choose_precision, lay_out, torch_threads

REPORT_EVERY = 0.5


def train_cnn(
    images: np.ndarray,
    targets: np.ndarray,
    config: ClassifierConfig,
    *,
    report: Report = silent,
    should_stop: ShouldStop = never,
) -> tuple[CNNEnsemble, HeadEnsemble]:
    """Train ``config.models`` CNNs together; they share the batches and differ in weights and dropout.

    Parameters
    ----------
    images : ndarray, uint8 (n, size, size)
        Training crops.
    targets : ndarray, (n,)
        -1 for the negative class, +1 for the positive.
    config : ClassifierConfig
        The settings; where the classes are uneven, the rarer one weighs more, so that both count the same.
    report, should_stop
        See :mod:`morpholaw.events`. A stopped training returns the networks as they are then.

    Returns
    -------
    tuple of CNNEnsemble and HeadEnsemble
        On the processor, in evaluation mode.
    """
    device = choose_device(config.device)
    precision = choose_precision("auto", device)
    torch.manual_seed(config.seed)
    cnn = CNNEnsemble(config.models, size=images.shape[-1], dropout=config.dropout)
    head = HeadEnsemble(config.models, 32, config.hidden, normalise=True, dropout=config.dropout)
    lay_out(cnn.to(device), torch.channels_last).train()
    head.to(device).train()
    optimiser = torch.optim.Adam([*cnn.parameters(), *head.parameters()], config.learning_rate, fused=True)
    crops = torch.from_numpy(np.ascontiguousarray(images))
    labels = torch.from_numpy(np.asarray(targets) > 0).float()
    balance = ((labels == 0).sum() / labels.sum()).to(device)
    batch = min(config.batch_size, len(crops))
    steps = max(1, len(crops) // batch) * config.epochs
    generator = torch.Generator().manual_seed(config.seed)
    autocast: Any = nullcontext() if precision == torch.float32 else torch.autocast(device.type, precision)
    reported, step = time.monotonic(), 0
    with torch_threads(config.threads or free_cores()):
        while step < steps and not should_stop():
            order = torch.randperm(len(crops), generator=generator)
            for index in order[: len(order) - len(order) % batch].split(batch):
                if should_stop():
                    break
                x = orient_batch(crops[index]) if config.augment else crops[index]
                x = x.to(device).unsqueeze(1).float().div_(255).to(memory_format=torch.channels_last)
                for group in optimiser.param_groups:
                    group["lr"] = config.learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps))
                with autocast:
                    features = cnn(x)
                loss, accuracy = _step(head, features.float(), labels[index].to(device), balance, optimiser)
                step += 1
                if time.monotonic() - reported > REPORT_EVERY or step == steps:
                    reported = time.monotonic()
                    report(Metrics(step, {"loss": float(loss), "training accuracy": float(accuracy)}))
                    report(Progress(step, steps, "scheme 1"))
    return lay_out(cnn.to("cpu"), torch.contiguous_format).eval(), head.cpu().eval()


def _step(
    head: HeadEnsemble, features: Tensor, labels: Tensor, balance: Tensor, optimiser: torch.optim.Optimizer
) -> tuple[Tensor, Tensor]:
    scores = head(features)
    loss = F.binary_cross_entropy_with_logits(scores, labels.expand_as(scores), pos_weight=balance)
    optimiser.zero_grad(set_to_none=True)
    (loss * head.members).backward()
    optimiser.step()
    return loss.detach(), ((scores >= 0) == (labels > 0)).float().mean().detach()
