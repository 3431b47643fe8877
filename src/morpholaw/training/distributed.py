"""Several processes that train one network: started by ``torchrun``, which tells each its rank and their number.

Without it there is one process, rank 0 of 1, and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
import torch.distributed as dist
from torch import Tensor

from morpholaw.events import Monitor
from morpholaw.training.devices import choose_device
from morpholaw.training.leader import leads

__all__ = ["agreed", "gather", "joined", "leads", "local_processes", "rank", "summed", "world_size"]


@contextmanager
def joined(device: str = "auto") -> Iterator[None]:
    """Inside the block this process belongs to the group that ``torchrun`` started, if it started one.

    Each process of a machine computes on a GPU of its own; gradients travel by NCCL there and by Gloo between
    processors.
    """
    if (
        int(os.environ.get("WORLD_SIZE", "1")) == 1
        or "MASTER_ADDR" not in os.environ
        or dist.is_initialized()
    ):
        yield
        return
    on_gpu = choose_device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def world_size() -> int:
    """Processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this one is."""
    return dist.get_rank() if dist.is_initialized() else 0


def local_processes() -> int:
    """Processes of the group on this machine, which share its cores."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if dist.is_initialized() else 1


def gather(own: Tensor) -> Tensor:
    """The batches of all processes (k, n, ...), joined along the second axis in the order of the ranks.

    The gradient of the result comes back to the process that gave each part, summed over all processes.
    """
    if world_size() == 1:
        return own
    from torch.distributed.nn.functional import all_gather

    return torch.cat(all_gather(own), dim=1)


def summed(value: Tensor) -> Tensor:
    """The sum of a number over all processes; no gradient."""
    if world_size() > 1:
        value = value.clone()
        dist.all_reduce(value)
    return value


def agreed(monitor: Monitor) -> Monitor:
    """A monitor that stops when any process was asked to stop: all of them must leave at the same step."""
    if world_size() == 1:
        return monitor
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    return replace(
        monitor,
        should_stop=lambda: bool(summed(torch.tensor(float(monitor.should_stop()), device=device)) > 0),
    )
