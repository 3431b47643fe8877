"""Training of ensembles of dense and sparse heads on features (paper, B.2-B.3)."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Metrics, Monitor, Progress, ShouldStop, never
from morpholaw.models.heads import HeadEnsemble, initial_weights
from morpholaw.training.checkpointing import NO_CHECKPOINTS, Checkpointing
from morpholaw.training.cores import available_cores
from morpholaw.training.devices import torch_threads
from morpholaw.training.head_block import HeadBlock, TrainingRows
from morpholaw.training.pruning import prune
from morpholaw.training.rigl import RigL, RigLSettings, Schedule

BLOCK = 40
"""Members per block; their buffers then fit in a core's second-level cache (2 MB) during a step."""
REPORT_SECONDS = 0.25


class HeadTraining:
    """Training of an ensemble of heads, one epoch at a time.

    Initial weights, batches, orientations and dropout of a member depend only on its seed and the epoch. The result
    does not depend on which other members are trained alongside, and a resumed training equals an uninterrupted one.

    Parameters
    ----------
    features : ndarray or Tensor
        float32 (orientations, n, features), such as the latents of the 8 orientations of every training crop, of which
        each epoch draws one at random per cell; or (n, features) without augmentation.
    targets : ndarray or Tensor
        Class numbers, int (n,), 0 to C - 1, each at least once. Heads have one output for two classes (eq. 2), else C.
    config : ClassifierConfig
        Epochs, batch size, learning rate, dropout (dense heads only) and RigL settings.
    seeds : sequence of int, optional
        One seed per member; by default ``config.seed``, ``config.seed + 1``, ..., for ``config.models`` members.
    rigl : RigL, optional
        Sparse training after a dense warm-up (scheme 3); by default training is dense (scheme 2).

    Notes
    -----
    The loss is the cross-entropy, by default with balanced class weights: real training sets are unbalanced (215 to
    127, for example), and both classes should have the same influence on the decision boundary.

    Raises
    ------
    InputError
        If features or targets are invalid, or the warm-up leaves no epoch for RigL.
    """

    def __init__(
        self,
        features: np.ndarray | Tensor,
        targets: np.ndarray | Tensor,
        config: ClassifierConfig,
        *,
        seeds: Sequence[int] | None = None,
        rigl: RigL | None = None,
    ) -> None:
        if rigl is not None and config.warmup_epochs >= config.epochs:
            raise InputError(
                f"The setting 'warmup_epochs' is {config.warmup_epochs}, which leaves none of the "
                f"{config.epochs} epochs for sparse training; it must be smaller than 'epochs'."
            )
        self.config = config
        self.seeds = tuple(range(config.seed, config.seed + config.models) if seeds is None else seeds)
        self.epoch = 0
        self.rows = TrainingRows(features, targets, config.class_balance)
        self.method = None if rigl is None else rigl.method
        self.settings = None
        if rigl is not None:
            self.settings = rigl.settings or RigLSettings.same(config, len(self.seeds))
        self._blocks = self._make_blocks()

    @property
    def members(self) -> int:
        """Number of networks."""
        return len(self.seeds)

    @property
    def steps(self) -> int:
        """Number of optimiser steps so far."""
        return self.epoch * self.rows.batches(self.config.batch_size)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.config.epochs

    def step_epoch(self, should_stop: ShouldStop = never) -> dict[str, float] | None:
        """Train all members for one more epoch.

        Parameters
        ----------
        should_stop : callable
            Called at every batch.

        Returns
        -------
        dict or None
            Loss and accuracy, averaged over batches and members. None if stopped: the epoch is then undone, so that
            the state is always that of a complete epoch.
        """
        before = self.state()
        with torch_threads(1):
            parts = self._map(lambda block: block.train_epoch(self.epoch, should_stop))
        if any(part is None for part in parts):
            self.load_state(before)
            return None
        self.epoch += 1
        totals = np.sum([part for part in parts if part is not None], axis=0)
        loss, accuracy = totals / (self.members * len(self.rows))
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def head(self) -> HeadEnsemble:
        """Return the current networks in evaluation mode, not pruned."""
        dropout = 0.0 if self.method else self.config.dropout
        rows = self.rows
        head = HeadEnsemble(self.members, rows.inputs, self.config.hidden, rows.outputs, dropout=dropout)
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            block.write_to(head, slice(start, start + block.members))
        return head.eval()

    def state(self) -> dict[str, Tensor]:
        """Return the state on which the next epochs depend, as copies of named tensors."""
        state = {"epoch": torch.tensor(self.epoch)}
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            state |= {f"{start}.{name}": tensor.clone() for name, tensor in block.state().items()}
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore the state that ``state`` returned, from a training with the same settings.

        Parameters
        ----------
        state : dict of Tensor
            The state.

        Raises
        ------
        InputError
            If the state has other layers or another number of models.
        """
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            for name, tensor in block.state().items():
                saved = state.get(f"{start}.{name}")
                if saved is None or saved.shape != tensor.shape:
                    raise InputError(
                        "The checkpoint of the heads has other layers or another number of models; "
                        "restore those settings or start a new training."
                    )
                tensor.copy_(saved)
        self.epoch = int(state["epoch"])

    def branch(self, members: Sequence[int], settings: RigLSettings | None = None) -> HeadTraining:
        """Return a training that continues with copies of some members, optionally with new RigL settings.

        The dense warm-up does not depend on the RigL settings, so a hyperparameter search trains it once per seed.

        Parameters
        ----------
        members : sequence of int
            Numbers of the members to copy; a member may occur several times.
        settings : RigLSettings, optional
            New settings, one value per copy.

        Returns
        -------
        HeadTraining

        Raises
        ------
        ValueError
            If new settings are given after the warm-up.
        """
        if settings is not None and self.epoch > self.config.warmup_epochs:
            raise ValueError("RigL settings can only change during the warm-up: later epochs depend on them")
        if settings is None and self.settings is not None:
            settings = self.settings.take(members)
        branch = copy.copy(self)
        branch.seeds = tuple(self.seeds[k] for k in members)
        branch.settings = settings
        branch._blocks = branch._make_blocks()
        for place, source in enumerate(members):
            theirs = self._blocks[source // BLOCK]
            branch._blocks[place // BLOCK].copy_member(place % BLOCK, theirs, source % BLOCK)
        return branch

    def _make_blocks(self) -> list[HeadBlock]:
        widths = (self.rows.inputs, *self.config.hidden, self.rows.outputs)
        blocks = []
        for start in range(0, self.members, BLOCK):
            seeds = self.seeds[start : start + BLOCK]
            weights, biases = initial_weights(widths, len(seeds), seeds)
            schedule = self._schedule(widths, range(start, start + len(seeds)))
            blocks.append(HeadBlock(weights, biases, seeds, self.rows, self.config, schedule))
        return blocks

    def _schedule(self, widths: Sequence[int], members: Sequence[int]) -> Schedule | None:
        if self.settings is None or self.method is None:
            return None
        config, steps = self.config, self.rows.batches(self.config.batch_size)
        return Schedule(
            self.settings.take(members),
            widths,
            config.warmup_epochs * steps,
            config.epochs * steps,
            config.update_until,
            self.method,
        )

    def _map(self, work: Callable[[HeadBlock], np.ndarray | None]) -> list[np.ndarray | None]:
        threads = min(self.config.threads or available_cores(), len(self._blocks))
        if threads <= 1:
            return [work(block) for block in self._blocks]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, self._blocks))


def train_heads(
    features: np.ndarray | Tensor,
    targets: np.ndarray | Tensor,
    config: ClassifierConfig,
    *,
    rigl: RigL | None = None,
    test: tuple[np.ndarray | Tensor, np.ndarray | Tensor] | None = None,
    checkpointing: Checkpointing[dict[str, Tensor]] = NO_CHECKPOINTS,
    monitor: Monitor = SILENT,
) -> HeadEnsemble:
    """Train an ensemble of heads, dense (scheme 2) or sparse and pruned (scheme 3).

    Parameters
    ----------
    features : ndarray or Tensor
        float32 (n, features), or (orientations, n, features), of which each epoch draws one orientation per cell.
    targets : ndarray or Tensor
        Class numbers, int (n,), 0 to C - 1; each class at least once.
    config : ClassifierConfig
        Models, seed, epochs, batch size, learning rate, dropout (dense heads only) and RigL settings.
    rigl : RigL, optional
        Sparse training after a dense warm-up; by default training is dense.
    test : tuple of (features, targets), optional
        Held-out cells, (m, features) and (m,), on which the accuracy is reported during training.
    checkpointing : Checkpointing
        Saves the state after an epoch, and provides the state to resume from.
    monitor : Monitor
        Receives `Progress` in epochs and `Metrics` (loss, accuracy, test_accuracy) at most four times a second. It can
        stop the training at every batch.

    Returns
    -------
    HeadEnsemble
        The networks in evaluation mode. After a stop they are not pruned; check ``monitor.should_stop``.

    Raises
    ------
    InputError
        If the loss is no longer finite, or `HeadTraining` rejects the data or settings.
    """
    training = HeadTraining(features, targets, config, rigl=rigl)
    if checkpointing.resume is not None:
        training.load_state(checkpointing.resume)
    stage = "dense heads" if rigl is None else "sparse heads"
    reported = saved = time.monotonic()
    while not training.finished:
        values = training.step_epoch(monitor.should_stop)
        now = time.monotonic()
        if values is None:
            if checkpointing.save is not None:
                checkpointing.save(training.state())
            return training.head()
        if not math.isfinite(values["loss"]):
            raise InputError(
                f"The loss of the {stage} is no longer finite in epoch {training.epoch}; lower the learning rate "
                f"({config.learning_rate:g}). The previous models were kept."
            )
        if checkpointing.save is not None and now - saved >= checkpointing.seconds:
            checkpointing.save(training.state())
            saved = now
        if now - reported >= REPORT_SECONDS or training.finished:
            if test is not None:
                values["test_accuracy"] = float(accuracies(training.head(), *test).mean())
            monitor.emit(Metrics(training.steps, values))
            monitor.emit(Progress(training.epoch, config.epochs, stage))
            reported = now
    head = training.head()
    return head if rigl is None else prune(head)


@torch.no_grad()
def accuracies(head: HeadEnsemble, features: np.ndarray | Tensor, targets: np.ndarray | Tensor) -> Tensor:
    """Return the accuracy of each member, float64 (members,).

    Parameters
    ----------
    head : HeadEnsemble
        Networks in evaluation mode.
    features : ndarray or Tensor
        (n, features).
    targets : ndarray or Tensor
        Class numbers, int (n,).

    Returns
    -------
    Tensor
    """
    rows = torch.as_tensor(features, dtype=torch.float32)
    truth = torch.as_tensor(targets).long()
    scores: Tensor = head(rows)
    predicted = (scores >= 0).long() if head.outputs == 1 else scores.argmax(2)
    return (predicted == truth).double().mean(1)
