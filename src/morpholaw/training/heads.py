"""Training of dense and sparse heads on an encoder's latents, all members at once (paper, B.2-B.3)."""

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
from morpholaw.training.cores import available_cores
from morpholaw.training.devices import torch_threads
from morpholaw.training.head_block import HeadBlock, TrainingRows
from morpholaw.training.prune import prune
from morpholaw.training.rigl import MEASURED, RigLMethod, RigLSettings

# Members in a block: their buffers then stay in a core's second-level cache (2 MB) for a whole step.
BLOCK = 40
REPORT_SECONDS = 0.25

Checkpoint = Callable[[dict[str, Tensor]], None]


class HeadTraining:
    """The training of an ensemble of heads, one epoch at a time.

    A member's initial weights, batches, orientations and dropout depend on its own seed and the epoch alone:
    it becomes the same model in whatever company it is trained, and a resumed training is the same as
    an uninterrupted one.

    Parameters
    ----------
    latents : array or Tensor
        float32 (8, n, inputs): the encoder's means of the 8 orientations of every training crop, of which
        each epoch draws one at random; or (1, n, inputs), or (n, inputs), without augmentation.
    targets : array or Tensor
        (n,) whole numbers: 0 negative and 1 positive; with more outputs, the class.
    config : ClassifierConfig
        Epochs, batch size, learning rate, dropout (dense heads only) and RigL's settings.
    sparse : bool
        RigL after a dense warm-up (scheme 3), or dense throughout (scheme 2).
    seeds : sequence of int
        One a member.
    settings : RigLSettings, optional
        Each member's own S, delta T and alpha, in place of those of ``config``.
    method : RigLMethod
        How connections are chosen; ``RigLMethod.paper()`` for algorithm 1 to the letter.
    outputs : int
        1 for two classes, else one for each class.

    Notes
    -----
    The loss is the cross-entropy, with classes weighted to count alike: real sets are uneven (215 to 127),
    and a metaphase is as good a vote on the boundary as an interphase. Equal classes get weights of one.

    Raises
    ------
    InputError
        Where latents or targets cannot be trained on, or the warm-up leaves no epoch for RigL.
    """

    def __init__(
        self,
        latents: np.ndarray | Tensor,
        targets: np.ndarray | Tensor,
        config: ClassifierConfig,
        *,
        sparse: bool,
        seeds: Sequence[int],
        settings: RigLSettings | None = None,
        method: RigLMethod = MEASURED,
        outputs: int = 1,
    ) -> None:
        if sparse and config.warmup_epochs >= config.epochs:
            raise InputError(
                f"The setting 'warmup_epochs' is {config.warmup_epochs}, which leaves none of the "
                f"{config.epochs} epochs to train sparsely; it must be smaller than 'epochs'."
            )
        self.config = config
        self.sparse = sparse
        self.seeds = tuple(int(seed) for seed in seeds)
        self.outputs = outputs
        self.epoch = 0
        self.rows = TrainingRows(latents, targets, outputs)
        if sparse and settings is None:
            settings = RigLSettings.same(config, len(self.seeds))
        self.settings = settings if sparse else None
        self.method = method
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

        Returns
        -------
        dict or None
            Mean loss and accuracy over the epoch's batches and the members. None if it was stopped: the
            epoch is then undone, so that the state is always that of an epoch's end.
        """
        before = self.state()
        with torch_threads(1):
            done = self._map(lambda block: block.train_epoch(self.epoch, should_stop))
        if any(part is None for part in done):
            self.load_state(before)
            return None
        self.epoch += 1
        totals = np.sum([part for part in done if part is not None], axis=0)
        loss, accuracy = totals / (self.members * len(self.rows))
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def head(self) -> HeadEnsemble:
        """The networks as they are now, in evaluation mode; unpruned."""
        dropout = 0.0 if self.sparse else self.config.dropout
        head = HeadEnsemble(self.members, self.rows.inputs, self.config.hidden, self.outputs, dropout=dropout)
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            block.write_to(head, slice(start, start + block.members))
        return head.eval()

    def state(self) -> dict[str, Tensor]:
        """Everything that the next epochs depend on, as copies of tensors by name."""
        state = {"epoch": torch.tensor(self.epoch)}
        for start, block in zip(range(0, self.members, BLOCK), self._blocks, strict=True):
            state |= {f"{start}.{name}": tensor.clone() for name, tensor in block.state().items()}
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what ``state`` returned, of a training with the same settings."""
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
        """Go on with copies of some members, as often as they are named, perhaps under other RigL settings.

        The dense warm-up does not depend on these settings, so that a search trains it once for each seed.

        Raises
        ------
        ValueError
            If there are new settings and this training is past its warm-up.
        """
        if settings is not None and self.epoch > self.config.warmup_epochs:
            raise ValueError("only a warm-up can be given other settings: later epochs depend on them")
        if settings is None and self.settings is not None:
            settings = self.settings.take(members)
        other = copy.copy(self)
        other.seeds = tuple(self.seeds[k] for k in members)
        other.settings = settings
        other._blocks = other._make_blocks()
        for place, source in enumerate(members):
            theirs = self._blocks[source // BLOCK]
            other._blocks[place // BLOCK].copy_member(place % BLOCK, theirs, source % BLOCK)
        return other

    def _make_blocks(self) -> list[HeadBlock]:
        widths = (self.rows.inputs, *self.config.hidden, self.outputs)
        blocks = []
        for start in range(0, self.members, BLOCK):
            seeds = self.seeds[start : start + BLOCK]
            places = range(start, start + len(seeds))
            settings = self.settings.take(places) if self.settings else None
            weights, biases = initial_weights(widths, len(seeds), seeds)
            blocks.append(HeadBlock(weights, biases, seeds, self.rows, self.config, settings, self.method))
        return blocks

    def _map(self, work: Callable[[HeadBlock], np.ndarray | None]) -> list[np.ndarray | None]:
        threads = min(self.config.threads or available_cores(), len(self._blocks))
        if threads <= 1:
            return [work(block) for block in self._blocks]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, self._blocks))


