"""The memory that a training keeps between its steps."""

import ctypes
import sys

import psutil
import pytest
import torch

from morpholaw.training.devices import kept_memory

MB = 1 << 20


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc"
)
def test_what_tensors_free_is_kept_inside_the_block_and_given_back_after_it():
    process = psutil.Process()
    with kept_memory():
        for _ in range(3):
            blocks = [torch.ones(8 * MB // 4) for _ in range(8)]  # 64 MB, as a training step takes them
            del blocks
        kept = process.memory_info().rss
    assert process.memory_info().rss < kept - 32 * MB
