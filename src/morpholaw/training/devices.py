"""Where and how to compute: the device, the number format, CPU threads, and memory between steps."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from morpholaw.errors import InputError
from morpholaw.training.cores import CoresLeft, free_cores, most_threads

Network = TypeVar("Network", bound=nn.Module)

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
"""Parameters of glibc's mallopt: from which size on a block comes from the system, and how much free memory is kept."""
DEFAULT_BYTES, KEPT_BYTES = 32 << 20, 1 << 30
"""Values of both: the largest that glibc chooses by itself, and what holds the tensors of a training step."""


def choose_device(name: str = "auto") -> torch.device:
    """Return a device.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "mps"}
        "auto" is CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    InputError
        If the device is not available on this machine.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available.get(name, False):
        present = ", ".join(kind for kind, there in available.items() if there)
        raise InputError(f"The device {name!r} is not available here; this machine has {present}.")
    return torch.device(name)


def resident(crops: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return crops (n, size, size) where a training reads its batches: on a GPU that has the room, else in memory.

    They may take half of what is free there; a batch is then chosen on the GPU, and nothing is copied to it.
    """
    held = torch.from_numpy(np.ascontiguousarray(crops))
    if device.type == "cuda" and held.nbytes <= torch.cuda.mem_get_info(device)[0] / 2:
        return held.to(device)
    return held


def describe_device(device: torch.device) -> str:
    """Return the device in words, for the status line, e.g. "CUDA (NVIDIA H100)" or "CPU, 2 threads"."""
    if device.type == "cuda":
        return f"CUDA ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    return f"CPU, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype of convolutions; "auto" is bfloat16 only where the hardware multiplies it."""
    if name == "float32":
        return torch.float32
    if name == "bfloat16":
        return torch.bfloat16
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def lay_out(network: Network, memory_format: torch.memory_format) -> Network:
    """Lay out the weights of convolutions in ``memory_format``; channels_last halves the time of a step."""
    to: Any = network.to  # torch's stubs do not have this overload
    to(memory_format=memory_format)
    return network


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Compute on ``count`` threads inside the block.

    Small tensors (heads, RigL) are several times faster on one thread than on two, because OpenMP's threads wait for
    one another at every tiny operation.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, count))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def shared_threads(fixed: int = 0, processes: int = 1) -> Iterator[Callable[[], None]]:
    """Compute on the cores that nothing else keeps busy inside the block; call what is returned at every step.

    On a machine that gets busy, threads wait for one another: two of them then take a step in several times the CPU
    seconds of one. So their number is decided again every few seconds, down to one.

    Parameters
    ----------
    fixed : int
        The number of threads; 0: the cores that are free, at most OMP_NUM_THREADS where that is set.
    processes : int
        Processes that train together on this machine. If there are several, the number stays as it was at the start,
        since each would take the others for somebody else's.
    """
    left = CoresLeft()
    most = most_threads()
    with torch_threads(fixed or max(1, min(free_cores() // processes, most))):

        def decide() -> None:
            if not fixed and processes == 1 and (count := left.count()) is not None:
                torch.set_num_threads(min(count, most))

        yield decide


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep the memory that tensors free for the next ones, inside the block.

    A training step frees and allocates hundreds of MB; pages that are returned to the system come back one page fault
    at a time, 12,000 per step, a quarter of its time. Linux with glibc only; elsewhere this does nothing.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    for threshold in (MMAP_THRESHOLD, TRIM_THRESHOLD):
        library.mallopt(threshold, KEPT_BYTES)
    try:
        yield
    finally:
        for threshold in (MMAP_THRESHOLD, TRIM_THRESHOLD):
            library.mallopt(threshold, DEFAULT_BYTES)
        library.malloc_trim(0)
