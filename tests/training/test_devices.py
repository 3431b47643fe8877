"""The memory that a training keeps between its steps."""

import ctypes
import sys

import psutil
import pytest
import torch

from morpholaw.training.devices import kept_memory

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc"
)
MB = 1 << 20


def step():
    """Take and free 64 MB, in tensors as large as a training step's."""
    tensors = [torch.ones(8 * MB // 4) for _ in range(8)]
    del tensors


def test_a_step_finds_the_memory_of_the_step_before():
    with kept_memory():
        for _ in range(3):
            step()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        step()
        assert (
            resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 200
        )  # pages of 4 KB; 64 MB are 16,000


def test_the_memory_is_given_back_in_the_end():
    process = psutil.Process()
    with kept_memory():
        for _ in range(3):
            step()
        kept = process.memory_info().rss
    assert process.memory_info().rss < kept - 32 * MB
