"""Steps run beside the window: they report, stop, fail in a sentence, outlive their panel and end with the window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import psutil
import pytest
import tifffile
from napari.utils import progress
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QMessageBox, QVBoxLayout, QWidget

from morpholaw.cells.simulator import simulate_crops
from morpholaw.config import CropConfig
from morpholaw.errors import InputError, NoSpaceError
from morpholaw.events import Message, Metrics, Progress
from morpholaw.jobs import Job
from morpholaw.study import Study
from morpholaw.widgets.forms.config_form import ConfigForm
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.study.current_study import CurrentStudy

TINY = {"latents": 4, "filters": (2, 2, 4, 4), "hidden": 8, "batch_size": 32, "device": "cpu", "threads": 1}


@pytest.fixture
def window(qtbot):
    """Its own fixture, since a runner does not keep the window that it is in."""
    window = QWidget()
    QVBoxLayout(window)
    qtbot.addWidget(window, before_close_func=lambda _: window.findChild(JobRunner).close_down())
    return window


@pytest.fixture
def runner(window):
    runner = JobRunner(CurrentStudy(), "cells")
    window.layout().addWidget(runner)
    window.show()
    return runner


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def long_job(study) -> Job:
    return Job("train_encoder", str(study), {**TINY, "epochs": 1000})


def wait_for_training(qtbot, runner):
    seen = []
    runner.reported.connect(seen.append)
    qtbot.waitUntil(lambda: any(isinstance(event, Metrics) for event in seen), timeout=60_000)
    return seen


@pytest.mark.fresh
def test_a_job_reports_and_its_result_is_announced(qtbot, runner, labelled_study):
    runner.current.open(labelled_study)
    told, seen = [], []
    runner.current.encoder_changed.connect(lambda: told.append("encoder"))
    runner.reported.connect(seen.append)
    with qtbot.waitSignal(runner.finished, timeout=60_000) as done:
        runner.start(Job("train_encoder", str(labelled_study), {**TINY, "epochs": 1, "epoch_crops": 64}))
        assert "Train encoder" in runner.status.text()
        assert [bar.desc for bar in progress._all_instances] == ["Train encoder"]  # the activity dock
        assert runner.stop_button.isVisible()
    assert done.args[0]["complete"] is True
    assert any(isinstance(event, Progress) for event in seen)
    assert told == ["encoder"]
    assert runner.current.study.has_encoder
    assert not progress._all_instances
    assert not runner.running
    assert not runner.stop_button.isVisible()


def test_stop_keeps_the_model_and_returns_in_two_seconds(qtbot, runner, labelled_study):
    runner.current.open(labelled_study)
    runner.start(long_job(labelled_study))
    wait_for_training(qtbot, runner)
    qtbot.waitUntil(lambda: " of " in runner.status.text())  # how far it is comes right after the losses
    began = time.monotonic()
    with qtbot.waitSignal(runner.finished, timeout=20_000) as done:
        runner.stop_button.click()
        assert runner.status.text() == "Stopping..."
    assert time.monotonic() - began < 2
    assert done.args[0]["complete"] is False
    assert runner.current.study.has_encoder
    assert runner.current.study.can_resume


@pytest.mark.fresh  # it is still importing when it is stopped
def test_stop_before_the_step_began_returns_at_once(qtbot, runner, labelled_study):
    runner.start(long_job(labelled_study))
    began = time.monotonic()
    with qtbot.waitSignal(runner.finished, timeout=20_000) as done:
        runner.stop_button.click()
    assert time.monotonic() - began < 2
    assert done.args[0] == {"complete": False}
    assert not Study.open(labelled_study).has_encoder


def test_a_table_comes_back_as_it_was_made(qtbot, runner, trained_study):
    with qtbot.waitSignal(runner.finished, timeout=60_000) as done:
        runner.start(Job("classify", str(trained_study), {}, {"scheme": 2}), table=True)
    pd.testing.assert_frame_equal(
        done.args[0]["table"], Study.open(trained_study).classify(2), check_dtype=False, rtol=1e-5
    )


def test_what_a_job_needs_of_the_window_is_written_for_it_and_goes_with_it(qtbot, runner, trained_study):
    made = []

    def files(folder):
        made.append(folder)
        images, _ = simulate_crops(3, seed=1)
        (folder / "crops").mkdir()
        for number, image in enumerate(images):
            tifffile.imwrite(folder / "crops" / f"{number}.tif", image)
        return {"crops": str(folder / "crops")}

    with qtbot.waitSignal(runner.finished, timeout=60_000) as done:
        job = Job("classify", str(trained_study), {}, {"scheme": 2})
        runner.start(job, table=True, files=files)
    assert len(done.args[0]["table"]) == 3
    assert not made[0].exists()


def test_closing_the_window_ends_the_process(qtbot, runner, labelled_study):
    runner.start(long_job(labelled_study))
    qtbot.waitUntil(lambda: runner.pid is not None, timeout=10_000)
    pid = runner.pid
    runner.window().close()
    qtbot.waitUntil(lambda: gone(pid), timeout=5000)
    assert not runner.running


def test_closing_asks_and_no_keeps_the_window_and_the_job(qtbot, runner, labelled_study, monkeypatch):
    asked = []
    monkeypatch.setattr(
        QMessageBox, "question", lambda *a: asked.append(a[2]) or QMessageBox.StandardButton.No
    )
    runner.start(long_job(labelled_study))
    assert not runner.window().close()
    assert "still running" in asked[0]
    assert runner.running
    assert runner.window().isVisible()


def test_bad_input_is_one_sentence(qtbot, runner, labelled_study):
    with qtbot.waitSignal(runner.failed, timeout=60_000) as failed:
        runner.start(Job("train_encoder", str(labelled_study), {**TINY, "start_from": "/nowhere"}))
    assert "nowhere" in failed.args[0]
    assert runner.error_line.text() == failed.args[0]
    assert not runner.running


def test_a_second_step_waits_for_the_first(qtbot, runner, labelled_study):
    runner.start(long_job(labelled_study))
    qtbot.waitUntil(lambda: runner.pid is not None, timeout=10_000)
    first = runner.pid
    runner.start(long_job(labelled_study))
    assert runner.pid == first
    assert "still running" in runner.error_line.text()
    with qtbot.waitSignal(runner.finished, timeout=20_000):
        runner.stop()
    assert runner.error_line.text() == ""  # the step that was in the way has ended


def test_a_step_that_another_panels_step_keeps_from_the_study_is_told_which(qtbot, runner, labelled_study):
    other = JobRunner(runner.current, "laws")
    qtbot.addWidget(other, before_close_func=lambda other: other.close_down())
    runner.start(long_job(labelled_study))
    wait_for_training(qtbot, runner)
    with qtbot.waitSignal(other.failed, timeout=60_000) as failed:
        other.start(long_job(labelled_study))
    assert failed.args == ["Train encoder is still working on the study; wait for it, or stop it."]
    assert other.error_line.text() == failed.args[0]
    with qtbot.waitSignal(runner.finished, timeout=20_000):
        runner.stop()


def test_a_function_runs_in_a_thread_and_can_be_stopped(qtbot, runner):
    def count(upto, monitor):
        for number in range(upto):
            monitor.emit(Progress(number, upto, "count"))
            monitor.emit(Message(f"at {number}"))
            time.sleep(0.01)
            if monitor.should_stop():
                return number
        return upto

    with qtbot.waitSignal(runner.finished, timeout=5000) as done:
        runner.run("count", count, 3)
    assert done.args[0] == {"result": 3}
    with qtbot.waitSignal(runner.finished, timeout=5000) as done:
        runner.run("count", count, 10_000)
        qtbot.waitUntil(lambda: "at" in runner.status.text(), timeout=5000)
        runner.stop()
    assert done.args[0]["result"] < 10_000
    assert done.args[0]["complete"] is False


@pytest.mark.parametrize("error", [InputError("The movie is 3D."), ZeroDivisionError("division by zero")])
def test_a_function_that_fails_says_so_in_a_sentence(qtbot, runner, error):
    def fail(monitor):
        raise error

    with qtbot.waitSignal(runner.failed, timeout=5000) as failed:
        runner.run("look", fail)
    assert str(error) in failed.args[0]
    assert str(error) in runner.error_line.text()


@pytest.fixture
def main_window(qtbot):
    """A window like napari's, which panels are docked in and taken out of."""
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    return window


