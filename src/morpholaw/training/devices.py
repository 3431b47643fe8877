"""Choice of device, number format and CPU threads, and tuning of memory allocation."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from morpholaw.display import counted
from morpholaw.errors import InputError
from morpholaw.training.cores import CoresLeft, free_cores, most_threads

Network = TypeVar("Network", bound=nn.Module)

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
"""glibc's mallopt parameters M_MMAP_THRESHOLD and M_TRIM_THRESHOLD."""
DEFAULT_BYTES, KEPT_BYTES = 32 << 20, 1 << 30
"""Values for both: the largest that glibc chooses by itself, and one that holds the tensors of a training step."""


def choose_device(name: str = "auto") -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "mps"}
        With "auto": CUDA if available, else Apple's MPS, else the CPU.

    Returns
    -------
    torch.device

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
        raise InputError(f"The device {name!r} is not available; this machine has {present}.")
    return torch.device(name)


def resident(crops: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return crops (n, size, size) as a tensor, on the GPU if they fit in half of its free memory.

    Batches of resident crops are selected on the GPU without copies from the CPU.
    """
    held = torch.from_numpy(np.ascontiguousarray(crops))
    if device.type == "cuda" and held.nbytes <= torch.cuda.mem_get_info(device)[0] / 2:
        return held.to(device)
    return held


def describe_device(device: torch.device) -> str:
    """Return a description of the device for the status line, such as "CUDA (NVIDIA H100)" or "CPU, 2 threads"."""
    if device.type == "cuda":
        return f"CUDA ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    return f"CPU, {counted(torch.get_num_threads(), 'thread')}"


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype of convolutions; "auto" is bfloat16 only if the hardware supports its multiplication."""
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
    """Convert the weights of convolutions to ``memory_format``; channels_last halves the time per step."""
    to: Any = network.to  # torch's stubs do not have this overload
    to(memory_format=memory_format)
    return network


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Use ``count`` threads inside the block.

    Small tensors (heads, RigL) are several times faster on one thread than on two, because OpenMP threads synchronise
    at every operation.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, count))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def shared_threads(fixed: int = 0, processes: int = 1) -> Iterator[Callable[[], int]]:
    """Use only the free CPU cores inside the block; call the returned function at every step.

    On a busy machine, torch's threads wait for each other, and a step on two threads can take several times the CPU
    time of a step on one. The number of threads is therefore adjusted every few seconds, down to one. Where no core is
    free, one thread gets less than a fair share of the CPU. The returned function therefore says into how many parts
    the work may be divided that are done at the same time, on one thread each (see `batch_parts`).

    Parameters
    ----------
    fixed : int
        Fixed number of threads; 0: the free cores, at most OMP_NUM_THREADS if set.
    processes : int
        Number of processes that train together on this machine. With more than one, the number of threads stays as at
        the start, because the processes would count each other as load.
    """
    left, most, parts = CoresLeft(), most_threads(), 1
    with torch_threads(fixed or max(1, min(free_cores() // processes, most))):

        def decide() -> int:
            nonlocal parts
            if (
                not fixed
                and processes == 1
                and (count := left.count(max(parts, torch.get_num_threads()))) is not None
            ):
                torch.set_num_threads(max(1, min(count, most)))
                parts = 1 if count else most
            return parts

        yield decide


@contextmanager
def kept_memory() -> Iterator[None]:
    """Reuse memory that tensors free instead of returning it to the system, inside the block.

    A training step frees and allocates hundreds of MB. Pages that were returned to the system cause 12,000 page faults
    per step, a quarter of its time. This has an effect only on Linux with glibc.
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
