"""The timeline that a study keeps: what is written is read back, and damage is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.config import TimelineConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.conditions import check_conditions
from morpholaw.evaluation.timeline import Timeline, build_timeline
from morpholaw.report.material import Material
from morpholaw.report.page import Absent, Table
from morpholaw.report.sections import timeline as section
from morpholaw.store import timelines
from morpholaw.study import Study
from simulated_phases import simulate_phases

MOVIES = ["=m0", "m1"]
"""Of names that a spreadsheet would take for a formula, one."""


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    rng = np.random.default_rng(0)
    table = pd.concat([simulate_phases(rng, 60, 60, 6.0, name) for name in MOVIES], ignore_index=True)
    rows = pd.DataFrame({"movie": MOVIES, "condition": ["control", "drug"], "replicate": ["1", "1"]})
    return build_timeline(
        table, TimelineConfig(resamples=50), check_conditions(rows, MOVIES), {"=m0": 60.0, "m1": 60.0}
    )


@pytest.fixture
def study(timeline, tmp_path) -> Study:
    study = Study.create(tmp_path / "study")
    with study.writing():
        timelines.save(study, timeline, "scheme2", "no data")
    return study


def test_what_is_kept_is_read_back(study, timeline):
    found = timelines.tables(study)
    for name in timelines.TABLES:
        table = getattr(timeline, name).reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(found, name), table, check_dtype=False, check_column_type=False)
    assert found.unit == timeline.unit
    assert found.condition_names == ("control", "drug")
    assert found.survival("metaphase", "drug").median == timeline.survival("metaphase", "drug").median


def test_a_missing_or_damaged_timeline_is_said(study):
    (study.path / "timeline" / "phases.csv").unlink()
    with pytest.raises(InputError, match=r"phases\.csv cannot be read"):
        timelines.tables(study)
    (study.path / "timeline" / "timeline.json").unlink()
    with pytest.raises(InputError, match="has no timeline yet"):
        timelines.record(study)
    with pytest.raises(Absent):
        section.timeline(Material(study))


def test_the_report_has_durations_and_the_p_value(study):
    blocks = section.timeline(Material(study))
    tables = [block for block in blocks if isinstance(block, Table)]
    assert "Median (min)" in tables[0].columns
    assert any("log-rank over cells" in cell for row in tables[1].rows for cell in row)
