"""Functions called in the process that keeps torch: they answer, report, fail in a sentence, and end with the window.

Only what can be imported by name runs there, so that the functions here are the standard library's and the panels' own.
"""

from __future__ import annotations

import functools
import math
import os
import signal
import threading
import time

import numpy as np
import psutil
import pytest

from morpholaw.errors import InputError, StepFailedError
from morpholaw.events import Monitor, Progress
from morpholaw.models.law import Law
from morpholaw.study import Study
from morpholaw.widgets.jobs.live_process import LiveProcess
from morpholaw.widgets.laws.cells_and_surface import cells_and_surface
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.encoder_state import EncoderFile, encoder_of


@pytest.fixture
def live():
    live = LiveProcess()
    yield live
    live.close()


start_worker = functools.partial(
    eval, "(lambda os, time: os.fork() or time.sleep(600))(*map(__import__, ('os', 'time')))"
)
"""A call that leaves a process behind which holds the pipes of its parent; returns its id."""


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.fresh
def test_it_is_another_process_that_stays(live):
    assert not live.running
    first = live.call(os.getpid)
    assert first == live.pid != os.getpid()
    assert live.call(os.getpid) == first


def test_a_failure_is_a_sentence_and_the_next_call_works(live):
    with pytest.raises(StepFailedError, match="ValueError"):
        live.call(math.sqrt, -1)
    with pytest.raises(InputError, match="nowhere"):
        live.call(encoder_of, EncoderFile("/nowhere", 0))
    assert live.call(math.sqrt, 4) == 2


def test_it_is_started_again_after_its_end(live):
    pid = live.call(os.getpid)
    live.close()
    assert gone(pid)
    assert live.call(os.getpid) != pid


def test_a_call_that_is_cut_off_says_so_and_one_that_waited_starts_no_other_process(live):
    live.call(os.getpid)
    errors = []

    def sleep():
        with pytest.raises(StepFailedError, match="was ended") as caught:
            live.call(time.sleep, 60)
        errors.append(caught.value)

    threads = [threading.Thread(target=sleep) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    live.close()
    for thread in threads:
        thread.join(10)
    assert len(errors) == 2
    assert not live.running


def test_a_killed_process_is_noticed_although_a_worker_of_it_holds_the_pipe(live):
    leader = live.call(os.getpid)
    worker = live.call(start_worker)
    raised = []

    def sleep():
        with pytest.raises(StepFailedError, match="was ended"):
            live.call(time.sleep, 60)
        raised.append(time.monotonic())

    thread = threading.Thread(target=sleep)
    thread.start()
    time.sleep(0.3)
    killed = time.monotonic()
    os.kill(leader, signal.SIGKILL)
    thread.join(10)
    assert raised[0] - killed < 2
    while not gone(worker):
        assert time.monotonic() - killed < 2
        time.sleep(0.02)
    assert live.call(math.sqrt, 4) == 2


@pytest.mark.fresh
def test_torch_is_there_and_qt_is_not(live, trained_study):
    live.call(encoder_of, EncoderFile.of(Study.open(trained_study)))
    there = live.call(functools.partial(eval, "set(__import__('sys').modules)"))
    assert "torch" in there
    assert not {"qtpy", "napari"} & there


def test_events_and_a_stop_cross_to_the_window(live, trained_study):
    (latents,) = (trained_study / "latents").iterdir()
    for kept in latents.glob("*.npy"):
        kept.unlink()
    events = []
    law = Law.parse("z0 - 0.1", ["z0"])
    found = live.call(
        cells_and_surface, str(trained_study), law, (2, 1, 0), np.zeros(6), monitor=Monitor(events.append)
    )
    assert len(found.points) == 240
    assert any(isinstance(event, Progress) for event in events)
    assert np.allclose(found.vertices[:, 2], 0.1)


@pytest.mark.fresh
def test_it_ends_with_the_study_of_its_viewer():
    current = CurrentStudy()
    pid = current.live.call(os.getpid)
    del current
    assert gone(pid)
