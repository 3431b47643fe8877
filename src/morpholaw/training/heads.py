"""Training of dense and sparse heads on features, all members at once (paper, B.2-B.3)."""

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
"""Members per block: their buffers then stay in a core's second-level cache (2 MB) for a whole step."""
REPORT_SECONDS = 0.25


class HeadTraining:
    """The training of an ensemble of heads, one epoch at a time.

    A member's initial weights, batches, orientations and dropout depend on its own seed and the epoch alone: the result
    does not depend on which other members are trained alongside, and a resumed training equals an uninterrupted one.

    Parameters
    ----------
    features : ndarray or Tensor
        float32 (8, n, features): e.g. an encoder's means of the 8 orientations of every training crop, of which each
        epoch draws one at random; or (1, n, features), or (n, features), without augmentation.
    targets : ndarray or Tensor
        Class numbers, int (n,): 0 to C - 1, each at least once. Two classes get one output (eq. 2), more get one each.
    config : ClassifierConfig
        Epochs, batch size, learning rate, dropout (dense heads only) and RigL's settings.
    seeds : sequence of int, optional
        One per member; by default ``config.models`` of them from ``config.seed`` on.
    rigl : RigL, optional
        Sparse training after a dense warm-up (scheme 3); by default dense throughout (scheme 2).

    Notes
    -----
    The loss is the cross-entropy, by default with classes weighted to count the same: real sets are uneven (215 to
    127), and both classes should count the same for where the boundary lies. Classes of equal size get weights of one.

    Raises
    ------
    InputError
        If features or targets cannot be trained on, or the warm-up leaves no epoch for RigL.
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
                f"{config.epochs} epochs to train sparsely; it must be smaller than 'epochs'."
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
        """Networks in training."""
        return len(self.seeds)

    @property
    def steps(self) -> int:
        """Optimiser steps so far."""
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
            Asked at every batch.

        Returns
        -------
        dict or None
            Mean loss and accuracy over the epoch's batches and the members. None if it was stopped: the epoch is then
            undone, so that the state is always that at the end of an epoch.
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
        """Return the networks as they are now, in evaluation mode; not pruned."""
        dropout = 0.0 if self.method else self.config.dropout
        rows = self.rows
        head = HeadEnsemble(self.members, rows.inputs, self.config.hidden, rows.outputs, dropout=dropout)
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            block.write_to(head, slice(start, start + block.members))
        return head.eval()

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next epochs depend on, as copies of tensors by name."""
        state = {"epoch": torch.tensor(self.epoch)}
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            state |= {f"{start}.{name}": tensor.clone() for name, tensor in block.state().items()}
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what ``state`` returned, of a training with the same settings.

        Raises
        ------
        InputError
            If it was made with other layers or another number of models.
        """
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            for name, tensor in block.state().items():
                saved = state.get(f"{start}.{name}")
                if saved is None or saved.shape != tensor.shape:
                    raise InputError(
                        "The checkpoint of the heads was made with other layers or another number of models; "
                        "restore those settings or start the training anew."
                    )
                tensor.copy_(saved)
        self.epoch = int(state["epoch"])

    def branch(self, members: Sequence[int], settings: RigLSettings | None = None) -> HeadTraining:
        """Return a training that continues with copies of some members, perhaps under other RigL settings.

        The dense warm-up does not depend on these settings, so that a search trains it only once per seed.

        Parameters
        ----------
        members : sequence of int
            The members to copy; one may occur several times.
        settings : RigLSettings, optional
            New settings, one value per copy.

        Raises
        ------
        ValueError
            If there are new settings and this training is past its warm-up.
        """
        if settings is not None and self.epoch > self.config.warmup_epochs:
            raise ValueError("only a warm-up can be given other settings: later epochs depend on them")
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
    """Train ``config.models`` heads, dense (scheme 2) or sparse (scheme 3); sparse ones are pruned.

    Parameters
    ----------
    features : ndarray or Tensor
        float32 (n, features), or (orientations, n, features), of which each epoch draws one orientation per cell.
    targets : ndarray or Tensor
        Class numbers, int (n,): 0 to C - 1, each at least once.
    config : ClassifierConfig
        Models, seed, epochs, batch size, learning rate, dropout (dense heads only) and RigL's settings.
    rigl : RigL, optional
        Sparse training after a dense warm-up; by default dense throughout.
    test : (features (m, features), targets (m,)), optional
        Held-out cells, whose accuracy is reported alongside.
    checkpointing : Checkpointing
        Keeps the state at the end of an epoch, and resumes from it.
    monitor : Monitor
        Receives `Progress` in epochs and `Metrics` (loss, accuracy, test_accuracy), at most four times a second; asked
        at every batch whether to stop.

    Returns
    -------
    HeadEnsemble
        In evaluation mode. After a stop the networks as they then were, not pruned: ask ``monitor.should_stop``.

    Raises
    ------
    InputError
        If the loss is no longer a number, or for what `HeadTraining` refuses.
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
                f"The loss of the {stage} is no longer a number in epoch {training.epoch}; lower the learning rate "
                f"({config.learning_rate:g}). The models from before were kept."
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
    """Return the share of rows that each member assigns to their class, float64 (members,).

    Parameters
    ----------
    head : HeadEnsemble
        In evaluation mode.
    features : ndarray or Tensor
        (n, features).
    targets : ndarray or Tensor
        Class numbers, int (n,).
    """
    rows = torch.as_tensor(features, dtype=torch.float32)
    truth = torch.as_tensor(targets).long()
    scores: Tensor = head(rows)
    predicted = (scores >= 0).long() if head.outputs == 1 else scores.argmax(2)
    return (predicted == truth).double().mean(1)