def open_panel(window, current):
    """Dock a panel with a runner, as napari does."""
    panel = QWidget()
    layout = QVBoxLayout(panel)
    runner = JobRunner(current, "encoder", panel)
    layout.addWidget(runner)
    dock = QDockWidget(window)
    dock.setWidget(panel)
    window.addDockWidget(window.dockWidgetArea(dock), dock)
    dock.show()
    return dock, runner


def test_messages_of_a_step_are_shown_in_the_words_of_the_panel(qtbot, runner):
    """What a step says and why it fails names the fields of the form, not options of the command."""
    form = ConfigForm(CropConfig)
    qtbot.addWidget(form)
    said = []
    runner.reported.connect(lambda event: said.append(event.text))

    def step(monitor):
        monitor.emit(Message("The pixel size is not known; state it with --pixel-size.", "warning"))
        raise InputError("The pixel size is not known; state it with --pixel-size.")

    with qtbot.waitSignal(runner.failed, timeout=5000) as failed:
        runner.run("cut crops", step, in_words=form.by_labels)
    assert said == ['The pixel size is not known; state it with "Pixel size".']
    assert failed.args == said
    assert runner.error_line.text() == said[0]


def test_a_step_outlives_its_panel_and_a_panel_opened_again_shows_it(qtbot, main_window, labelled_study):
    current = CurrentStudy()
    current.open(labelled_study)
    changed = []
    current.encoder_changed.connect(lambda: changed.append("encoder"))
    dock, runner = open_panel(main_window, current)
    runner.start(long_job(labelled_study))
    wait_for_training(qtbot, runner)
    pid = runner.pid
    assert dock.close()  # asks nothing and ends nothing
    dock.setParent(None)
    dock.deleteLater()
    qtbot.wait(50)
    assert not gone(pid)
    _, runner = open_panel(main_window, current)
    assert runner.running
    assert runner.pid == pid
    assert runner.stop_button.isVisible()
    with qtbot.waitSignal(runner.finished, timeout=20_000) as done:
        runner.stop_button.click()
    assert done.args[0]["complete"] is False
    assert changed == ["encoder"]


