"""Training of the beta-TCVAE (paper, 5.1 and B.1), resumable at any step.

Every random choice of step k depends only on the seed and k, so a run that is stopped and resumed goes
through the same batches, orientations and samples as one that is not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Metrics, Preview, Progress, Report, ShouldStop, never, silent
from morpholaw.models.bundle import load_bundle, load_weights, save_bundle
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.adam_state import adam_tensors, load_adam
from morpholaw.training.augment import orient_batch
from morpholaw.training.cores import free_cores
from morpholaw.training.devices import (
    choose_device,
    choose_precision,
    describe_device,
    lay_out,
    torch_threads,
)
from morpholaw.training.reconstruction import ReconstructionError
from morpholaw.training.task import ClassTask, TaskLabels
from morpholaw.training.total_correlation import kl_parts

REPORT_EVERY = 0.5
"""Seconds between two reports of the losses."""
PREVIEW_EVERY = 5.0
"""Seconds between two strips of inputs and reconstructions."""
CHECKPOINT_EVERY = 60.0
"""Seconds between two checkpoints."""
FREE = ("threads", "device", "learning_rate", "reconstruction")
"""Settings that a resumed training may change: where it runs, and what a loss that ran away asks for."""


class Images(Protocol):
    """Anything with crops in it: an array, a memory map, a study's crops."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any) -> np.ndarray: ...


