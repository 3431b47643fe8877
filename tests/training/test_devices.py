"""The memory that a training keeps between its steps."""

import ctypes
import sys

import pytest
import torch

from morpholaw.training.devices import kept_memory

glibc = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc"
)


def page_faults_of_a_large_tensor():
    import resource

    torch.ones(16_000_000)  # 64 MB, once before it is counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@glibc
def test_memory_is_kept_inside_the_block_and_given_back_after_it():
    with kept_memory():
        kept = page_faults_of_a_large_tensor()
    assert kept < page_faults_of_a_large_tensor() / 4  # of 4 KB or, where the system prefers them, 2 MB
