"""Training of scheme 1: dense CNNs with dense heads, ten at a time (paper, 4.2 and B.2)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Metrics, Monitor, Progress
from morpholaw.models.cnn import CNNEnsemble
from morpholaw.models.heads import HeadEnsemble
from morpholaw.training.adam_state import adam_tensors, load_adam
from morpholaw.training.augment import orient_batch
from morpholaw.training.cores import free_cores
from morpholaw.training.devices import choose_device, choose_precision, lay_out, torch_threads

REPORT_EVERY = 0.5

Checkpoint = Callable[[dict[str, Tensor]], None]


def train_cnn(
    images: np.ndarray,
    targets: np.ndarray,
    config: ClassifierConfig,
    *,
    monitor: Monitor = SILENT,
    checkpoint: Checkpoint | None = None,
    resume: dict[str, Tensor] | None = None,
    checkpoint_seconds: float = 30.0,
) -> tuple[CNNEnsemble, HeadEnsemble]:
    """Train ``config.models`` CNNs together; they share the batches and differ in weights and dropout.

    Every random choice of step k depends only on the seed and k, so that a training that is stopped and
    resumed gives the same networks as one that is not.

    Parameters
    ----------
    images : ndarray, uint8 (n, size, size)
        Training crops.
    targets : ndarray, (n,)
        -1 for the negative class, +1 for the positive.
    config : ClassifierConfig
        The settings; where the classes are uneven, the rarer one weighs more, so that both count the same.
    monitor
        See :mod:`morpholaw.events`. A stopped training returns the networks as they are then.
    checkpoint : callable, optional
        Called with the state now and then, and at a stop.
    resume : dict of Tensor, optional
        A state that ``checkpoint`` was called with: the training goes on from there.

    Returns
    -------
    tuple of CNNEnsemble and HeadEnsemble
        On the processor, in evaluation mode.

    Raises
    ------
    InputError
        When the loss stops being a number.
    """
    training = _Training(images, targets, config)
    if resume is not None:
        training.load(resume)
    reported = saved = time.monotonic()
    with torch_threads(config.threads or free_cores()):
        while training.step < training.steps and not monitor.should_stop():
            loss, accuracy = training.advance()
            now = time.monotonic()
            if now - reported > REPORT_EVERY or training.step == training.steps:
                reported = now
                if not math.isfinite(float(loss)):
                    raise InputError(
                        f"The loss of scheme 1 is no longer a number at step {training.step}; lower the learning "
                        f"rate ({config.learning_rate:g}). The models from before were kept."
                    )
                monitor.emit(
                    Metrics(training.step, {"loss": float(loss), "training accuracy": float(accuracy)})
                )
                monitor.emit(Progress(training.step, training.steps, "scheme 1"))
                if checkpoint is not None and now - saved >= checkpoint_seconds:
                    checkpoint(training.state())
                    saved = now
        if checkpoint is not None and training.step < training.steps:
            checkpoint(training.state())
    return lay_out(training.cnn.to("cpu"), torch.contiguous_format).eval(), training.head.cpu().eval()


class _Training:
    """Networks, optimiser and step; all that the next step depends on."""

    def __init__(self, images: np.ndarray, targets: np.ndarray, config: ClassifierConfig) -> None:
        self.config = config
        self.device = choose_device(config.device)
        precision = choose_precision("auto", self.device)
        torch.manual_seed(config.seed)
        self.cnn = CNNEnsemble(config.models, size=images.shape[-1], dropout=config.dropout)
        self.head = HeadEnsemble(config.models, 32, config.hidden, normalise=True, dropout=config.dropout)
        lay_out(self.cnn.to(self.device), torch.channels_last).train()
        self.head.to(self.device).train()
        parameters = [*self.cnn.parameters(), *self.head.parameters()]
        self.optimiser = torch.optim.Adam(parameters, config.learning_rate, fused=True)
        self.crops = torch.from_numpy(np.ascontiguousarray(images))
        self.labels = torch.from_numpy(np.asarray(targets) > 0).float()
        self.balance = ((self.labels == 0).sum() / self.labels.sum()).to(self.device)
        self.batch = min(config.batch_size, len(self.crops))
        self.epoch_steps = max(1, len(self.crops) // self.batch)
        self.steps = self.epoch_steps * config.epochs
        self.step = 0
        self.autocast: Any = (
            nullcontext() if precision == torch.float32 else torch.autocast(self.device.type, precision)
        )

    def advance(self) -> tuple[Tensor, Tensor]:
        """One step of the optimiser; loss and share of right calls, means over the models."""
        config, epoch, place = self.config, self.step // self.epoch_steps, self.step % self.epoch_steps
        if place == 0 or self.step == self.resumed_at:
            shuffle = torch.Generator().manual_seed(config.seed * 1_000_003 + epoch)
            self.order = torch.randperm(len(self.crops), generator=shuffle)
        index = self.order[place * self.batch : (place + 1) * self.batch]
        torch.manual_seed(config.seed * 1_000_003 + self.step)  # of dropout
        x = orient_batch(self.crops[index]) if config.augment else self.crops[index]
        x = x.to(self.device).unsqueeze(1).float().div_(255).to(memory_format=torch.channels_last)
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        with self.autocast:
            features = self.cnn(x)
        labels = self.labels[index].to(self.device)
        self.step += 1
        return _step(self.head, features.float(), labels, self.balance, self.optimiser)

    resumed_at = 0

    def state(self) -> dict[str, Tensor]:
        """Weights, statistics, Adam's moments and the step."""
        parts = {"cnn": self.cnn, "head": self.head}
        weights = {f"{part}.{k}": v for part, net in parts.items() for k, v in net.state_dict().items()}
        return weights | adam_tensors(self.optimiser) | {"step": torch.tensor(self.step)}

    def load(self, state: dict[str, Tensor]) -> None:
        """Go on from what :meth:`state` returned, of a training with the same settings."""
        for part, net in {"cnn": self.cnn, "head": self.head}.items():
            prefix = f"{part}."
            net.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        load_adam(self.optimiser, state)
        self.step = self.resumed_at = int(state["step"])


def _step(
    head: HeadEnsemble, features: Tensor, labels: Tensor, balance: Tensor, optimiser: torch.optim.Optimizer
) -> tuple[Tensor, Tensor]:
    scores = head(features)
    loss = F.binary_cross_entropy_with_logits(scores, labels.expand_as(scores), pos_weight=balance)
    optimiser.zero_grad(set_to_none=True)
    (loss * head.members).backward()
    optimiser.step()
    return loss.detach(), ((scores >= 0) == (labels > 0)).float().mean().detach()
