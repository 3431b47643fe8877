"""From two simulated movies to durations and a p value, with the models that come with Morpholaw."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from morpholaw.cells.simulator import simulate_movie, simulate_tracks, without_links
from morpholaw.cli import main
from morpholaw.config import SimulateConfig, TimelineConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.timeline import build_timeline
from morpholaw.events import Monitor
from morpholaw.sample import sample_folder
from morpholaw.store.classifiers import adopt
from morpholaw.study import Study

SIZE = {"cells": 30, "height": 280, "width": 280, "frame_interval": 300.0}
CONDITIONS = pd.DataFrame(
    {"movie": ["slow", "fast"], "condition": ["drug", "control"], "replicate": ["1", "1"]}
)


@pytest.fixture
def screen(made_once, tmp_path) -> Path:
    """A study of two movies in which metaphase lasts 3 and 9 frames, with the shipped laws."""
    return shutil.copytree(made_once("screen", _make_screen), tmp_path / "screen")


def _make_screen(folder: Path) -> None:
    study = Study.create(folder)
    for name, median in (("fast", 3.0), ("slow", 9.0)):
        made = simulate_movie(SimulateConfig(frames=36, metaphase=median, seed=4, **SIZE))
        movie = made.write(folder.with_name(f"{folder.name}-{name}"))
        study.crop(movie / "movie.tif", movie / "tracks.csv", name=name)
    shutil.copytree(sample_folder() / "encoder", folder / "encoder", dirs_exist_ok=True)
    adopt(study, sample_folder() / "classifiers" / "scheme4-hinge")


def test_the_frame_interval_of_the_movie_makes_minutes(screen):
    assert Study(screen).sets[0].record.movie.frame_interval == 300.0
    timeline = Study(screen).timeline(4, conditions=CONDITIONS, resamples=50)
    assert timeline.unit.name == "min"
    assert timeline.condition_names == ("drug", "control")
    rows = timeline.durations.set_index(["condition", "class"])["mean"]
    # The simulator's prometaphase, two or three frames, looks like metaphase to a law of two classes.
    assert rows["control", "metaphase"] == pytest.approx(5 * (3 + 2.5), rel=0.25)
    assert rows["drug", "metaphase"] == pytest.approx(5 * (9 + 2.5), rel=0.25)
    assert {"area", "axis_ratio"} <= set(timeline.lineages.images)
    assert (
        timeline.align("metaphase", ["area"])[0].mean[-5] < timeline.align("metaphase", ["area"])[0].mean[3]
    )


def test_the_command_writes_tables_and_figures(screen, tmp_path):
    CONDITIONS.to_csv(tmp_path / "conditions.csv", index=False)
    arguments = ["timeline", "--study", screen, "--scheme", 4, "--conditions", tmp_path / "conditions.csv"]
    arguments += ["--set", "resamples=50", "--out", tmp_path / "out"]
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    assert ", log-rank over cells" in done.output
    assert "not tested, because a condition has one replicate" in done.output
    assert "The conditions drug and control have one replicate each, so" in " ".join(done.output.split())
    assert "Intervals of durations are over cells" in done.output
    assert "nan" not in done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"phases.csv", "events.csv", "durations.csv", "shares.csv", "comparisons.csv"} <= names
    assert "timeline.h5ad" in names
    assert {
        "duration-metaphase.png",
        "superplot-metaphase.png",
        "mitotic-index.png",
        "aligned-metaphase.png",
    } <= names
    phases = pd.read_csv(tmp_path / "out" / "phases.csv")
    assert (phases["duration"] == 5 * phases["frames"]).all()


def test_a_study_without_tracked_cells_is_refused(tmp_path):
    with pytest.raises(InputError, match="no crops of tracked cells"):
        Study.create(tmp_path / "empty").timeline(2)


@pytest.mark.parametrize("median", [4.0, 8.0])
def test_simulated_tracks_give_back_the_true_durations_also_with_half_of_the_links(median):
    config = SimulateConfig(frames=120, cells=60, height=700, width=700, metaphase=median, seed=1)
    tracks = simulate_tracks(config)
    true = tracks[tracks["true_phase"] == "metaphase"].groupby("track_id")["true_phase_frames"].first()
    table = tracks.assign(**{"class": tracks["true_phase"]})
    for cells in (table, without_links(table, 0.5, np.random.default_rng(0))):
        rows = build_timeline(cells, TimelineConfig(resamples=50)).durations.set_index("class")
        row = rows.loc["metaphase"]
        assert row["mean"] == pytest.approx(true.mean(), rel=0.05)
        assert row["median"] == pytest.approx(true.median(), rel=0.05)


def test_a_stopped_timeline_leaves_the_one_before_as_it_was(screen):
    study = Study(screen)
    study.timeline(4, resamples=50)
    before = (screen / "timeline" / "phases.csv").read_bytes()
    asked = []

    def should_stop() -> bool:  # after the first part of the cells
        asked.append(1)
        return len(asked) > 1

    with pytest.raises(InterruptedError, match="an earlier one was kept"):
        study.timeline(4, resamples=50, monitor=Monitor(should_stop=should_stop))
    assert (screen / "timeline" / "phases.csv").read_bytes() == before
