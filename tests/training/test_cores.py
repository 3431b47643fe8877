import os

import psutil
import pytest
import torch

from morpholaw.training import cores
from morpholaw.training.cores import CoresLeft, free_cores
from morpholaw.training.devices import shared_threads


def test_free_cores_are_some_but_not_more_than_there_are():
    assert 1 <= free_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(("busy", "free"), [(0, 4), (20, 3), (50, 2), (100, 1)])
def test_what_others_do_now_is_left_to_them(monkeypatch, busy, free):
    monkeypatch.setattr(cores, "available_cores", lambda: 4)
    monkeypatch.setattr(psutil, "cpu_count", lambda: 4)
    monkeypatch.setattr(psutil, "cpu_percent", lambda seconds: busy)
    assert free_cores() == free


@pytest.fixture
def clock(monkeypatch):
    """Time, and the CPU seconds of all processes and of this one, as a test sets them; four cores."""
    now = {"time": 0.0, "busy": 0.0, "own": 0.0}
    monkeypatch.setattr(cores, "available_cores", lambda: 4)
    monkeypatch.setattr(cores, "_work_done", lambda: tuple(now.values()))
    return now


def test_cores_are_counted_again_without_what_this_process_does(clock):
    left = CoresLeft()
    clock.update(time=1, busy=4, own=4)
    assert left.count() is None  # too soon
    clock.update(time=10, busy=40, own=40)
    assert left.count() == 4
    clock.update(time=20, busy=80, own=50)
    assert left.count() == 1
    clock.update(time=30, busy=110, own=70)
    assert left.count() == 3


@pytest.mark.parametrize(("waiting", "threads"), [(3, 1), (4, 1), (8, 1), (2, 4), (4, 4), (16, 4)])
def test_processes_that_wait_for_a_core_are_counted_by_what_a_thread_gets(clock, waiting, threads):
    left = CoresLeft()
    share = min(1.0, 4 / (waiting + threads))
    clock.update(time=10, busy=10 * share * (waiting + threads), own=10 * share * threads)
    assert left.count(threads) == max(0, 4 - waiting)


@pytest.mark.parametrize(("fixed", "processes", "expected"), [(0, 1, 1), (2, 1, 2), (0, 2, 2)])
def test_a_training_takes_fewer_threads_when_others_begin(clock, monkeypatch, fixed, processes, expected):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("morpholaw.training.devices.free_cores", lambda: 4)
    before = torch.get_num_threads()
    with shared_threads(fixed, processes) as decide:
        assert torch.get_num_threads() == (fixed or 4 // processes)
        clock.update(time=10, busy=40, own=5)
        decide()
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("stated", "expected"), [("1", 1), ("3", 3), ("64", 4), ("", 4), ("all", 4)])
def test_a_training_takes_no_more_threads_than_its_environment_allows(clock, monkeypatch, stated, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    monkeypatch.setattr("morpholaw.training.devices.free_cores", lambda: 4)
    with shared_threads() as decide:
        assert torch.get_num_threads() == expected
        clock.update(time=10, busy=0, own=0)
        decide()
        assert torch.get_num_threads() == expected