def test_a_step_without_a_panel_is_announced_when_it_ends(qtbot, main_window, labelled_study):
    current = CurrentStudy()
    current.open(labelled_study)
    dock, runner = open_panel(main_window, current)
    runner.start(Job("train_encoder", str(labelled_study), {**TINY, "epochs": 1, "epoch_crops": 64}))
    dock.close()
    dock.setParent(None)
    dock.deleteLater()
    del dock, runner
    changed = []
    current.encoder_changed.connect(lambda: changed.append("encoder"))
    qtbot.waitUntil(lambda: changed == ["encoder"], timeout=60_000)


def test_the_window_ends_a_step_whose_panel_was_closed(qtbot, main_window, labelled_study):
    current = CurrentStudy()
    dock, runner = open_panel(main_window, current)
    runner.start(long_job(labelled_study))
    qtbot.waitUntil(lambda: runner.pid is not None, timeout=10_000)
    pid = runner.pid
    dock.close()
    dock.setParent(None)
    dock.deleteLater()
    main_window.close()
    qtbot.waitUntil(lambda: gone(pid), timeout=5000)
    assert not current.steps.running


def test_no_thread_outlives_the_window_that_began_it(qtbot, main_window):
    current = CurrentStudy()
    _, runner = open_panel(main_window, current)
    call, began, ended = LatestCall(runner), threading.Event(), []

    def compute():
        began.set()
        time.sleep(0.3)
        ended.append(time.monotonic())

    call.start(compute)
    qtbot.waitUntil(began.is_set)
    main_window.close()
    assert ended


