"""Steps run beside the window: they report, stop, fail in a sentence, and end with it."""

from __future__ import annotations

import os
import time

import pytest
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QMessageBox, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.events import Message, Metrics, Progress
from morpholaw.jobs import Job
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.current_study import CurrentStudy

TINY = {"latents": 4, "filters": (2, 2, 4, 4), "hidden": 8, "batch_size": 32, "device": "cpu", "threads": 1}


@pytest.fixture
def runner(qtbot):
    window = QWidget()
    runner = JobRunner(CurrentStudy())
    QVBoxLayout(window).addWidget(runner)
    qtbot.addWidget(window, before_close_func=lambda _: runner.close_down())
    window.show()
    return runner


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def long_job(study) -> Job:
    return Job("train_encoder", str(study), {**TINY, "epochs": 1000})


def wait_for_training(qtbot, runner):
    seen = []
    runner.reported.connect(seen.append)
    qtbot.waitUntil(lambda: any(isinstance(event, Metrics) for event in seen), timeout=60_000)
    return seen


def test_a_job_reports_and_its_result_is_announced(qtbot, runner, labelled_study):
    runner.current.open(labelled_study)
    told, seen = [], []
    runner.current.encoder_changed.connect(lambda: told.append("encoder"))
    runner.reported.connect(seen.append)
    with qtbot.waitSignal(runner.finished, timeout=60_000) as done:
        runner.start(Job("train_encoder", str(labelled_study), {**TINY, "epochs": 1, "epoch_crops": 64}))
        assert "Train encoder" in runner.status.text()
        assert runner.stop_button.isVisible()
    assert done.args[0]["complete"] is True
    assert any(isinstance(event, Progress) for event in seen)
    assert told == ["encoder"]
    assert runner.current.study.has_encoder
    assert not runner.running
    assert not runner.stop_button.isVisible()


def test_stop_keeps_the_model_and_returns_in_two_seconds(qtbot, runner, labelled_study):
    runner.current.open(labelled_study)
    runner.start(long_job(labelled_study))
    wait_for_training(qtbot, runner)
    assert "of" in runner.status.text()
    began = time.monotonic()
    with qtbot.waitSignal(runner.finished, timeout=20_000) as done:
        runner.stop_button.click()
        assert runner.status.text() == "Stopping..."
    assert time.monotonic() - began < 5  # 2 s on a quiet machine
    assert done.args[0]["complete"] is False
    assert runner.current.study.has_encoder
    assert runner.current.study.can_resume


def test_closing_the_window_ends_the_process(qtbot, runner, labelled_study):
    runner.start(long_job(labelled_study))
    pid = runner._process.pid
    runner.window().close()
    qtbot.waitUntil(lambda: gone(pid), timeout=5000)
    assert not runner.running


def test_closing_asks_and_no_keeps_the_window_and_the_job(qtbot, runner, labelled_study, monkeypatch):
    runner.ask = True
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
    first = runner._process
    runner.start(long_job(labelled_study))
    assert runner._process is first
    assert "still running" in runner.error_line.text()


def test_a_function_runs_in_a_thread_and_can_be_stopped(qtbot, runner):
    def count(upto, report, should_stop):
        for number in range(upto):
            report(Progress(number, upto, "count"))
            report(Message(f"at {number}"))
            time.sleep(0.01)
            if should_stop():
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
    def fail(report, should_stop):
        raise error

    with qtbot.waitSignal(runner.failed, timeout=5000) as failed:
        runner.run("look", fail)
    assert str(error) in failed.args[0]
    assert str(error) in runner.error_line.text()


def test_the_line_of_python_is_copied(qtbot, runner, labelled_study):
    assert not runner.copy_button.isEnabled()
    runner.start(Job("train_classifier", str(labelled_study), {"models": 2}, {"scheme": 2}))
    runner.copy_button.click()
    assert (
        QGuiApplication.clipboard()
        .text()
        .endswith(f"ml.Study({str(labelled_study)!r}).train_classifier(scheme=2, models=2)")
    )