def train_heads(
    latents: np.ndarray | Tensor,
    targets: np.ndarray | Tensor,
    config: ClassifierConfig,
    *,
    sparse: bool,
    seeds: Sequence[int],
    test: tuple[np.ndarray | Tensor, np.ndarray | Tensor] | None = None,
    settings: RigLSettings | None = None,
    method: RigLMethod = MEASURED,
    outputs: int = 1,
    monitor: Monitor = SILENT,
    checkpoint: Checkpoint | None = None,
    resume: dict[str, Tensor] | None = None,
    checkpoint_seconds: float = 30.0,
) -> HeadEnsemble:
    """Train the heads of scheme 2 (dense) or scheme 3 (sparse) and prune the sparse ones.

    Parameters
    ----------
    latents, targets, config, sparse, seeds, settings, method, outputs
        See `HeadTraining`.
    test : (latents (m, inputs), targets (m,)), optional
        Held-out crops, unturned, whose accuracy is reported beside the training's.
    monitor : Monitor, optional
        Gets `Progress` in epochs and `Metrics` (loss, accuracy, test_accuracy), at most four times a second; asked at
        every batch whether to stop. A checkpoint of the last whole epoch is written then.
    checkpoint : callable, optional
        Called with the state now and then, and at a stop.
    resume : dict of Tensor, optional
        A state that ``checkpoint`` was called with: the training goes on from there, to the same result.

    Returns
    -------
    HeadEnsemble
        In evaluation mode. After a stop the networks as they then were, not pruned: ask ``should_stop``.

    Raises
    ------
    InputError
        When the loss stops being a number, or for what `HeadTraining` refuses.
    """
    training = HeadTraining(
        latents,
        targets,
        config,
        sparse=sparse,
        seeds=seeds,
        settings=settings,
        method=method,
        outputs=outputs,
    )
    if resume is not None:
        training.load_state(resume)
    stage = "sparse heads" if sparse else "dense heads"
    reported = saved = time.monotonic()
    while not training.finished:
        values = training.step_epoch(monitor.should_stop)
        now = time.monotonic()
        if values is None:
            if checkpoint is not None:
                checkpoint(training.state())
            return training.head()
        if not math.isfinite(values["loss"]):
            raise InputError(
                f"The loss of the {stage} is no longer a number in epoch {training.epoch}; lower the learning rate "
                f"({config.learning_rate:g}). The models from before were kept."
            )
        if checkpoint is not None and now - saved >= checkpoint_seconds:
            checkpoint(training.state())
            saved = now
        if now - reported >= REPORT_SECONDS or training.finished:
            if test is not None:
                values["test_accuracy"] = float(accuracies(training.head(), *test).mean())
            monitor.emit(Metrics(training.steps, values))
            monitor.emit(Progress(training.epoch, config.epochs, stage))
            reported = now
    head = training.head()
    return prune(head) if sparse else head


@torch.no_grad()
def accuracies(head: HeadEnsemble, latents: np.ndarray | Tensor, targets: np.ndarray | Tensor) -> Tensor:
    """Share of rows that each member calls as ``targets`` say (eq. 2), float64 (members,)."""
    rows = torch.as_tensor(latents, dtype=torch.float32)
    truth = torch.as_tensor(targets).long()
    scores = head(rows)
    calls = (scores >= 0).long() if head.outputs == 1 else scores.argmax(2)
    return (calls == truth).double().mean(1)
