import subprocess
import sys
import time

import numpy as np
import pandas as pd
import psutil
import pytest

from morpholaw.errors import InputError, StepFailedError, StudyLockedError
from morpholaw.events import Front, Message, Metrics, Preview, Progress, Result
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job, decode_event, encode_event, run
from morpholaw.study import Study

pytestmark = pytest.mark.usefixtures("forked_children")

SHORT = {"epochs": 1, "epoch_crops": 512, "threads": 1, "batch_size": 64}
LONG = {"epochs": 1000, "epoch_crops": 100_000, "threads": 1, "batch_size": 64}


@pytest.mark.parametrize(
    "event",
    [
        Progress(3, 10, "cutting"),
        Metrics(7, {"loss": 1.5}),
        Front([1, 5], [0.9, 0.25]),
        Message("ß", "warning"),
        Result({"complete": True}),
        Preview("strip", np.random.default_rng(0).random((2, 3, 4, 4), np.float32)),
    ],
)
def test_events_cross_the_pipe_unchanged(event):
    back = decode_event(encode_event(event))
    if isinstance(event, Preview):
        np.testing.assert_array_equal(back.images, event.images)
    else:
        assert back == event


def test_a_job_file_runs_the_same_here_and_on_another_machine(study, tmp_path):
    job = Job("train_encoder", str(study.path), SHORT)
    assert Job.read(job.write(tmp_path / "job.json")) == job
    run(job)
    here = Study(study.path).encoder.state_dict()
    done = subprocess.run(
        [sys.executable, "-m", "morpholaw.jobs", str(tmp_path / "job.json")], capture_output=True
    )
    assert done.returncode == 0, done.stderr
    there = Study(study.path).encoder.state_dict()
    assert all(np.array_equal(here[name], there[name]) for name in here)


@pytest.mark.fresh
def test_a_child_reports_and_ends_with_a_result(study):
    process = JobProcess(Job("train_encoder", str(study.path), SHORT))
    events = list(process.events())
    process.close()
    assert any(isinstance(event, Metrics) for event in events)
    assert isinstance(events[-1], Result)
    assert events[-1].values["complete"] is True


def test_stopping_soon_keeps_the_model_and_a_checkpoint(study):
    process = JobProcess(Job("train_encoder", str(study.path), LONG))
    asked = None
    for event in process.events():
        if isinstance(event, Metrics) and asked is None:
            asked = time.monotonic()
            process.stop()
        last = event
    assert time.monotonic() - asked < 2
    assert isinstance(last, Result)
    assert last.values["complete"] is False
    assert Study(study.path).can_resume
    assert not process.running
    process.close()


@pytest.mark.fresh  # it is still importing when it is stopped
def test_a_job_that_has_not_begun_stops_at_once(study):
    before = study.encoder.state_dict()
    process = JobProcess(Job("train_encoder", str(study.path), LONG))
    began = time.monotonic()
    process.stop()
    assert list(process.events()) == []
    assert time.monotonic() - began < 2
    process.close()
    after = Study(study.path).encoder.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_table_is_written_where_the_job_says(study, tmp_path):
    out = tmp_path / "scores.csv"
    table = run(Job("classify", str(study.path), {}, {"scheme": 2}, str(out)))
    assert len(pd.read_csv(out)) == len(table)


def test_killing_a_search_ends_the_processes_it_started(study):
    config = {"count": 4, "evaluations": 50_000_000, "processes": 2}
    process = JobProcess(Job("discover_law", str(study.path), config))
    started = []
    for event in process.events():
        started = psutil.Process(process.pid).children(recursive=True)
        if isinstance(event, Metrics) and len(started) >= 2:
            break
    process.close()
    _, alive = psutil.wait_procs(started, timeout=5)
    assert started
    assert not alive


def test_killing_a_job_leaves_a_study_that_opens_with_its_last_model(study):
    before = study.encoder.state_dict()
    process = JobProcess(Job("train_encoder", str(study.path), LONG))
    for event in process.events():
        if isinstance(event, Progress):
            process.kill()
            break
    after = Study(study.path).encoder.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    with Study(study.path).writing():
        pass
    process.close()


def test_bad_input_in_a_child_is_its_one_sentence(tmp_path):
    Study.create(tmp_path / "s")
    process = JobProcess(Job("train_encoder", str(tmp_path / "s")))
    with pytest.raises(InputError, match="no crops yet"):
        list(process.events())
    process.close()


def test_an_error_in_a_child_keeps_its_kind(study):
    with study.writing():  # before the child starts: a quick one would have the lock first
        process = JobProcess(Job("train_encoder", str(study.path), SHORT))
        with pytest.raises(StudyLockedError, match="Another process is working"):
            list(process.events())
        process.close()


def test_a_child_that_is_killed_is_a_failed_step(study):
    process = JobProcess(Job("train_encoder", str(study.path), LONG))
    events = process.events()
    next(event for event in events if isinstance(event, Progress))
    process.kill()
    with pytest.raises(StepFailedError, match="was ended by signal 9"):
        list(events)
    process.close()


def test_an_unknown_step_or_setting_is_refused(tmp_path):
    with pytest.raises(InputError, match="no step 'fly'"):
        run(Job("fly", str(tmp_path / "s")))
    with pytest.raises(InputError, match="no setting 'epoch'"):
        run(Job("train_encoder", str(tmp_path / "s"), {"epoch": 1}))
