"""The short part of ``make torture``: kills, changed files, files that mean harm, full disks, long work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest
from hostile import HARMLESS, HOSTILE
from mutations import mutate

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and signals are POSIX's")

RUN = Path(__file__).with_name("short.py")


def short(part: str, tmp_path: Path) -> dict:
    """A part in a process of its own: forks of one that has a window open are not to be trusted."""
    out = tmp_path / "found.json"
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "QT_QPA_PLATFORM": "offscreen",
    }
    done = subprocess.run([sys.executable, RUN, part, out], capture_output=True, text=True, env=environment)
    assert out.exists(), done.stderr[-1500:]
    return json.loads(out.read_text())


@pytest.mark.slow
def test_steps_killed_between_two_writes_leave_a_study_that_opens_and_goes_on_to_the_same(tmp_path):
    found = short("crashes", tmp_path)
    assert found["failures"] == []
    assert found["kills"] >= 8
    assert found["resumes"] == found["kills"]


@pytest.mark.slow
def test_full_disks_deleted_studies_and_killed_owners_are_one_sentence(tmp_path):
    assert short("environment", tmp_path)["failures"] == []


@pytest.mark.slow
def test_changed_files_are_read_or_refused_in_a_sentence(tmp_path):
    found = short("fuzz", tmp_path)
    assert [failure for one in found.values() for failure in one["failures"]] == []
    assert set(found) == set(fuzz.READERS)
    assert sum(one["refused"] for one in found.values()) > 50


def test_hostile_files_are_refused_and_odd_ones_read(tmp_path):
    found = short("hostile", tmp_path)
    assert found["failures"] == []
    assert (found["refused"], found["read"]) == (len(HOSTILE), len(HARMLESS))


def test_people_who_label_one_study_at_once_lose_nothing(tmp_path):
    found = short("annotators", tmp_path)
    assert found["failures"] == []
    assert found["labels"] > 20


@pytest.mark.slow
def test_a_killed_search_is_noticed_within_two_seconds_and_its_workers_end(tmp_path):
    found = short("leaders", tmp_path)
    assert found["failures"] == []
    assert found["killed"] == 1


def test_names_that_mean_harm_stay_text(tmp_path):
    found = short("names", tmp_path)
    assert found["failures"] == []
    assert found["names"] == 500


@pytest.mark.slow
def test_a_training_that_goes_on_does_not_grow_and_panels_leave_nothing_behind(tmp_path):
    found = short("long", tmp_path)
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
