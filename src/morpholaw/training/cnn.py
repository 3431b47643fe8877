"""Training of scheme 1: an ensemble of CNNs with dense heads (paper, 4.2 and B.2)."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, nullcontext
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
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.adam import adam_tensors, load_adam, new_adam, set_rate
from morpholaw.training.augment import deform, orient_batch
from morpholaw.training.checkpointing import NO_CHECKPOINTS, Checkpointing
from morpholaw.training.devices import choose_device, choose_precision, lay_out, resident, shared_threads
from morpholaw.training.durations import about
from morpholaw.training.early_stopping import EarlyStopping
from morpholaw.training.recorded_steps import RecordedSteps, cuda_recorder

REPORT_EVERY = 0.5
"""Seconds between two reports of the loss."""
TIMED_STEPS = 10
"""Number of steps after which the duration of the training is estimated."""
HELD_OUT_BATCH = 256
STATISTICS_CROPS = 1024
"""Maximum number of crops for the initial statistics of batch normalisation when CNNs start from an encoder."""


def train_cnn(
    images: np.ndarray,
    targets: np.ndarray,
    config: ClassifierConfig,
    *,
    start: BetaTCVAE | None = None,
    held_out: tuple[np.ndarray, np.ndarray] | None = None,
    checkpointing: Checkpointing[dict[str, Tensor]] = NO_CHECKPOINTS,
    monitor: Monitor = SILENT,
) -> tuple[CNNEnsemble, HeadEnsemble]:
    """Train an ensemble of ``config.models`` CNNs on the same batches.

    The models differ in initial weights and dropout. The random choices of step k depend only on the seed and k, so
    a training that is stopped and resumed gives the same networks as an uninterrupted one.

    Parameters
    ----------
    images : ndarray
        Training crops, uint8 (n, size, size).
    targets : ndarray
        Class numbers, int (n,), 0 to C - 1, each at least once. The networks have one output for two classes (eq. 2)
        and C outputs for more.
    config : ClassifierConfig
        Training settings. With ``class_balance``, rarer classes have larger weights.
    start : BetaTCVAE, optional
        Encoder whose weights initialise the CNNs; it must have the same architecture (:meth:`CNNEnsemble.fits`). By
        default the weights are random. Heads always start from random weights.
    held_out : tuple of ndarray, optional
        Crops and class numbers of validation cells for early stopping. The loss on them is measured after every epoch;
        training stops after ``config.patience`` epochs without improvement and returns the best networks.
    checkpointing : Checkpointing
        Saves the state at intervals, and provides the state to resume from.
    monitor : Monitor
        Receives progress and can stop the training, which then returns the current networks.

    Returns
    -------
    cnn : CNNEnsemble
        The convolutional networks, on the CPU, in evaluation mode.
    head : HeadEnsemble
        Their dense heads.

    Raises
    ------
    InputError
        If the loss is no longer finite.
    """
    training = CNNTraining(images, targets, config, held_out, start)
    if checkpointing.resume is not None:
        training.load(checkpointing.resume)
    began = reported = saved = time.monotonic()
    with shared_threads(config.threads) as decide_threads:
        while not training.over and not monitor.should_stop():
            decide_threads()
            loss, accuracy = training.advance()
            now = time.monotonic()
            if training.step == training.resumed_at + TIMED_STEPS:
                monitor.tell(training.price((now - began) / TIMED_STEPS))
            if now - reported > REPORT_EVERY or training.over:
                reported = now
                if not math.isfinite(float(loss)):
                    raise InputError(
                        f"The loss of scheme 1 is no longer finite at step {training.step}; lower the learning "
                        f"rate ({config.learning_rate:g}). The previous models were kept."
                    )
                monitor.emit(
                    Metrics(training.step, {"loss": float(loss), "training accuracy": float(accuracy)})
                )
                monitor.emit(Progress(training.step, training.steps, "scheme 1"))
                if checkpointing.save is not None and now - saved >= checkpointing.seconds:
                    checkpointing.save(training.state())
                    saved = now
        if checkpointing.save is not None and not training.over:
            checkpointing.save(training.state())
    if training.over:
        training.keep_best()
        if training.step < training.steps:
            monitor.emit(Progress(training.steps, training.steps, "scheme 1"))
            monitor.tell(training.why_it_ended())
    return lay_out(training.cnn.to("cpu"), torch.contiguous_format).eval(), training.head.cpu().eval()


class CNNTraining:
    """The state of a training: networks, optimiser and step."""

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        config: ClassifierConfig,
        held_out: tuple[np.ndarray, np.ndarray] | None = None,
        start: BetaTCVAE | None = None,
    ) -> None:
        self.config = config
        self.device = choose_device(config.device)
        precision = choose_precision("auto", self.device)
        torch.manual_seed(config.seed)
        self.cnn = CNNEnsemble(config.models, size=images.shape[-1], dropout=config.dropout)
        classes = np.asarray(targets, dtype=np.int64)
        sizes = np.bincount(classes)
        self.outputs = 1 if len(sizes) <= 2 else len(sizes)
        self.head = HeadEnsemble(
            config.models, 32, config.hidden, self.outputs, normalise=True, dropout=config.dropout
        )
        if start is not None:
            sample = torch.from_numpy(images[:: -(-len(images) // STATISTICS_CROPS)])
            self.cnn.start_from(start, sample.unsqueeze(1).float() / 255)
        lay_out(self.cnn.to(self.device), torch.channels_last).train()
        self.head.to(self.device).train()
        parameters = [*self.cnn.parameters(), *self.head.parameters()]
        self.optimiser = new_adam(parameters, config.learning_rate, self.device)
        gpu = self.device.type == "cuda"
        self.recorded = RecordedSteps(self._update, self._state, cuda_recorder() if gpu else None)
        self.crops = resident(images, self.device)
        self.labels = torch.from_numpy(classes).to(self.crops.device)
        if not config.class_balance:
            sizes = np.full_like(sizes, len(classes) / len(sizes))
        weights = len(classes) / (len(sizes) * torch.from_numpy(sizes).float())
        self.class_weights = weights.to(self.device)
        self.positive_weight = (torch.tensor(sizes[0]) / torch.tensor(sizes[-1]).float()).to(self.device)
        self.batch = min(config.batch_size, len(self.crops))
        self.epoch_steps = max(1, len(self.crops) // self.batch)
        self.steps = self.epoch_steps * config.epochs
        self.step = self.resumed_at = 0
        self.autocast: AbstractContextManager[Any] = (
            nullcontext()
            if precision == torch.float32
            else torch.autocast(self.device.type, precision, cache_enabled=not gpu)
        )
        self.held_out = held_out
        self.stopping = EarlyStopping(config.patience) if held_out is not None and config.patience else None

    @property
    def over(self) -> bool:
        """Whether all epochs are done or early stopping has ended the training."""
        return self.step >= self.steps or (self.stopping is not None and self.stopping.over)

    def price(self, seconds: float) -> str:
        """Return a sentence with the expected duration of the training, given the seconds per step."""
        length = about(seconds * (self.steps - self.resumed_at))
        at_most = " at most" if self.stopping is not None else ""
        return f"Training {self.config.models} networks for {self.config.epochs} epochs: {length}{at_most}."

    def advance(self) -> tuple[Tensor, Tensor]:
        """Take one optimiser step; return the loss and accuracy, averaged over the models."""
        config, epoch, place = self.config, self.step // self.epoch_steps, self.step % self.epoch_steps
        if place == 0 or self.step == self.resumed_at:
            shuffle = torch.Generator().manual_seed(config.seed * 1_000_003 + epoch)
            self.order = torch.randperm(len(self.crops), generator=shuffle)
        index = self.order[place * self.batch : (place + 1) * self.batch].to(self.crops.device)
        torch.manual_seed(config.seed * 1_000_003 + self.step)  # for dropout
        x = orient_batch(self.crops[index]) if config.augment else self.crops[index]
        set_rate(self.optimiser, config.learning_rate * self._rate())
        pixels = self._pixels(x)
        if config.deformation:
            drawn = torch.Generator().manual_seed(config.seed * 1_000_003 + self.step)
            pixels = deform(pixels, config.deformation, drawn).to(memory_format=torch.channels_last)
        losses = self.recorded((pixels, self.labels[index].to(self.device)))
        self.step += 1
        if self.stopping is not None and self.step % self.epoch_steps == 0:
            self.stopping.update(self._held_out_losses(), self._weights())
        return losses["loss"], losses["accuracy"]

    @torch.no_grad()
    def _held_out_losses(self) -> Tensor:
        """Return the loss of each validation cell, (n,), averaged over the models."""
        assert self.held_out is not None
        images, targets = map(torch.from_numpy, self.held_out)
        self.cnn.eval()
        self.head.eval()
        losses = []
        for crops, labels in zip(images.split(HELD_OUT_BATCH), targets.split(HELD_OUT_BATCH), strict=True):
            with self.autocast:
                features = self.cnn(self._pixels(crops))
            losses.append(self._losses(self.head(features.float()), labels.to(self.device)).mean(0))
        self.cnn.train()
        self.head.train()
        return torch.cat(losses).cpu()

    def _pixels(self, crops: Tensor) -> Tensor:
        """Convert crops to the input of the networks."""
        pixels = crops.to(self.device).unsqueeze(1).float().div_(255)
        return pixels.to(memory_format=torch.channels_last)

    def _rate(self) -> float:
        """Return the learning rate of this step relative to the setting."""
        if self.config.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * self.step / self.steps))

    def _update(self, _: int, pixels: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Update the weights of all networks; return the mean loss and accuracy."""
        with self.autocast:
            features = self.cnn(pixels)
        scores = self.head(features.float())
        loss, correct = self._loss(scores, labels)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss * self.head.members)
        self.optimiser.step()
        return {"loss": loss.detach(), "accuracy": correct.float().mean().detach()}

    def _state(self) -> list[Tensor]:
        """Return everything that a step changes: weights, batch statistics and the optimiser's moments."""
        return [*self._weights().values(), *adam_tensors(self.optimiser).values()]

    def _loss(self, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean class-weighted cross-entropy, and which predictions are correct."""
        predicted = scores >= 0 if self.outputs == 1 else scores.argmax(2)
        return self._losses(scores, labels).mean(), predicted == labels

    def _losses(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted cross-entropy of each crop under each model, (members, n)."""
        if self.outputs == 1:
            return F.binary_cross_entropy_with_logits(
                scores, labels.float().expand_as(scores), pos_weight=self.positive_weight, reduction="none"
            )
        truth = labels.expand(scores.shape[:2])
        each = F.cross_entropy(scores.flatten(0, 1), truth.flatten(), reduction="none").view(truth.shape)
        # Divide by the number of crops: the sum of the weights varies between batches.
        return each * self.class_weights[truth]

    def why_it_ended(self) -> str:
        """Return a sentence that says why the training ended early."""
        done = self.step // self.epoch_steps
        return f"Stopped early after {done} of {self.config.epochs} epochs: the validation loss rises again."

    def keep_best(self) -> None:
        """Restore the weights with the best validation loss."""
        if self.stopping is not None and self.stopping.kept:
            self._load_weights(self.stopping.kept)

    def state(self) -> dict[str, Tensor]:
        """Return the weights, batch statistics, Adam's moments and the step as named tensors."""
        stopping = {} if self.stopping is None else self.stopping.state()
        return self._weights() | adam_tensors(self.optimiser) | stopping | {"step": torch.tensor(self.step)}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the state that `state` returned, from a training with the same settings."""
        self._load_weights(state)
        load_adam(self.optimiser, state)
        if self.stopping is not None:
            self.stopping.load(state)
        self.step = self.resumed_at = int(state["step"])

    def _weights(self) -> dict[str, Tensor]:
        parts = {"cnn": self.cnn, "head": self.head}
        return {
            f"{part}.{name}": value for part, net in parts.items() for name, value in net.state_dict().items()
        }

    def _load_weights(self, weights: dict[str, Tensor]) -> None:
        for part, net in {"cnn": self.cnn, "head": self.head}.items():
            prefix = f"{part}."
            net.load_state_dict(
                {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
            )
