"""Batches for encoder training: crops in random orientations, some with swapped surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from morpholaw.config import EncoderConfig
from morpholaw.training.augment import CellMasks, exchange_surroundings, orient_batch, other_surroundings
from morpholaw.training.devices import resident
from morpholaw.training.distributed import rank, world_size
from morpholaw.training.encoding import Images
from morpholaw.training.shape_objective import ShapeObjective


@dataclass(frozen=True)
class Batch:
    """The part of a batch that one process trains on.

    Attributes
    ----------
    images : Tensor
        Target images in random orientations, float32 (batch / processes, 1, size, size) in [0, 1], on the device.
    order : Tensor
        Position in the batch's index of each crop of the whole batch, int64 (batch,).
    cells : Tensor or None
        Masks of the central cells, bool, of the shape of ``images``; None unless surroundings are swapped.
    generator : torch.Generator
        Source of randomness of this process.
    shapes : Tensor
        Measured shapes, float32 (batch / processes, shapes); no columns without shape loss.
    """

    images: Tensor
    order: Tensor
    cells: Tensor | None
    generator: torch.Generator
    shapes: Tensor


class BatchLoader:
    """Loads the batches of a training.

    Parameters
    ----------
    images : Images
        Crops, uint8 (n, size, size).
    config : EncoderConfig
        Training settings.
    device : torch.device
        Device for the batches.
    shapes : ShapeObjective or None
        The shape loss, if there is one.
    """

    def __init__(
        self, images: Images, config: EncoderConfig, device: torch.device, shapes: ShapeObjective | None
    ) -> None:
        self.images, self.config, self.device, self.shapes = images, config, device, shapes
        size = images[0:1].shape[-1]
        self.masks = CellMasks(len(images), size) if config.swap or config.split else None
        in_memory = device.type == "cuda" and self.masks is None and isinstance(images, np.ndarray)
        self.resident = resident(np.asarray(images), device) if in_memory else None

    def load(self, index: np.ndarray, generator: torch.Generator, step: int, plain: bool) -> Batch:
        """Return this process's part of a batch.

        Parameters
        ----------
        index : ndarray
            Numbers of the crops in the whole batch, int64 (batch,).
        generator : torch.Generator
            Source of randomness, in the same state in every process.
        step : int
            Number of the training step.
        plain : bool
            Whether to leave all crops in their surroundings.

        Returns
        -------
        Batch
        """
        config, total, part = self.config, len(index), part_of(len(index))
        order = torch.randperm(total, generator=generator) if config.augment else torch.arange(total)
        numbers = index[order[part].numpy()]
        if self.resident is not None:
            crops = self.resident[self.on_device(torch.from_numpy(numbers))]
        else:
            crops = torch.from_numpy(np.array(self.images[numbers]))
        swapped = config.swap > 0 and not plain
        masks = None
        if self.masks is not None and (config.split or swapped):
            masks = self.masks.of(numbers, crops.numpy())
        shapes = torch.empty(len(crops), 0) if self.shapes is None else self.shapes.of(numbers)
        if config.augment:
            crops = orient_batch(crops, part.start, total)
            masks = None if masks is None else orient_batch(masks, part.start, total)
        images = self.on_device(crops).unsqueeze(1).float().div_(255)
        if config.gain_jitter:
            gain = torch.randn(total, 1, 1, 1, generator=generator).mul_(config.gain_jitter).exp_()
            images = (images * self.on_device(gain[part])).clamp_(0, 1)
        cells = None if masks is None else self.on_device(masks.unsqueeze(1))
        local = torch.Generator().manual_seed((config.seed * 1_000_003 + step) * 1_009 + rank())
        if swapped and cells is not None:
            images = swapped_cells(images, cells, config.swap, local)
        images = images.to(memory_format=torch.channels_last)
        return Batch(images, order, cells, local, self.on_device(shapes))

    def on_device(self, tensor: Tensor) -> Tensor:
        """Copy a tensor to the device if it is elsewhere, without making a GPU wait."""
        if self.device.type == "cuda" and not tensor.is_cuda:
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)


def part_of(total: int) -> slice:
    """Return this process's slice of a batch of ``total`` crops."""
    share = total // world_size()
    return slice(rank() * share, (rank() + 1) * share)


def swapped_cells(images: Tensor, cells: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Swap the surroundings of a share of the crops, with random changes of brightness.

    Parameters
    ----------
    images : Tensor
        (n, 1, size, size) in [0, 1].
    cells : Tensor
        Masks of the central cells, bool, of the shape of ``images``.
    share : float
        Share of the crops to change.
    generator : torch.Generator
        Source of randomness, on the CPU.

    Returns
    -------
    Tensor
        (n, 1, size, size) in [0, 1].
    """
    count = len(images)
    shift = int(torch.randint(1, max(2, count), (), generator=generator))
    # Chosen on the CPU and copied, so that a GPU does not have to synchronise.
    chosen = torch.nonzero(torch.rand(count, generator=generator) < share)[:, 0]
    donors = (chosen - shift) % count
    chosen, donors = (places.to(images.device, non_blocking=True) for places in (chosen, donors))
    exchanged = other_surroundings(images[chosen], cells[chosen], images[donors], cells[donors], generator)
    return images.index_copy(0, chosen, exchanged)


def mixed(batch: Batch) -> tuple[Tensor, Tensor]:
    """Swap the surroundings of half of the crops; return the crops and the position of each donor in the batch."""
    assert batch.cells is not None
    count, generator, device = len(batch.images), batch.generator, batch.images.device
    shift = int(torch.randint(1, max(2, count), (), generator=generator))
    places = torch.arange(count, device=device)
    exchange = (torch.rand(count, generator=generator) < 0.5).to(device)
    others = torch.where(exchange, places.roll(shift), places)
    exchanged = exchange_surroundings(
        batch.images, batch.cells, batch.images[others], batch.cells[others], generator
    )
    same = (others == places).view(-1, 1, 1, 1)
    return torch.where(same, batch.images, exchanged), others
