"""The Timeline panel: it shows what the study keeps, and a click on an event goes to its cell."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QLabel

from morpholaw.cells.simulator import simulate_movie
from morpholaw.config import SimulateConfig, TimelineConfig
from morpholaw.evaluation.timeline import build_timeline
from morpholaw.events import Message
from morpholaw.figures.timeline_tables import comparison_title
from morpholaw.jobs import Job, run
from morpholaw.store import timelines
from morpholaw.study import Study
from morpholaw.widgets.napari_versions import camera
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.timeline.panel import TimelineWidget
from morpholaw.widgets.timeline.shown_timeline import ShownTimeline


@pytest.fixture(scope="module")
def made(made_once):
    """A study of a simulated movie with the timeline of its true phases."""
    return made_once("timeline", _make)


def _make(folder) -> None:
    study = Study.create(folder)
    movie = simulate_movie(SimulateConfig(frames=36, cells=40, height=300, width=300, metaphase=4.0, seed=2))
    study.crop(movie.movie, movie.tracks, name="movie", pixel_size=0.333)
    table = movie.tracks.assign(movie="movie", **{"class": movie.tracks["true_phase"]})
    with study.writing():
        timelines.save(study, build_timeline(table, TimelineConfig(resamples=50)), "scheme2", "no data")
    np.save(folder / "movie.npy", movie.movie)


@pytest.fixture
def panel(made, make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=False)
    viewer.add_image(np.load(made / "movie.npy"), name="movie")
    panel = TimelineWidget(viewer)
    qtbot.addWidget(panel, before_close_func=lambda panel: settle(panel, qtbot))
    panel.resize(420, 780)
    panel.show()
    CurrentStudy.of(viewer).open(made)
    qtbot.waitUntil(lambda: panel.tables is not None, timeout=60_000)
    return panel


def settle(panel, qtbot) -> None:
    """Wait for what the panel's threads still compute."""
    figures = (panel.durations, panel.compared, panel.shares)
    qtbot.waitUntil(
        lambda: not panel.call.running and not any(figure.pending for figure in figures), timeout=60_000
    )


def test_the_timeline_of_the_study_is_drawn(panel, qtbot):
    assert "divisions in 1 movie, in classes predicted by scheme2." in panel.summary.text()
    qtbot.waitUntil(lambda: panel.durations.canvas is not None, timeout=60_000)
    panel.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: panel.shares.canvas is not None, timeout=60_000)
    assert panel.compared.sentence.text() == "With a table of conditions, replicates are compared here."


def test_it_says_which_conditions_are_compared_with_which(panel):
    tables = replace(panel.tables, condition_names=("DMSO", "drug 1", "drug 2"), notes=("One note.",))
    shown = ShownTimeline(tables, ["metaphase"], "metaphase", "scheme 2: dense head")
    panel._take(shown)
    assert "scheme 2: dense head. Compared with DMSO: drug 1, drug 2.\nOne note." in panel.summary.text()
    row = {"quantity": "duration", "class": "metaphase", "condition": "drug 1", "reference": "DMSO"}
    values = {"difference": 5.0, "low": 2.0, "high": 8.0, "unit": "min", "p": 0.02, "test": "permutation"}
    title = comparison_title(
        replace(tables, comparisons=pd.DataFrame([row | values])), "duration", "metaphase"
    )
    assert title.startswith("drug 1 − DMSO: +5 min (2 to 8), p = 0.02")


def test_a_click_on_an_event_goes_to_its_frame_and_cell(panel, qtbot):
    panel.tabs.setCurrentWidget(panel.events)
    row = next(k for k in range(panel.events.rowCount()) if int(panel.events.cell(k, 1).text()) > 5)
    item = panel.events.cell(row, 0)
    panel.events.scrollToItem(item)
    qtbot.mouseClick(
        panel.events.viewport(), Qt.MouseButton.LeftButton, pos=panel.events.visualItemRect(item).center()
    )
    event = panel.tables.events.iloc[item.data(0x0100)]
    cells = panel.current.crops.sets[0].cells
    mine = cells[cells["track_id"] == event["track_id"]]
    nearest = mine.iloc[(mine["t"] - event["t"]).abs().argmin()]
    assert panel.current.selection == [nearest.name]
    assert panel.viewer.dims.point[0] == nearest["t"]
    assert camera(panel.viewer).center[-2:] == pytest.approx((nearest["y"], nearest["x"]), abs=1)


