"""The short part of ``make torture``, with its assertions: kills, changed and hostile files, full disks, long work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest
from browser import BROWSERS, find_browser
from hostile import HARMLESS, HOSTILE
from mutations import mutate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name != "posix", reason="forks and signals are POSIX's"),
]

RUN = Path(__file__).with_name("short.py")


def _run(out: Path, *parts: str) -> dict:
    """Parts in a process of their own: forks of one that has a window open are not to be trusted."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "QT_QPA_PLATFORM": "offscreen",
    }
    done = subprocess.run([sys.executable, RUN, out, *parts], capture_output=True, text=True, env=environment)
    assert out.exists(), done.stderr[-1500:]
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def forked(tmp_path_factory) -> dict:
    """What was found by all parts that need no window; one process, so that they share a study and imports."""
    out = tmp_path_factory.mktemp("torture") / "found.json"
    return _run(out, "crashes", "environment", "leaders", "fuzz", "hostile", "annotators", "names", "reports")


def test_steps_killed_between_two_writes_leave_a_study_that_opens_and_goes_on_to_the_same(forked):
    found = forked["crashes"]
    assert found["failures"] == []
    assert found["kills"] >= 8
    assert found["resumes"] == found["kills"]


def test_full_disks_deleted_studies_and_killed_owners_are_one_sentence(forked):
    assert forked["environment"]["failures"] == []


def test_changed_files_are_read_or_refused_in_a_sentence(forked):
    found = forked["fuzz"]
    assert [failure for one in found.values() for failure in one["failures"]] == []
    assert set(found) == set(fuzz.READERS)
    assert sum(one["refused"] for one in found.values()) > 50


def test_hostile_files_are_refused_and_odd_ones_read(forked):
    found = forked["hostile"]
    assert found["failures"] == []
    assert (found["refused"], found["read"]) == (len(HOSTILE), len(HARMLESS))


def test_people_who_label_one_study_at_once_lose_nothing(forked):
    found = forked["annotators"]
    assert found["failures"] == []
    assert found["labels"] > 20


def test_a_killed_search_is_noticed_within_two_seconds_and_its_workers_end(forked):
    found = forked["leaders"]
    assert found["failures"] == []
    assert found["killed"] == 1


def test_names_that_mean_harm_stay_text(forked):
    found = forked["names"]
    assert found["failures"] == []
    assert found["names"] == 500


def test_a_report_of_names_that_mean_harm_runs_and_asks_for_nothing_in_a_browser(forked):
    if find_browser() is None:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")
    assert forked["reports"]["failures"] == []
    assert forked["reports"]["reports"] == 1


def test_a_training_that_goes_on_does_not_grow_and_panels_leave_nothing_behind(tmp_path):
    found = _run(tmp_path / "found.json", "long")["long"]
    assert found["memory"]["failures"] == []
    assert found["cycles"]["failures"] == []
    assert found["cycles"]["cycles"] >= 3


def test_a_mutation_changes_the_file_and_is_the_same_for_the_same_seed(tmp_path):
    import random

    path, changed = tmp_path / "a.csv", set()
    for seed in (0, 0, 1, 2):
        path.write_text("ID,t,y,x\n1,0,2,3\n1,1,2,3\n")
        mutate(path, random.Random(seed))
        changed.add(path.read_bytes())
    assert len(changed) == 3
