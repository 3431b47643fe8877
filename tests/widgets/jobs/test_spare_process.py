"""A process waits for the next classification, so that only the first one waits for torch."""

from __future__ import annotations

import psutil
import pytest

from morpholaw.jobs import Job
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.jobs.spare_process import SpareProcess
from morpholaw.widgets.study.current_study import CurrentStudy


@pytest.fixture
def runner(qtbot):
    runner = JobRunner(CurrentStudy(), "classify")
    qtbot.addWidget(runner, before_close_func=lambda runner: runner.current.steps.end_all())
    return runner


def classify(runner, qtbot, study) -> int:
    """Run a classification; return the number of the process that did it."""
    pids = []
    runner.reported.connect(lambda _: pids.append(runner.pid))
    with qtbot.waitSignal(runner.finished, timeout=240_000):
        runner.start(Job("classify", str(study), {}, {"scheme": "scheme3"}), table=True)
    return next(pid for pid in pids if pid is not None)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_next_classification_runs_in_the_process_that_waits(runner, qtbot, trained_study):
    runner.current.open(trained_study)
    first = classify(runner, qtbot, trained_study)
    waiting = runner.current.steps.spare.pid
    assert waiting not in (None, first)
    assert classify(runner, qtbot, trained_study) == waiting
    last = runner.current.steps.spare.pid
    assert last not in (None, waiting)
    runner.current.steps.end_all()
    assert gone(last)


def test_a_waiting_process_that_was_ended_is_replaced(trained_study_folder):
    spare = SpareProcess()
    spare.prepare()
    process = psutil.Process(spare.pid)
    process.kill()
    process.wait(10)
    replaced = spare.start(Job("report", str(trained_study_folder), arguments={"no_such": 1}))
    with pytest.raises(Exception, match="no_such"):
        list(replaced.events())
    replaced.close()
    spare.close()
