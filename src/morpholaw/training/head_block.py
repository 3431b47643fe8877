"""Blocks of heads that are trained together within the cache of one core, and their training data."""

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
from morpholaw.training.mish_networks import MishNetworks
from morpholaw.training.rigl import Schedule, moved_topology

AVERAGING_RATE = 0.01
"""Rate of the running moments of the gradient, which average over about a hundred batches."""
NO_ERROR = 1e-4
"""Mean squared error below which the Fisher information is only noise and nothing is trimmed."""
USUAL_ERROR = 0.005
"""Mean squared error (p - y)^2 of an accurate head; below it, the threshold for trimming is lowered."""


class TrainingRows:
    """Training data of heads: features of every cell in every orientation, targets and class weights.

    Parameters
    ----------
    features : ndarray or Tensor
        (orientations, n, features), or (n, features).
    targets : ndarray or Tensor
        Class numbers, int (n,), 0 to C - 1; each class at least once.

    Attributes
    ----------
    features : Tensor
        float32 (orientations * n, features).
    targets : Tensor
        float32 (n, 1), 0 or 1, for two classes; else one-hot (n, classes).
    weights : Tensor
        float32 (n, 1): n / (classes * size of the row's class), so that all classes have the same weight; 1 without
        ``class_balance``.
    outputs : int
        Number of outputs: 1 for two classes (eq. 2), else one per class.

    Raises
    ------
    InputError
        If the shapes do not match, a feature is not finite, or a class is missing.
    """

    def __init__(
        self, features: np.ndarray | Tensor, targets: np.ndarray | Tensor, class_balance: bool = True
    ) -> None:
        rows = torch.as_tensor(features, dtype=torch.float32)
        rows = rows.unsqueeze(0) if rows.dim() == 2 else rows
        classes = torch.as_tensor(targets).long()
        if rows.dim() != 3 or rows.shape[1] != len(classes) or classes.dim() != 1:
            raise InputError(
                f"Features of shape {tuple(rows.shape)} do not fit targets of shape {tuple(classes.shape)}: "
                "expected (orientations, cells, features) and one target for each cell."
            )
        if not torch.isfinite(rows).all():
            raise InputError("Some features are not finite; heads need finite features.")
        count = max(2, int(classes.max()) + 1) if len(classes) else 2
        sizes = torch.bincount(classes.clamp(0, count - 1), minlength=count)
        if len(classes) == 0 or classes.min() < 0 or (sizes == 0).any():
            raise InputError(
                f"The targets must be the whole numbers 0 to {count - 1}, each at least once; "
                "label some cells of every class before training."
            )
        self.orientations, self.count, self.inputs = rows.shape
        self.outputs = 1 if count == 2 else count
        self.features = rows.reshape(-1, self.inputs).contiguous()
        one_hot = torch.nn.functional.one_hot(classes, count).float()
        self.targets = classes.float().unsqueeze(1) if count == 2 else one_hot
        weight_of_class = len(classes) / (count * sizes.float()) if class_balance else torch.ones(count)
        self.weights = weight_of_class[classes].unsqueeze(1)

    def __len__(self) -> int:
        """Return the number of cells."""
        return self.count

    def batches(self, size: int) -> int:
        """Return the number of batches per epoch; the last batch may be smaller."""
        return math.ceil(self.count / size)