def test_without_a_classifier_the_button_says_what_to_do(panel):
    panel.make_button.click()
    assert "train one in the Classify panel" in panel.runner.error_line.text()


def test_a_note_of_the_step_stands_once_in_the_panel(panel, qtbot):
    [note] = [one for one in panel.tables.notes if "Times are in frames" in one]

    def step(monitor) -> None:
        monitor.emit(Message(note, "warning"))

    with qtbot.waitSignal(panel.runner.finished, timeout=20_000):
        panel.runner.run("timeline", step)
    shown = [label for label in panel.findChildren(QLabel) if label.isVisible() and note in label.text()]
    assert shown == [panel.summary]


def test_a_study_of_the_conditions_is_made_and_opened(panel, tmp_path, monkeypatch):
    study, out = shutil.copytree(panel.current.study.path, tmp_path / "study"), tmp_path / "out"
    shutil.copytree(study / "crops" / "movie", study / "crops" / "treated")
    panel.current.open(study)
    panel.study_button.click()
    assert "Choose a table of conditions first" in panel.runner.error_line.text()
    (tmp_path / "conditions.csv").write_text("movie,condition,replicate\nmovie,control,1\ntreated,drug,1\n")
    panel.conditions.setText(str(tmp_path / "conditions.csv"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))

    def here(job: Job, **_) -> None:  # in place of a child process
        run(job)
        panel.runner.finished.emit({})

    monkeypatch.setattr(panel.runner, "start", here)
    panel.study_button.click()
    assert panel.current.study.path == out
    assert panel.current.study.classes == ("control", "drug")
    assert "conditions cannot be separated from movies" in panel.way_strip.warning.text()


def test_a_timeline_of_thousands_of_events_does_not_hold_up_the_window(panel, tmp_path, qtbot):
    """As many rows as 1,000 tracks of each of 8 movies make in 200 frames; CPU time, as other programs run too."""
    study, few = Study(shutil.copytree(panel.current.study.path, tmp_path / "study")), panel.tables
    rows = {"phases": 11_000, "events": 5_500, "shares": 4_800}
    many = {
        name: pd.concat([getattr(few, name)] * (count // len(getattr(few, name)) + 1), ignore_index=True)
        for name, count in rows.items()
    }
    with study.writing():
        timelines.save(study, replace(few, **many), "scheme2", "no data")
    panel.current.open(study.path)
    longest, last = 0.0, time.thread_time()
    for tab in (0, 1, 2, 3):
        panel.tabs.setCurrentIndex(tab)
        while panel.tables is None or any(
            figure.pending for figure in (panel.durations, panel.compared, panel.shares)
        ):
            qtbot.wait(1)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()
    assert panel.events.rowCount() == 1000
    assert longest < 0.3


def test_a_table_without_events_says_what_would_fill_it(panel, tmp_path):
    hint = panel.events.hint
    assert panel.events.rowCount()
    assert hint.isHidden()
    none = replace(panel.tables, events=panel.tables.events.head(0))
    panel._take(ShownTimeline(none, [], "metaphase", "scheme 2: dense head"))
    assert not hint.isHidden()
    assert hint.text().startswith(
        "No cell divides or changes its class in this timeline; tracks with a division"
    )
    panel.current.create(tmp_path / "empty")
    assert hint.text() == "Train a classifier in the Classify panel first."
    assert not hint.isHidden()


def test_another_study_without_a_timeline_shows_none_and_has_its_own_movies(panel, tmp_path):
    panel.conditions.setText("conditions of these movies.csv")
    panel.form.editors["frame_interval"].value = 300.0
    panel.current.create(tmp_path / "other")
    assert panel.conditions.text() == ""
    assert panel.form.values() == {}
    assert panel.tables is None
    assert panel.events.rowCount() == 0
