"""Training of one network by several processes that ``torchrun`` started.

Without ``torchrun`` there is one process, of rank 0, and the functions here do nothing. torch is imported inside the
functions, because `is_main_process` is called before torch is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from morpholaw.events import Monitor

if TYPE_CHECKING:
    from torch import Tensor


def is_main_process() -> bool:
    """Return whether this process writes to the study: it is the only one, or has rank 0."""
    return not _started_by_torchrun() or int(os.environ.get("RANK", "0")) == 0


@contextmanager
def process_group(device: str = "auto") -> Iterator[None]:
    """Join the process group of ``torchrun`` inside the block, if there is one.

    Each process of a machine uses its own GPU. Gradients are exchanged with NCCL between GPUs and Gloo between CPUs.

    Parameters
    ----------
    device : str
        Device, as for `training.devices.choose_device`.
    """
    import torch
    import torch.distributed as dist

    from morpholaw.training.devices import choose_device

    if not _started_by_torchrun() or dist.is_initialized():
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
    """Return the number of processes that train together."""
    import torch.distributed as dist

    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return the rank of this process in its group."""
    import torch.distributed as dist

    return dist.get_rank() if dist.is_initialized() else 0


def local_world_size() -> int:
    """Return the number of processes of the group on this machine, which share its cores."""
    import torch.distributed as dist

    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if dist.is_initialized() else 1


def gather(batch: Tensor) -> Tensor:
    """Concatenate the batches (k, n, ...) of all processes along the second axis, in the order of ranks.

    Gradients of the result flow back to the process that contributed each part, summed over all processes.
    """
    if world_size() == 1:
        return batch
    import torch
    from torch.distributed.nn import functional

    all_gather: Any = functional.all_gather  # untyped
    return torch.cat(all_gather(batch), dim=1)


def all_reduce_sum(value: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes, without gradient."""
    if world_size() == 1:
        return value
    import torch.distributed as dist

    value = value.clone()
    dist.all_reduce(value)
    return value


def synchronised(monitor: Monitor) -> Monitor:
    """Return a monitor that stops all processes at the same step if any of them is asked to stop."""
    if world_size() == 1:
        return monitor
    import torch
    import torch.distributed as dist

    device = "cuda" if dist.get_backend() == "nccl" else "cpu"

    def should_stop() -> bool:
        return bool(all_reduce_sum(torch.tensor(float(monitor.should_stop()), device=device)) > 0)

    return replace(monitor, should_stop=should_stop)


def _started_by_torchrun() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "MASTER_ADDR" in os.environ