class HeadBlock:
    """Members of an ensemble that share their tensors and take every step together.

    Parameters
    ----------
    weights, biases : sequence of Tensor
        Initial parameters of each layer, as for `MishNetworks`.
    seeds : sequence of int
        One seed per member.
    rows : TrainingRows
        Training data.
    config : ClassifierConfig
        Batch size, learning rate and dropout.
    schedule : Schedule, optional
        When RigL moves connections; None for dense training.
    """

    def __init__(
        self,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor],
        seeds: Sequence[int],
        rows: TrainingRows,
        config: ClassifierConfig,
        schedule: Schedule | None,
    ) -> None:
        self.networks = MishNetworks(weights, biases)
        self.mask = torch.ones_like(self.networks.parameters)  # includes biases, which always stay
        self.layer_masks, _ = self.networks.views(self.mask)
        self.seeds = seeds
        self.rows = rows
        self.config = config
        self.schedule = schedule
        self.gradient_mean = torch.zeros_like(self.networks.gradient)  # running moments of the dense gradient
        self.gradient_square = torch.zeros_like(self.networks.gradient)

    @property
    def members(self) -> int:
        """Number of members in this block."""
        return len(self.seeds)

    def train_epoch(self, epoch: int, should_stop: ShouldStop) -> np.ndarray | None:
        """Train one epoch; return the sums of losses and of correct predictions per member, or None if stopped."""
        size, count = self.config.batch_size, len(self.rows)
        drawn = self._draw(epoch)
        totals = torch.zeros(2, dtype=torch.float64)
        inputs = torch.empty(self.members * size, self.rows.inputs)
        for batch, start in enumerate(range(0, count, size)):
            if should_stop():
                return None
            part = slice(start, min(start + size, count))
            places = drawn.places[:, part]
            batch_inputs = inputs[: places.numel()]
            torch.index_select(self.rows.features, 0, places.flatten(), out=batch_inputs)
            dropout = [layer[:, part] for layer in drawn.dropout] if drawn.dropout else None
            scores = self.networks.forward(batch_inputs.view(*places.shape, -1), dropout)
            gradient, sums = _cross_entropy(scores, drawn.targets[:, part], drawn.weights[:, part])
            totals += sums
            self.networks.backward(gradient)
            self._update(epoch * self.rows.batches(size) + batch)
        return totals.numpy()

    def state(self) -> dict[str, Tensor]:
        """Return the tensors on which the next epoch depends, without copying them."""
        return {
            "parameters": self.networks.parameters,
            "first_moment": self.networks.first_moment,
            "second_moment": self.networks.second_moment,
            "mask": self.mask,
            "gradient_mean": self.gradient_mean,
            "gradient_square": self.gradient_square,
        }

    def copy_member(self, k: int, other: HeadBlock, source: int) -> None:
        """Replace member ``k`` by a copy of member ``source`` of ``other``."""
        for mine, theirs in zip(self.state().values(), other.state().values(), strict=True):
            for target, layer in zip(self._layers(mine), other._layers(theirs), strict=True):
                target[k] = layer[source]

    def write_to(self, head: HeadEnsemble, members: slice) -> None:
        """Copy weights, biases and masks to ``members`` of ``head``."""
        for mine, theirs in zip(
            self._layers(self.networks.parameters), [*head.weights, *head.biases], strict=True
        ):
            theirs.data[members] = mine
        for mask, theirs in zip(self.layer_masks, head.masks, strict=True):
            theirs[members] = mask > 0

    def _layers(self, row: Tensor) -> list[Tensor]:
        weights, biases = self.networks.views(row)
        return weights + biases

    def _draw(self, epoch: int) -> _Epoch:
        """Draw all random choices of an epoch."""
        drawn = {seed: self._draw_member(seed, epoch) for seed in dict.fromkeys(self.seeds)}
        order, places, kept = (
            torch.stack(parts) for parts in zip(*(drawn[seed] for seed in self.seeds), strict=True)
        )
        units = list(self.networks.widths[1:-1])
        dropout = list(kept.split_with_sizes(units, dim=2)) if self._dropout > 0 else []
        return _Epoch(places, self.rows.targets[order], self.rows.weights[order], dropout)

    def _draw_member(self, seed: int, epoch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a member's order of rows, their positions in the features, and its dropout.

        The result depends only on the member's seed and the epoch, not on other members or interruptions.
        """
        random = np.random.default_rng([seed, epoch])
        order = random.permutation(len(self.rows))
        orientation = random.integers(0, self.rows.orientations, len(order))
        kept = np.empty(0, dtype=np.float32)
        if self._dropout > 0:
            units = sum(self.networks.widths[1:-1])
            kept = (random.random((len(order), units), dtype=np.float32) >= self._dropout).astype(np.float32)
            kept /= 1 - self._dropout
        places = order + orientation * len(order)
        return torch.from_numpy(order), torch.from_numpy(places), torch.from_numpy(kept)

    @property
    def _dropout(self) -> float:
        return 0.0 if self.schedule is not None else self.config.dropout

    def _update(self, step: int) -> None:
        """Take an Adam step, or a RigL step for members whose connections move at this step (algorithm 1)."""
        networks, schedule, rate = self.networks, self.schedule, self.config.learning_rate
        if schedule is not None and schedule.averages_gradients(step):
            self.gradient_mean.lerp_(networks.gradient, AVERAGING_RATE)
            self.gradient_square.mul_(1 - AVERAGING_RATE).addcmul_(
                networks.gradient, networks.gradient, value=AVERAGING_RATE
            )
        if schedule is None or step < schedule.warmup:
            networks.adam(step + 1, rate)
            return
        due = schedule.due(step)
        moves = self._moves(schedule, step, due) if due else []
        held = (networks.parameters, networks.first_moment, networks.second_moment) if due else ()
        before = [[layer[due] for layer in self._layers(row)] for row in held]
        networks.gradient.mul_(self.mask)
        networks.adam(step + 1, rate)
        for row, saved in zip(held, before, strict=True):
            for layer, values in zip(self._layers(row), saved, strict=True):
                layer[due] = values
        if due:
            self._keep_only(due, [keep for keep, _ in moves])
            for mask, (_, grow) in zip(self.layer_masks, moves, strict=True):
                mask[due] += grow.view(-1, *mask.shape[1:])
        if trimmed := schedule.trimmed(step):
            self._keep_only(trimmed, self._needed(trimmed, schedule.method.trim))

    def _moves(self, schedule: Schedule, step: int, due: list[int]) -> list[tuple[Tensor, Tensor]]:
        """Return the connections that the members in ``due`` keep and grow in each layer, bool (due, weights)."""
        moved = schedule.moved(step, due)
        gradients = [layer[due] for layer in self.networks.weight_gradients]
        if schedule.method.growth == "evidence":
            means = self.networks.views(self.gradient_mean)[0]
            squares = self.networks.views(self.gradient_square)[0]
            gradients = [
                mean[due] / (square[due].sqrt() + 1e-12) for mean, square in zip(means, squares, strict=True)
            ]
        return [
            moved_topology(
                self.networks.weights[layer][due].flatten(1),
                gradients[layer].flatten(1),
                self.layer_masks[layer][due].flatten(1) > 0,
                schedule.active[due, layer],
                moved[:, layer],
            )
            for layer in range(len(gradients))
        ]

    def _needed(self, members: list[int], least: float) -> list[Tensor]:
        """Return the weights whose removal would increase the loss by at least ``least`` nats per crop, per layer.

        The increase is estimated as w^2 F / 2 (optimal brain damage, LeCun et al. 1990), with F the Fisher information.
        F / B is the mean square of the gradient of a batch of B crops once training has settled. If the classes are
        well separated, errors and F vanish and no weight would seem to be needed. The threshold is therefore lowered
        in proportion to the squared error, which is F of the output's bias, down to zero without error. At most a third
        of a member's weights is removed at a time, the least important first, so that the other weights can adapt and
        weights that are important only together are not all removed at once.
        """
        squares, biases = self.networks.views(self.gradient_square)
        size = self.config.batch_size
        error = size * biases[-1][members].sum(1, keepdim=True)
        bar = torch.where(error < NO_ERROR, 0.0, least * (error / USUAL_ERROR).clamp_max(1))
        rises = [
            (size / 2 * weight[members] ** 2 * square[members]).flatten(1)
            for weight, square in zip(self.networks.weights, squares, strict=True)
        ]
        active = torch.cat([mask[members].flatten(1) > 0 for mask in self.layer_masks], 1)
        ordered = torch.cat(rises, 1).masked_fill(~active, torch.inf).sort(1).values
        third = ordered.gather(1, (active.sum(1, keepdim=True) // 3))
        return [(rise >= bar) | (rise >= third) for rise in rises]

    def _keep_only(self, members: list[int], kept: list[Tensor]) -> None:
        """Zero the weights of ``members`` that are not ``kept``, with their masks and moments."""
        networks = self.networks
        rows = (networks.parameters, networks.first_moment, networks.second_moment, self.mask)
        for row in rows:
            for layer, keep in zip(networks.views(row)[0], kept, strict=True):
                layer[members] = torch.where(keep.view(-1, *layer.shape[1:]), layer[members], 0.0)


@dataclass(frozen=True)
class _Epoch:
    """Rows in each member's order: positions (members, n), targets, weights, and dropout factors by layer."""

    places: Tensor
    targets: Tensor
    weights: Tensor
    dropout: list[Tensor]


def _cross_entropy(scores: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient of each member's mean weighted loss, and the sums of losses and correct predictions."""
    if scores.shape[2] == 1:
        probability = torch.sigmoid(scores)
        correct = (scores >= 0) == (targets > 0.5)
        loss = torch.nn.functional.softplus(scores) - targets * scores
    else:
        probability = torch.softmax(scores, 2)
        correct = scores.argmax(2) == targets.argmax(2)
        loss = -(torch.log_softmax(scores, 2) * targets).sum(2, keepdim=True)
    sums = torch.stack([loss.mul_(weights).sum(), correct.sum()]).double()
    return probability.sub_(targets).mul_(weights).div_(scores.shape[1]), sums
