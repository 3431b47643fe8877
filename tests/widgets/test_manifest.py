"""What napari reads of the plugin: everything it names is there, and reachable from the menus."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import npe2
import pytest
import yaml

from morpholaw.store import classifiers
from morpholaw.widgets.napari_readers import sample_data
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.preferences import Preferences, preferences

ROOT = Path(__file__).parents[2]
MANIFEST = yaml.safe_load((ROOT / "napari.yaml").read_text())
CONTRIBUTIONS = MANIFEST["contributions"]
WIDGETS = [widget["command"] for widget in CONTRIBUTIONS["widgets"]]
PYTHON_NAMES = {command["id"]: command["python_name"] for command in CONTRIBUTIONS["commands"]}


def test_the_manifest_is_valid():
    manifest = npe2.PluginManifest.from_file(ROOT / "napari.yaml")
    assert manifest.name == "napari-morpholaw"


def test_the_installed_manifest_is_this_one():
    installed = npe2.PluginManifest.from_distribution("napari-morpholaw")
    here = npe2.PluginManifest.from_file(ROOT / "napari.yaml")
    # an editable install keeps a copy: run `pip install -e .` again after an edit of napari.yaml
    assert installed.contributions == here.contributions


@pytest.mark.parametrize("command", PYTHON_NAMES)
def test_every_command_is_there(command):
    module, name = PYTHON_NAMES[command].split(":")
    assert callable(getattr(import_module(module), name))


def test_everything_named_is_a_command_and_every_widget_is_in_a_menu():
    named = [
        *WIDGETS,
        *(item["command"] for kind in ("readers", "sample_data") for item in CONTRIBUTIONS[kind]),
    ]
    in_menus = {item["command"] for items in CONTRIBUTIONS["menus"].values() for item in items}
    assert set(named) | in_menus <= set(PYTHON_NAMES)
    assert in_menus == set(WIDGETS)


OPEN_PANELS = """
import importlib, sys
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari.components import ViewerModel
for python_name in sys.argv[1:]:
    module, name = python_name.split(":")
    panel = getattr(importlib.import_module(module), name)(napari_viewer=ViewerModel())
    loaded = sorted({"torch", "pandas", "matplotlib.pyplot", "sympy", "optuna"} & set(sys.modules))
    assert not loaded, (python_name, loaded)
    print(python_name)
"""
"""Opens every panel in turn; one process, because importing napari takes seconds."""


def test_the_panels_open_from_the_menu_without_torch():
    names = [PYTHON_NAMES[command] for command in WIDGETS]
    done = subprocess.run([sys.executable, "-c", OPEN_PANELS, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [line for line in done.stdout.splitlines() if line in names] == names


def test_the_defaults_of_the_settings_page_are_usable(monkeypatch):
    assert preferences().device in ("auto", "cpu", "cuda", "mps")
    assert preferences().study_folder == Preferences().study_folder  # empty on the page: the home folder


@pytest.fixture
def small_sample(tmp_path, monkeypatch):
    """The sample with a cache of its own, and a movie of six frames in it."""
    from morpholaw.cells.simulator.movie import simulate_movie
    from morpholaw.config import SimulateConfig

    monkeypatch.setattr(sample_data, "preferences", lambda: Preferences(cache_folder=str(tmp_path)))
    folder = simulate_movie(SimulateConfig(frames=6, cells=8, height=160, width=160)).write(
        tmp_path / "movie"
    )
    monkeypatch.setattr(sample_data, "movie_folder", lambda: folder)
    return tmp_path


def test_the_sample_movie_has_its_tracks_and_masks(make_napari_viewer, small_sample):
    viewer = make_napari_viewer()
    layers = viewer.open_sample("napari-morpholaw", "movie")
    assert [type(layer).__name__ for layer in layers] == ["Image", "Labels", "Tracks"]
    assert layers[0].data.shape == layers[1].data.shape == (6, 160, 160)
    assert {"label", "parent"} <= set(layers[2].features)


def test_the_sample_study_of_four_phases_opens_with_its_classifiers(
    make_napari_viewer, small_sample, monkeypatch, qtbot
):
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    assert [kind for _, _, kind in sample_data.sample_phases()] == ["image", "labels", "tracks"]
    current = CurrentStudy.of(viewer)
    qtbot.waitUntil(lambda: current.study is not None, timeout=60_000)
    study = current.study
    assert study.path == small_sample / "sample-phases"
    assert study.classes == sample_data.PHASES
    assert study.class_record.stages == sample_data.PHASES
    assert sorted(classifiers.names(study)) == ["measured", "scheme2", "scheme3"]
    assert sample_data.phases_copy(study.path) == study.path


def test_the_sample_study_is_a_copy_that_opens(make_napari_viewer, small_sample, monkeypatch, qtbot):
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    viewer.open_sample("napari-morpholaw", "study")
    current = CurrentStudy.of(viewer)
    assert current.study is None  # the copy is made beside the window
    qtbot.waitUntil(lambda: current.study is not None, timeout=60_000)
    study = current.study
    assert study.path == small_sample / "sample-study"
    assert len(study.crops) > 0
    study.annotations.set_label(study.sets[0].name, 0, "anaphase")
    again = sample_data.study_copy(study.path)  # opened once more: what was done in it is kept
    assert type(study).open(again).annotations.get(study.sets[0].name, 0) == "anaphase"


def test_the_real_movie_is_fetched_only_after_a_yes(tmp_path, monkeypatch):
    asked = []

    def answer_no(parent, title, question):
        asked.append(question)
        return False

    monkeypatch.setattr("morpholaw.widgets.forms.confirm.confirmed", answer_no)
    monkeypatch.setattr(sample_data, "preferences", lambda: Preferences(cache_folder=str(tmp_path)))
    assert sample_data.sample_real_movie() == []
    assert "182 MB" in asked[0]
    assert not list(tmp_path.iterdir())
