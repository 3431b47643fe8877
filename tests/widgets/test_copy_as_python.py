"""What "Copy as Python" puts on the clipboard runs as it is, and keeps its result."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from qtpy.QtGui import QGuiApplication

from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.study import Study
from morpholaw.widgets.cells.panel import CellsWidget
from morpholaw.widgets.classify.panel import ClassifyWidget
from morpholaw.widgets.jobs.python_code import job_code, literal
from morpholaw.widgets.latents.panel import LatentsWidget
from morpholaw.widgets.laws.panel import LawsWidget
from morpholaw.widgets.movie.layer_sources import layer_named

TINY = {"models": 1, "epochs": 1, "warmup_epochs": 0, "epoch_cells": 64, "device": "cpu", "threads": 1}
NAME = 'it\'s "a" movie\\'


def run_copied(runner) -> dict[str, object]:
    """Copy, run what was copied and return the names that it defined."""
    assert runner.copy_button.isEnabled()
    runner.copy_button.click()
    names: dict[str, object] = {}
    exec(QGuiApplication.clipboard().text(), names)
    return names


@pytest.fixture
def movie(make_napari_viewer, monkeypatch):
    """A viewer with an array as a movie, scaled, and its tracks in world units."""
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    pixels = np.random.default_rng(0).integers(90, 400, (3, 64, 64)).astype(np.uint16)
    viewer.add_image(pixels, name=NAME, scale=(1, 0.5, 0.5))
    viewer.add_tracks(
        np.array([[1, 0, 20, 30], [1, 1, 21, 30], [2, 1, 40, 40], [2, 2, 41, 40]], float),
        name=f"tracks of {NAME}",
        scale=(1, 0.5, 0.5),
    )
    return viewer


def test_cutting_an_array_layer(movie, qtbot, tmp_path):
    panel = CellsWidget(movie)
    qtbot.addWidget(panel)
    panel.current.create(tmp_path / "study")
    panel.cutting.form.editors["size"].value = 32
    with qtbot.waitSignal(panel.runner.finished, timeout=60_000):
        panel.cutting.cut()
    (cut_by_panel,) = Study.open(tmp_path / "study").sets
    images, cells = np.array(cut_by_panel.images), cut_by_panel.cells
    Study.open(tmp_path / "study").delete_set(cut_by_panel.name)  # a movie is not cut twice unasked
    cut_by_code = run_copied(panel.runner)["crops"]
    np.testing.assert_array_equal(cut_by_code.images, images)
    pd.testing.assert_frame_equal(cut_by_code.cells, cells)


def test_code_for_layers_says_where_it_runs(movie, monkeypatch):
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    with pytest.raises(InputError, match="napari's console"):
        layer_named(NAME)


def test_scoring_array_layers(movie, qtbot, trained_study):
    panel = ClassifyWidget(movie)
    qtbot.addWidget(panel)
    panel.current.open(trained_study)
    scores = panel.apply_scores
    scores.cells.setCurrentIndex(scores.cells.count() - 1)
    with qtbot.waitSignal(panel.runner.finished, timeout=60_000) as done:
        scores.apply()
    table = run_copied(panel.runner)["scores"]
    assert len(table) == 4
    np.testing.assert_allclose(table["score"], done.args[0]["table"]["score"], rtol=1e-4)


def test_loading_an_encoder_and_reading_a_law(make_napari_viewer, qtbot, trained_study, labelled_study):
    viewer = make_napari_viewer()
    latents, laws = LatentsWidget(viewer), LawsWidget(viewer)
    for panel in (latents, laws):
        qtbot.addWidget(panel)
    latents.current.open(labelled_study)
    with qtbot.waitSignal(latents.encoder.runner.finished, timeout=60_000):
        latents.encoder.load(trained_study / "encoder")
    assert run_copied(latents.encoder.runner)["study"].has_encoder
    laws.current.open(trained_study)
    runner = laws.search.runner
    with qtbot.waitSignal(runner.finished, timeout=60_000):
        laws.boundary.add_to_viewer()
    assert run_copied(runner)["law"].text() == laws.law.text()


@pytest.mark.parametrize(
    ("job", "result"),
    [
        (Job("train_classifier", "", TINY, {"scheme": 2}), "record"),
        (Job("classify", "", {}, {"scheme": 2, "loss": "hinge", "along_tracks": False}), "scores"),
        (Job("compare", ""), "agreement"),
        (Job("attack", "", {"eps": (0.1,), "scheme": 2}), "accuracy"),
    ],
    ids=lambda value: value.step if isinstance(value, Job) else "",
)
def test_jobs(trained_study, job, result):
    names: dict[str, object] = {}
    exec(job_code(Job(job.step, str(trained_study), job.config, job.arguments)), names)
    assert names[result] is not None


@pytest.mark.parametrize(
    "value",
    [math.inf, (1,), (1, 2), (), [0.1, -math.inf], {"a b": ["c'"]}, "'''\\\n", None, True, 1e-300],
)
def test_every_value_is_written_so_that_python_reads_it_back(value):
    assert eval(literal(value)) == value
