"""Where and how to compute: the device, the number format, the processor threads and the memory between steps."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from morpholaw.errors import InputError


def choose_device(name: str = "auto") -> torch.device:
    """The device called ``name``; "auto" is CUDA, else Apple's MPS, else the processor.

    Raises
    ------
    InputError
        When the device asked for is not on this machine.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available.get(name, False):
        found = ", ".join(kind for kind, there in available.items() if there)
        raise InputError(f"The device {name!r} is not available here; this machine has {found}.")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """The device in words, for the status line, e.g. "CUDA (NVIDIA H100)" or "processor, 2 threads"."""
    if device.type == "cuda":
        return f"CUDA ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    return f"processor, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The dtype of convolutions: for "auto", bfloat16 only where the hardware multiplies it."""
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


Network = TypeVar("Network", bound=nn.Module)


def lay_out(network: Network, memory_format: torch.memory_format) -> Network:
    """The network with its convolutions' weights in ``memory_format``; channels_last halves a step's time."""
    return network.to(memory_format=memory_format)  # type: ignore[call-overload]  # torch's stubs lack it


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Compute on ``count`` threads inside the block.

    Small tensors (heads, RigL) are several times faster on one thread than on two, because OpenMP's
    threads wait for one another at every tiny operation.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, count))
    try:
        yield
    finally:
        torch.set_num_threads(before)


MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
"""What glibc's mallopt calls the size from which a block comes from the system, and the free memory it gives back."""
USUAL, KEPT = 32 << 20, 1 << 30
"""Bytes of both: the most that glibc chooses by itself, and what holds the tensors of a training step."""


@contextmanager
def kept_memory() -> Iterator[None]:
    """Inside the block what tensors free is kept for the next ones.

    A training step frees and takes hundreds of MB; pages that go back to the system meanwhile come again one page
    fault at a time, 12,000 a step, a quarter of its time. Linux with glibc only; elsewhere nothing is done.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    for threshold in (MMAP_THRESHOLD, TRIM_THRESHOLD):
        library.mallopt(threshold, KEPT)
    try:
        yield
    finally:
        for threshold in (MMAP_THRESHOLD, TRIM_THRESHOLD):
            library.mallopt(threshold, USUAL)
        library.malloc_trim(0)