class EncoderTraining:
    """The state of one training: network, optimiser and step.

    Parameters
    ----------
    images : Images
        Crops, uint8 (n, size, size).
    config : EncoderConfig
        The settings.
    model : BetaTCVAE, optional
        Weights to start from; by default fresh ones from the seed.
    labels : TaskLabels, optional
        Crops whose classes the latents learn to tell apart, where ``config.task`` is above 0.
    """

    def __init__(
        self,
        images: Images,
        config: EncoderConfig,
        model: BetaTCVAE | None = None,
        labels: TaskLabels | None = None,
    ) -> None:
        if config.task and labels is None:
            raise InputError("A joint objective (task above 0) needs labelled crops; label some first.")
        if len(images) < 2:
            raise InputError(f"Training an encoder needs at least 2 crops; the study has {len(images)}.")
        size = images[0:1].shape[-1]
        self.images, self.config = images, config
        self.device = choose_device(config.device)
        self.precision = choose_precision(config.precision, self.device)
        torch.manual_seed(config.seed)
        fresh = model is None
        self.model = (
            BetaTCVAE(config.latents, config.filters, config.hidden, size, config.texture > 0)
            if model is None
            else model
        )
        lay_out(self.model.to(self.device), torch.channels_last)
        self.task = (
            ClassTask(labels, config.latents, config.task_share, config.seed).to(self.device)
            if labels is not None and config.task
            else None
        )
        self.optimiser = torch.optim.Adam(self.parameters(), config.learning_rate, fused=True)
        self.step = 0
        self.history: dict[str, list[float]] = {}
        self.batch = min(config.batch_size, len(images))
        self.epoch_steps = max(1, math.ceil(max(len(images), config.epoch_crops) / self.batch))
        self.total_steps = self.epoch_steps * config.epochs
        self.reconstruction_error = ReconstructionError(size, config.edge_weight, config.texture).to(
            self.device
        )
        self.data_size = len(images) * (8 if config.augment else 1)
        if fresh:
            self._start_at_the_mean_picture()

    def parameters(self) -> list[torch.nn.Parameter]:
        """What is learnt, in the optimiser's order: the network, then the head of the joint objective."""
        return [*self.model.parameters(), *(self.task.parameters() if self.task is not None else ())]

    def _start_at_the_mean_picture(self) -> None:
        # A decoder whose bias is the mean grey level skips the first hundreds of steps, which only learn that.
        sample = self.images[0 : min(len(self.images), 512)]
        with torch.no_grad():
            self.model.last_bias[0] = float(np.mean(sample)) / 255

    def batches(self) -> Iterator[np.ndarray]:
        """Indices of the crops of every step from the current one on: shuffled over the whole study."""
        n, step = len(self.images), self.step
        per_pass = n // self.batch
        while step < self.total_steps:
            order = np.random.default_rng((self.config.seed, step // per_pass)).permutation(n)
            for k in range(step % per_pass, per_pass):
                yield np.sort(order[k * self.batch : (k + 1) * self.batch])
                step += 1
                if step >= self.total_steps:
                    return

    def load(self, index: np.ndarray, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Crops as float32 (batch, 1, size, size) in [0, 1] on the device, turned and flipped, and their order."""
        crops = torch.from_numpy(np.array(self.images[index]))
        order = torch.arange(len(crops))
        if self.config.augment:
            order = torch.randperm(len(crops), generator=generator)
            crops = orient_batch(crops[order])
        if self.device.type == "cuda":
            crops = crops.pin_memory()
        batch = crops.to(self.device, non_blocking=True).unsqueeze(1).float().div_(255)
        if self.config.gain_jitter:
            gain = torch.randn(len(batch), 1, 1, 1, generator=generator).mul_(self.config.gain_jitter).exp_()
            batch = (batch * gain.to(self.device)).clamp_(0, 1)
        return batch.to(memory_format=torch.channels_last), order

    def advance(self, index: np.ndarray) -> dict[str, Tensor]:
        """One optimiser step on the crops at ``index``; returns the parts of the loss (eq. 7), in nats."""
        config = self.config
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + self.step) % 2**63)
        targets = None
        if self.task is not None:
            index, targets = self.task.join(index, self.step)
        images, order = self.load(index, generator)
        noise = torch.randn(len(index), config.latents, generator=generator).to(self.device)
        with self._autocast():
            mean, log_variance = self.model.encode(images)
            mean, log_variance = mean.float(), log_variance.float()
            z = mean + noise * torch.exp(0.5 * log_variance)
            decoded = self.model.decoder(z)
        error = self.reconstruction_error(decoded.float(), images)
        parts = kl_parts(z, mean, log_variance, self.data_size, config.sampling)
        loss = (
            config.reconstruction * error
            + config.alpha * parts.mutual_information
            + config.beta * parts.total_correlation
            + config.gamma * parts.dimension_wise
        )
        learnt: dict[str, Tensor] = {}
        if self.task is not None and targets is not None:
            learnt["class cross-entropy"] = self.task(mean, targets[order].to(self.device))
            loss = loss + config.task * learnt["class cross-entropy"]
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * self._rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        return {
            "loss": loss.detach(),
            "reconstruction": error.detach(),
            "mutual information": parts.mutual_information.detach(),
            "total correlation": parts.total_correlation.detach(),
            "dimension-wise KL": parts.dimension_wise.detach(),
            **{name: value.detach() for name, value in learnt.items()},
        }

    def _rate(self) -> float:
        # Constant as in the paper, then down to a tenth over the last fifth: the last steps sharpen the pictures.
        late = max(0.0, (self.step / self.total_steps - 0.8) / 0.2)
        return 0.55 + 0.45 * math.cos(math.pi * late)

    def _autocast(self) -> Any:
        if self.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.precision)

    @torch.no_grad()
    def preview(self, count: int = 8) -> np.ndarray:
        """Inputs and their reconstructions, float32 (2, count, size, size)."""
        index = np.unique(np.linspace(0, len(self.images) - 1, count).astype(int))
        images = torch.from_numpy(np.array(self.images[index])).to(self.device).unsqueeze(1).float() / 255
        pictures = self.model.decode(self.model.encode(images)[0]).clamp(0, 1)
        return torch.stack([images[:, 0], pictures[:, 0]]).float().cpu().numpy()

    def save_checkpoint(self, folder: Path) -> None:
        """Write everything that resuming needs: weights, Adam's moments and the step."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        if self.task is not None:
            tensors |= {f"task.{name}": tensor for name, tensor in self.task.state_dict().items()}
        tensors |= adam_tensors(self.optimiser)
        description = {
            "kind": "encoder checkpoint",
            "step": self.step,
            "config": self.config.model_dump(mode="json"),
            "history": self.history,
        }
        if self.task is not None:
            description["labels"] = self.task.labels.fingerprint
        save_bundle(folder, tensors, description)

    def load_checkpoint(self, folder: Path) -> None:
        """Go on from a checkpoint; InputError where its settings differ from this training's."""
        tensors, description = load_bundle(folder, "encoder checkpoint")
        mine, made = self.config.model_dump(mode="json"), description.get("config")
        if not isinstance(made, dict) or not isinstance(description.get("step"), int):
            raise InputError(f"The checkpoint in {folder} is not described in full; train without resuming.")
        different = [name for name, value in made.items() if mine.get(name) != value]
        different = [name for name in different if name not in FREE]
        if different:
            raise InputError(
                f"The checkpoint in {folder} was made with another {different[0]}; train without resuming."
            )
        if self.task is not None and description.get("labels") != self.task.labels.fingerprint:
            raise InputError(
                f"The labels have changed since the checkpoint in {folder} was made; train without resuming."
            )
        weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
        load_weights(self.model, weights, folder)
        if self.task is not None:
            head = {name.removeprefix("task."): t for name, t in tensors.items() if name.startswith("task.")}
            load_weights(self.task, head, folder)
        load_adam(self.optimiser, tensors)
        self.step = description["step"]
        self.history = {name: list(values) for name, values in description.get("history", {}).items()}

    def is_finite(self) -> bool:
        """Whether all weights are numbers."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.parameters())


def train_encoder(
    images: Images,
    config: EncoderConfig,
    *,
    start: BetaTCVAE | None = None,
    labels: TaskLabels | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    report: Report = silent,
    should_stop: ShouldStop = never,
) -> tuple[BetaTCVAE, dict[str, list[float]]]:
    """Train a beta-TCVAE on crops.

    Parameters
    ----------
    images : Images
        Crops, uint8 (n, size, size).
    config : EncoderConfig
        The settings.
    start : BetaTCVAE, optional
        A trained network to start from.
    labels : TaskLabels, optional
        Labelled crops of the training groups, for the joint objective (``config.task`` above 0).
    checkpoint : Path, optional
        Folder that the state is written to, once a minute and at the end.
    resume : bool
        Go on from the checkpoint, where there is one.
    report, should_stop
        See :mod:`morpholaw.events`. A stopped training returns the network as it is then.

    Returns
    -------
    model : BetaTCVAE
        The trained network, on the processor.
    history : dict
        Reported steps and losses: "step", "loss", "reconstruction", "mutual information", ...

    Raises
    ------
    InputError
        When the loss stops being a number; the checkpoint then holds the last good weights.
    """
    training = EncoderTraining(images, config, start, labels)
    if resume and checkpoint is not None and (checkpoint / "model.json").exists():
        training.load_checkpoint(checkpoint)
        report(Message(f"Resuming at step {training.step} of {training.total_steps}."))
    with torch_threads(config.threads or free_cores()):
        report(
            Message(f"Training the encoder on the {describe_device(training.device)}, {len(images)} crops.")
        )
        history = _run(training, checkpoint, report, should_stop)
    return lay_out(training.model.to("cpu"), torch.contiguous_format).eval(), history


def _run(
    training: EncoderTraining, checkpoint: Path | None, report: Report, should_stop: ShouldStop
) -> dict[str, list[float]]:
    history = training.history
    reported = previewed = time.monotonic()
    saved, good = -math.inf, None  # the first checkpoint comes with the first report: there is always one
    for index in training.batches():
        if should_stop():
            break
        parts = training.advance(index)
        now = time.monotonic()
        last = training.step == training.total_steps
        if now - reported > REPORT_EVERY or last:
            reported = now
            values = {name: float(value) for name, value in parts.items()}
            if not (all(map(math.isfinite, values.values())) and training.is_finite()):
                raise _diverged(training, good)
            for name, value in {"step": training.step, **values}.items():
                history.setdefault(name, []).append(value)
            report(Metrics(training.step, values))
            report(Progress(training.step, training.total_steps, "encoder"))
            if checkpoint is not None and now - saved > CHECKPOINT_EVERY:
                training.save_checkpoint(checkpoint)
                saved, good = now, training.step
        if now - previewed > PREVIEW_EVERY or last:
            previewed = now
            report(Preview("reconstructions", training.preview()))
    if not training.is_finite():  # stopped between two reports
        raise _diverged(training, good)
    if checkpoint is not None:
        training.save_checkpoint(checkpoint)
    return history


def _diverged(training: EncoderTraining, good: int | None) -> InputError:
    """The sentence for a training whose numbers have run away, and where the last good weights are."""
    kept = "the encoder from before was kept."
    if good is not None:
        kept = f"the checkpoint holds the last good weights, of step {good}, and resuming goes on from them."
    return InputError(
        f"The loss is no longer a number at step {training.step}; {kept} Lower the learning rate "
        f"({training.config.learning_rate:g}) or the weight of the reconstruction "
        f"({training.config.reconstruction:g})."
    )


@torch.no_grad()
def encode(
    model: BetaTCVAE,
    images: Images,
    *,
    batch: int = 1024,
    report: Report = silent,
    should_stop: ShouldStop = never,
) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances, each float32 (n, latents), of crops uint8 (n, size, size)."""
    device = next(model.parameters()).device
    means, log_variances = [], []
    for begin in range(0, len(images), batch):
        if should_stop():
            break
        crops = torch.from_numpy(np.array(images[begin : begin + batch]))
        mean, log_variance = model.encode(crops.to(device).unsqueeze(1).float().div_(255))
        means.append(mean.cpu().numpy())
        log_variances.append(log_variance.cpu().numpy())
        report(Progress(min(begin + batch, len(images)), len(images), "encoding"))
    empty = np.zeros((0, model.latents), np.float32)
    return np.concatenate(means or [empty]), np.concatenate(log_variances or [empty])
