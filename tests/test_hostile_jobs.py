"""Jobs that no program of ours writes: refused in a sentence; children of a killed job end with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from morpholaw.errors import InputError
from morpholaw.job_process import JobProcess
from morpholaw.jobs import Job, run
from morpholaw.study import Study


@pytest.mark.parametrize(
    "values",
    [
        [1],
        5,
        None,
        {},
        {"step": "tune"},
        {"step": "tune", "study": 3},
        {"step": "tune", "study": "s", "self": 1},
        {"step": "tune", "study": "s", "config": [1]},
        {"step": "tune", "study": "a\0b"},
        {"step": "tune", "study": "\udcff"},
    ],
)
def test_a_file_that_is_no_job_is_refused(tmp_path, values):
    path = tmp_path / "job.json"
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match="is not a job"):
        Job.read(path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"scheme": 2, "report": 1}, "has no argument 'report'; its arguments are scheme"),
        ({"scheme": 2, "self": 1}, "has no argument 'self'"),
        ({"scheme": 2, "monitor": 1}, "has no argument 'monitor'"),
        ({"scheme": 2, "config": {}}, "has no argument 'config'"),
        ({}, "lacks the argument 'scheme'"),
        ({"scheme": [2]}, "argument scheme of the step train_classifier cannot be used"),
        ({"scheme": 2, "replace": {"a": 1}}, "argument replace"),
    ],
)
def test_arguments_that_a_step_does_not_take_are_refused(tmp_path, arguments, sentence):
    Study.create(tmp_path / "s")
    with pytest.raises(InputError, match=sentence):
        run(Job("train_classifier", str(tmp_path / "s"), {}, arguments))


@pytest.mark.parametrize("line", ["garbage", "[1]", '{"step": "tune", "study": 3}', "[" * 5000, ""])
def test_a_message_that_is_no_job_ends_in_a_sentence(line):
    command = [sys.executable, "-m", "morpholaw.jobs", "-"]
    done = subprocess.run(command, input=line + "\n", capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert json.loads(done.stdout)["event"] == "Failure"
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")
def test_a_child_that_holds_the_pipe_of_a_killed_job_does_not_keep_the_window_waiting(tmp_path, monkeypatch):
    leader = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    place, real = tmp_path / "child", subprocess.Popen
    monkeypatch.setattr(
        "morpholaw.job_process.subprocess.Popen",
        lambda _, **named: real([sys.executable, "-c", leader, str(place)], **named),
    )
    process = JobProcess(Job("tune", str(tmp_path)))
    monkeypatch.undo()
    child = _number(place)
    os.kill(process.pid, signal.SIGKILL)
    begun = time.monotonic()
    with pytest.raises(Exception, match="ended by signal 9"):
        list(process.events())
    assert time.monotonic() - begun < 2
    assert _has_ended(child)
    process.close()


def _number(path: Path) -> int:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.05)
    raise TimeoutError


def _has_ended(pid: int) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