LEADER = """
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print('{"event": "Message", "text": "worker %d", "level": "info"}' % worker.pid, flush=True)
time.sleep(600)
"""


def test_a_step_whose_process_is_killed_says_so_and_its_workers_end(qtbot, runner, tmp_path, monkeypatch):
    real = subprocess.Popen

    def leader(command, **options):  # workers that hold the pipes of a leader that is gone
        return real([sys.executable, "-c", LEADER], **options)

    monkeypatch.setattr("morpholaw.job_process.subprocess.Popen", leader)
    messages = []
    runner.reported.connect(lambda event: messages.append(event.text))
    runner.start(Job("discover_law", str(tmp_path)))
    qtbot.waitUntil(lambda: bool(messages), timeout=20_000)
    worker = int(messages[0].split()[1])
    with qtbot.waitSignal(runner.failed, timeout=2000) as failed:
        os.kill(runner.pid, signal.SIGKILL)
    assert "signal 9" in failed.args[0]
    assert runner.error_line.text() == failed.args[0]
    qtbot.waitUntil(lambda: gone(worker), timeout=1000)


def ended_by(qtbot, runner, step) -> str:
    """Run a function, press Stop once it has begun, and return the status at its end."""
    begun, go_on, ends = threading.Event(), threading.Event(), []
    for end in (runner.finished, runner.failed):
        end.connect(lambda *values: ends.append(values))
    runner.run("count", step, begun, go_on)
    qtbot.waitUntil(begun.is_set, timeout=5000)
    qtbot.mouseClick(runner.stop_button, Qt.MouseButton.LeftButton)
    go_on.set()
    qtbot.waitUntil(lambda: len(ends) > 0, timeout=5000)
    assert len(ends) == 1
    assert not runner.running
    return runner.status.text()


def test_a_step_that_ended_before_it_saw_the_stop_is_done(qtbot, runner):
    def count(begun, go_on, monitor):
        begun.set()
        go_on.wait()
        return 7

    assert ended_by(qtbot, runner, count) == "Count: done before it could be stopped."
    assert runner.current.steps.at("cells").values == {"result": 7}


def test_a_stopped_step_says_what_became_of_its_result(qtbot, runner):
    def count(begun, go_on, monitor):
        monitor.emit(Message("Counting sheep."))
        begun.set()
        go_on.wait()
        assert monitor.should_stop()
        raise InterruptedError("No sheep were kept.")

    assert ended_by(qtbot, runner, count) == "Count: stopped. No sheep were kept."


def test_an_error_while_stopping_is_not_taken_for_the_stop(qtbot, runner):
    def count(begun, go_on, monitor):
        begun.set()
        go_on.wait()
        raise NoSpaceError("The disk is full.")

    assert ended_by(qtbot, runner, count) == "Count: failed."
    assert runner.error_line.text() == "The disk is full."


def test_the_result_of_a_step_stays_with_its_study(qtbot, runner, labelled_study, tmp_path):
    current, told, finished = runner.current, [], []
    current.open(labelled_study)
    go_on = threading.Event()

    def count(monitor):
        monitor.emit(Progress(1, 2, "count"))
        go_on.wait()
        return 7

    runner.finished.connect(finished.append)
    with qtbot.waitSignal(runner.failed, timeout=5000):
        runner.run("count", count)
        qtbot.waitUntil(lambda: "1 of 2" in runner.status.text(), timeout=5000)
        current.create(tmp_path / "other")
        assert runner.status.text() == "In the study labelled: Count, 1 of 2"
        runner.reported.connect(told.append)
        go_on.set()
    assert (told, finished) == ([], [])
    assert runner.status.text() == "In the study labelled: Count: done."
    assert runner.error_line.text() == ""
