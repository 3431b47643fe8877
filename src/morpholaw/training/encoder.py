"""The training loop of the beta-TCVAE, with reports, previews and checkpoints (paper, 5.1 and B.1)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Metrics, Monitor, Preview, Progress
from morpholaw.models.vae import BetaTCVAE
from morpholaw.training.devices import describe_device, kept_memory, lay_out, shared_threads
from morpholaw.training.distributed import (
    is_main_process,
    local_world_size,
    process_group,
    synchronised,
    world_size,
)
from morpholaw.training.encoder_checkpoint import load_checkpoint, save_checkpoint
from morpholaw.training.encoder_training import EncoderTraining
from morpholaw.training.encoding import Images, encode
from morpholaw.training.joint_objective import EncoderLabels

__all__ = ["EncoderTraining", "encode", "train_encoder"]

REPORT_EVERY = 0.5
"""Seconds between two reports of the losses."""
PREVIEW_EVERY = 5.0
"""Seconds between two previews of crops and reconstructions."""
CHECKPOINT_EVERY = 60.0
"""Seconds between two checkpoints."""


def train_encoder(
    images: Images,
    config: EncoderConfig,
    *,
    start: BetaTCVAE | None = None,
    labels: EncoderLabels | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    monitor: Monitor = SILENT,
) -> tuple[BetaTCVAE, dict[str, list[float]]]:
    """Train a beta-TCVAE on crops.

    If ``torchrun`` started several processes, they train one network together. Each processes its part of every batch,
    and the result equals that of one process up to rounding.

    Parameters
    ----------
    images : Images
        Crops, uint8 (n, size, size).
    config : EncoderConfig
        Training settings.
    start : BetaTCVAE, optional
        Trained network to start from; its weights are modified in place.
    labels : EncoderLabels, optional
        Labelled crops of the training groups, for the joint objective (``config.task`` above 0).
    checkpoint : Path, optional
        Folder for checkpoints, written once per minute and at the end.
    resume : bool
        Continue from the checkpoint if there is one.
    monitor : Monitor
        Receives progress and can stop the training, which then returns the current network.

    Returns
    -------
    model : BetaTCVAE
        The trained network, on the CPU, in evaluation mode.
    history : dict
        Reported steps and losses by name: "step", "loss", "reconstruction", "mutual information", ...

    Raises
    ------
    InputError
        If the loss is no longer finite; the checkpoint then holds the last good weights.
    """
    with (
        process_group(config.device),
        shared_threads(config.threads, local_world_size()) as decide_threads,
        kept_memory(),
    ):
        if not is_main_process():
            monitor = Monitor(should_stop=monitor.should_stop)
        training = EncoderTraining(images, config, start, labels)
        if resume and checkpoint is not None and (checkpoint / "model.json").exists():
            changed = load_checkpoint(training, checkpoint)
            monitor.tell(f"Resuming at step {training.step} of {training.total_steps}.")
            if changed:
                monitor.warn(changed)
        together = f", {world_size()} processes" if world_size() > 1 else ""
        where = f"{describe_device(training.device)}{together}"
        monitor.tell(f"Training the encoder on the {where}, {len(images):,} crops.")
        history = _run(
            training, checkpoint if is_main_process() else None, synchronised(monitor), decide_threads
        )
    return lay_out(training.model.to("cpu"), torch.contiguous_format).eval(), history


def _run(
    training: EncoderTraining, checkpoint: Path | None, monitor: Monitor, decide_threads: Callable[[], int]
) -> dict[str, list[float]]:
    history = training.history
    reported = previewed = time.monotonic()
    saved, good = -math.inf, None  # the first report writes a checkpoint, so that one always exists
    for index in training.batches():
        if monitor.should_stop():
            break
        training.parts = decide_threads()
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
            monitor.emit(Metrics(training.step, values))
            monitor.emit(Progress(training.step, training.total_steps, "encoder"))
            if checkpoint is not None and now - saved > CHECKPOINT_EVERY:
                save_checkpoint(training, checkpoint)
                saved, good = now, training.step
        if now - previewed > PREVIEW_EVERY or last:
            previewed = now
            monitor.emit(Preview("reconstructions", training.preview()))
    if not training.is_finite():  # stopped between two reports
        raise _diverged(training, good)
    if checkpoint is not None:
        save_checkpoint(training, checkpoint)
    return history


def _diverged(training: EncoderTraining, good: int | None) -> InputError:
    """Return the error for a training that diverged, which says where the last good weights are."""
    kept = "the previous encoder was kept."
    if good is not None:
        kept = f"the checkpoint holds the last good weights, of step {good}; resume to continue from them."
    return InputError(
        f"The loss is no longer finite at step {training.step}; {kept} Lower the learning rate "
        f"({training.config.learning_rate:g}) or the weight of the reconstruction "
        f"({training.config.reconstruction:g})."
    )
