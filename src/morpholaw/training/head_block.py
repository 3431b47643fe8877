"""The members that are trained together in one core's cache, and the rows they are trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.events import ShouldStop
from morpholaw.models.heads import HeadEnsemble
from morpholaw.training.batched_mlp import BatchedMLP
from morpholaw.training.rigl import RigLMethod, RigLSettings, Schedule, moved_topology

WATCH_RATE = 0.01  # of the running moments of the gradient, whose memory is a hundred batches
NO_ERROR = 1e-4  # mean squared error below which F is chance, and nothing is trimmed
USUAL_ERROR = (
    0.005  # mean squared error, (p - y)^2, below which F says little: a head that is right nearly always
)


class TrainingRows:
    """Latents of every training crop in every orientation, their targets and class weights.

    Attributes
    ----------
    latents : Tensor
        float32 (orientations * n, inputs).
    targets : Tensor
        float32 (n, 1) of 0 and 1, or one-hot (n, classes).
    weights : Tensor
        float32 (n, 1): n / (classes * size of the row's class), so that classes count alike.
    """

    def __init__(self, latents: np.ndarray | Tensor, targets: np.ndarray | Tensor, outputs: int) -> None:
        rows = torch.as_tensor(latents, dtype=torch.float32)
        rows = rows.unsqueeze(0) if rows.dim() == 2 else rows
        classes = torch.as_tensor(targets).long()
        if rows.dim() != 3 or rows.shape[1] != len(classes) or classes.dim() != 1:
            raise InputError(
                f"Latents of shape {tuple(rows.shape)} do not fit targets of shape {tuple(classes.shape)}: "
                "expected (orientations, crops, latents) and one target for each crop."
            )
        if not torch.isfinite(rows).all():
            raise InputError(
                "Some latents are not finite numbers; heads need an encoder whose latents are all finite."
            )
        expected = max(2, outputs)
        counts = torch.bincount(classes.clamp(0, expected - 1), minlength=expected)
        if len(classes) == 0 or classes.min() < 0 or classes.max() >= expected or (counts == 0).any():
            raise InputError(
                f"The targets must be the whole numbers 0 to {expected - 1}, each at least once; "
                "label some crops of every class before training."
            )
        self.orientations, self.count, self.inputs = rows.shape
        self.latents = rows.reshape(-1, self.inputs).contiguous()
        one_hot = torch.nn.functional.one_hot(classes, expected).float()
        self.targets = classes.float().unsqueeze(1) if outputs == 1 else one_hot
        self.weights = (len(classes) / (expected * counts.float()))[classes].unsqueeze(1)

    def __len__(self) -> int:
        return self.count

    def batches(self, size: int) -> int:
        """Batches in an epoch; the last may be smaller."""
        return math.ceil(self.count / size)


class HeadBlock:
    """Some of an ensemble's members, which share their tensors and take every step together."""

    def __init__(
        self,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor],
        seeds: Sequence[int],
        rows: TrainingRows,
        config: ClassifierConfig,
        settings: RigLSettings | None,
        method: RigLMethod,
    ) -> None:
        self.net = BatchedMLP(weights, biases)
        self.mask = torch.ones_like(self.net.parameters)  # of biases too, which always stay
        self.layer_masks, _ = self.net.views(self.mask)
        self.seeds = seeds
        self.rows = rows
        self.config = config
        self.schedule: Schedule | None = None
        if settings is not None:
            steps = rows.batches(config.batch_size)
            self.schedule = Schedule(
                settings,
                self.net.widths,
                config.warmup_epochs * steps,
                config.epochs * steps,
                config.update_until,
                method,
            )
        self.mean = torch.zeros_like(self.net.gradient)  # running moments of the dense gradient
        self.square = torch.zeros_like(self.net.gradient)

    @property
    def members(self) -> int:
        """Members of this block."""
        return len(self.seeds)

    def train_epoch(self, epoch: int, should_stop: ShouldStop) -> np.ndarray | None:
        """Take every row once; (sum of losses, correct calls) over rows and members, None if stopped."""
        size, count = self.config.batch_size, len(self.rows)
        drawn = self._draw(epoch)
        totals = torch.zeros(2, dtype=torch.float64)
        inputs = torch.empty(self.members * size, self.rows.inputs)
        for batch, start in enumerate(range(0, count, size)):
            if should_stop():
                return None
            part = slice(start, min(start + size, count))
            where = drawn.where[:, part]
            taken = inputs[: where.numel()]
            torch.index_select(self.rows.latents, 0, where.flatten(), out=taken)
            keep = [layer[:, part] for layer in drawn.keep] if drawn.keep else None
            scores = self.net.forward(taken.view(*where.shape, -1), keep)
            gradient, sums = _cross_entropy(scores, drawn.targets[:, part], drawn.weights[:, part])
            totals += sums
            self.net.backward(gradient)
            self._update(epoch * self.rows.batches(size) + batch)
        return totals.numpy()

    def state(self) -> dict[str, Tensor]:
        """The tensors that the next epoch depends on, not copied."""
        return {
            "parameters": self.net.parameters,
            "first_moment": self.net.first_moment,
            "second_moment": self.net.second_moment,
            "mask": self.mask,
            "gradient_mean": self.mean,
            "gradient_square": self.square,
        }

    def copy_member(self, k: int, other: HeadBlock, source: int) -> None:
        """Make member ``k`` what member ``source`` of ``other`` is."""
        for mine, theirs in zip(self.state().values(), other.state().values(), strict=True):
            for to, at in zip(self._layers(mine), other._layers(theirs), strict=True):
                to[k] = at[source]

    def write_to(self, head: HeadEnsemble, members: slice) -> None:
        """Copy weights, biases and masks into ``members`` of ``head``."""
        for mine, theirs in zip(
            self._layers(self.net.parameters), [*head.weights, *head.biases], strict=True
        ):
            theirs.data[members] = mine
        for mask, theirs in zip(self.layer_masks, head.masks, strict=True):
            theirs[members] = mask > 0

    def _layers(self, row: Tensor) -> list[Tensor]:
        weights, biases = self.net.views(row)
        return weights + biases

    def _draw(self, epoch: int) -> _Epoch:
        """All chance of an epoch."""
        drawn = {seed: self._draw_member(seed, epoch) for seed in dict.fromkeys(self.seeds)}
        order, where, kept = (
            torch.stack(parts) for parts in zip(*(drawn[seed] for seed in self.seeds), strict=True)
        )
        keep = list(kept.split(self.net.widths[1:-1], dim=2)) if self._dropout > 0 else []
        return _Epoch(where, self.rows.targets[order], self.rows.weights[order], keep)

    def _draw_member(self, seed: int, epoch: int) -> tuple[Tensor, Tensor, Tensor]:
        """A member's order of the rows, where their latents lie, and what dropout keeps.

        From its seed and the epoch alone, so that neither the company nor an interruption matters.
        """
        random = np.random.default_rng([seed, epoch])
        order = random.permutation(len(self.rows))
        turn = random.integers(0, self.rows.orientations, len(order))
        kept = np.empty(0, dtype=np.float32)
        if self._dropout > 0:
            units = sum(self.net.widths[1:-1])
            kept = (random.random((len(order), units), dtype=np.float32) >= self._dropout).astype(np.float32)
            kept /= 1 - self._dropout
        return torch.from_numpy(order), torch.from_numpy(order + turn * len(order)), torch.from_numpy(kept)

    @property
    def _dropout(self) -> float:
        return 0.0 if self.schedule is not None else self.config.dropout

    def _update(self, step: int) -> None:
        """A step of Adam, or of RigL instead for the members whose turn it is (algorithm 1)."""
        net, schedule, rate = self.net, self.schedule, self.config.learning_rate
        if schedule is not None and schedule.watched(step):
            self.mean.lerp_(net.gradient, WATCH_RATE)
            self.square.mul_(1 - WATCH_RATE).addcmul_(net.gradient, net.gradient, value=WATCH_RATE)
        if schedule is None or step < schedule.warmup:
            net.adam(step + 1, rate)
            return
        due = schedule.due(step)
        moves = self._moves(schedule, step, due) if due else []
        resting = (net.parameters, net.first_moment, net.second_moment) if due else ()
        before = [[layer[due] for layer in self._layers(row)] for row in resting]
        net.gradient.mul_(self.mask)
        net.adam(step + 1, rate)
        for row, saved in zip(resting, before, strict=True):
            for layer, values in zip(self._layers(row), saved, strict=True):
                layer[due] = values
        if due:
            self._keep_only(due, [keep for keep, _ in moves])
            for mask, (_, grow) in zip(self.layer_masks, moves, strict=True):
                mask[due] += grow.view(-1, *mask.shape[1:])
        if trimmed := schedule.trimmed(step):
            self._keep_only(trimmed, self._worth(trimmed, schedule.method.trim))

    def _moves(self, schedule: Schedule, step: int, due: list[int]) -> list[tuple[Tensor, Tensor]]:
        """Of each layer, what the members in ``due`` keep and grow: bool (due, weights)."""
        moved = schedule.moved(step, due)
        gradients = [layer[due] for layer in self.net.weight_gradients]
        if schedule.method.growth == "evidence":
            means, squares = self.net.views(self.mean)[0], self.net.views(self.square)[0]
            gradients = [
                mean[due] / (square[due].sqrt() + 1e-12) for mean, square in zip(means, squares, strict=True)
            ]
        return [
            moved_topology(
                self.net.weights[layer][due].flatten(1),
                gradients[layer].flatten(1),
                self.layer_masks[layer][due].flatten(1) > 0,
                schedule.active[due, layer],
                moved[:, layer],
            )
            for layer in range(len(gradients))
        ]

    def _worth(self, members: list[int], least: float) -> list[Tensor]:
        """Of each layer, the weights without which the loss would rise by at least ``least`` nats a crop.

        Optimal brain damage (LeCun et al. 1990): w^2 F / 2. The gradient of a batch of B crops has a mean square
        of F / B where it has settled. On classes that come apart the errors vanish, and F with them: every weight
        would seem to carry nothing. The least is then lowered as the squared error is, which is F of the output's bias,
        and to nothing where there is no error.
        At most a third of a member's weights go at a time, the least first: the others take over what they did, and
        weights that do one thing together are not taken for nothing each.
        """
        squares, biases = self.net.views(self.square)
        size = self.config.batch_size
        error = size * biases[-1][members].sum(1, keepdim=True)
        bar = torch.where(error < NO_ERROR, 0.0, least * (error / USUAL_ERROR).clamp_max(1))
        worth = [
            (size / 2 * weight[members] ** 2 * square[members]).flatten(1)
            for weight, square in zip(self.net.weights, squares, strict=True)
        ]
        active = torch.cat([mask[members].flatten(1) > 0 for mask in self.layer_masks], 1)
        ordered = torch.cat(worth, 1).masked_fill(~active, torch.inf).sort(1).values
        third = ordered.gather(1, (active.sum(1, keepdim=True) // 3))
        return [(own >= bar) | (own >= third) for own in worth]

    def _keep_only(self, members: list[int], kept: list[Tensor]) -> None:
        """Zero the other weights of ``members`` with their masks and moments: bool (members, weights) a layer."""
        rows = (self.net.parameters, self.net.first_moment, self.net.second_moment, self.mask)
        for row in rows:
            for layer, keep in zip(self.net.views(row)[0], kept, strict=True):
                layer[members] = torch.where(keep.view(-1, *layer.shape[1:]), layer[members], 0.0)


@dataclass(frozen=True)
class _Epoch:
    """Rows in each member's order: (members, n), (members, n, outputs), (members, n, 1); dropout by layer."""

    where: Tensor
    targets: Tensor
    weights: Tensor
    keep: list[Tensor]


def _cross_entropy(scores: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient of each member's mean weighted loss by its scores, and (sum of losses, correct calls)."""
    if scores.shape[2] == 1:
        chance = torch.sigmoid(scores)
        correct = (scores >= 0) == (targets > 0.5)
        loss = torch.nn.functional.softplus(scores) - targets * scores
    else:
        chance = torch.softmax(scores, 2)
        correct = scores.argmax(2) == targets.argmax(2)
        loss = -(torch.log_softmax(scores, 2) * targets).sum(2, keepdim=True)
    sums = torch.stack([loss.mul_(weights).sum(), correct.sum()]).double()
    return chance.sub_(targets).mul_(weights).div_(scores.shape[1]), sums
