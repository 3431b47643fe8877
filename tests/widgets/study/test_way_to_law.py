"""One button runs what is missing between labels and a law, stops, and goes on."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices

from morpholaw.config import ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.store.overview import overview
from morpholaw.study import Study
from morpholaw.training.durations import about
from morpholaw.widgets.jobs.step_run import StepRun
from morpholaw.widgets.jobs.window_steps import WindowSteps
from morpholaw.widgets.laws.panel import LawsWidget
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.presets import PRESETS, Preset
from morpholaw.widgets.study.way_strip import WayButtons
from morpholaw.widgets.study.way_to_law import PLACE, remaining_steps, too_few


@pytest.fixture
def steps(monkeypatch):
    """The jobs that are started, each a run that a test ends; no process runs."""
    started = []

    def start(self, place, job, name, python, *, table, files):
        run = self._new(place, StepRun(name, job, python, self))
        started.append(run)
        self.begun.emit(place)
        return run

    monkeypatch.setattr(WindowSteps, "start", start)
    return started


@pytest.fixture
def buttons(labelled_study_folder, qtbot):
    current = CurrentStudy()
    current.open(labelled_study_folder)
    widget = WayButtons(current)
    qtbot.addWidget(widget)
    widget.show()
    return widget


def end(run: StepRun, state: str = "done") -> None:
    run.state = state
    run.ended.emit(run)


def test_the_steps_run_in_order_with_the_presets_settings(buttons, steps, qtbot, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    buttons.preset.setCurrentIndex(1)
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    for _ in range(4):
        end(steps[-1])
    assert [run.job.step for run in steps] == ["train_encoder", "train_classifier", "discover_law", "report"]
    assert steps[0].job.config["epoch_crops"] == PRESETS[1].encoder.epoch_crops
    assert steps[1].job.arguments == {"scheme": 3}
    assert "2 of 4" in steps[1].status.name
    assert not buttons.current.way.running


def test_a_step_that_is_stopped_ends_the_way_and_it_can_go_on(buttons, steps, qtbot):
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    assert buttons.runner.isVisible()
    assert not buttons.button.isVisible()
    end(steps[-1], "stopped")
    assert len(steps) == 1
    assert buttons.button.isVisible()
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    assert len(steps) == 2
    assert buttons.current.steps.at(PLACE) is steps[1]


def test_a_stopped_step_that_was_completed_in_its_panel_is_not_said_to_be_stopped(
    buttons, steps, qtbot, monkeypatch
):
    buttons.preset.setCurrentIndex(1)
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    end(steps[-1], "stopped")
    assert "stopped" in buttons.runner.status.text()
    buttons.refresh()
    assert buttons.runner.status.isVisible()
    monkeypatch.setattr(buttons.current.way, "steps", lambda preset: ["discover_law", "report"])
    buttons.refresh()
    assert not buttons.runner.status.isVisible()


TINY = Preset(
    "Tiny",
    "For a test.",
    EncoderConfig(
        latents=6, filters=(4, 8, 8, 16), hidden=32, epochs=4, epoch_crops=1_600, batch_size=32, device="cpu",
        learning_rate=5e-3, alpha=0.1, beta=0.1, gamma=0.1, threads=1, precision="float32",
        **EncoderConfig.PLAIN,
    ),
    ClassifierConfig(
        models=2, epochs=20, epoch_cells=1_000, warmup_epochs=5, learning_rate=1e-2, sparsity=0.5, update_every=10,
        threads=1, device="cpu",
    ),
    LawConfig(count=1, evaluations=2_000, processes=1),
)  # fmt: skip


@pytest.mark.slow
def test_labels_become_a_law_and_a_report_with_a_stop_on_the_way(
    labelled_study, qtbot, monkeypatch, make_napari_viewer
):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    monkeypatch.setattr("morpholaw.widgets.study.way_strip.PRESETS", (TINY, TINY))
    panel = LawsWidget(make_napari_viewer(show=True))
    panel.viewer.window.add_dock_widget(panel)
    study, buttons, way = panel.current.open(labelled_study), panel.way_strip.way, panel.current.way
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "of" in buttons.runner.status.text() and study.can_resume, timeout=240_000)
    qtbot.mouseClick(buttons.runner.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not way.running, timeout=60_000)
    assert panel.record is None
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    shown = set()
    way.moved.connect(lambda: shown.add(buttons.runner.status.text().split(":")[0]))
    qtbot.waitUntil(lambda: bool(opened) or not way.running, timeout=600_000)
    assert buttons.runner.error_line.text() == ""
    assert [url.toLocalFile() for url in opened] == [str(study.path / "report.html")]
    assert panel.record is not None  # the law is in the panel
    assert {"2 of 4, train the sparse head", "3 of 4, search for a law", "4 of 4, write the report"} <= shown
    assert not buttons.button.isVisible()  # nothing is left to do
    panel.current.steps.end_all()


def test_ten_cells_of_each_class_are_enough_to_begin_and_that_is_said(labelled_study, qtbot):
    current = CurrentStudy()
    study = current.open(labelled_study)
    labels = study.labels
    kept = {name: set(np.flatnonzero(labels == name)[:12]) for name in ("interphase", "metaphase")}
    cleared = [cell for cell in range(len(labels)) if not any(cell in cells for cells in kept.values())]
    study.annotations.set_labels({(study.sets[0].name, cell): "" for cell in cleared})
    widget = WayButtons(current)
    qtbot.addWidget(widget)
    assert "Label at least" not in widget.cost.text()
    assert "Only about 3 cells of a class will be held out" in widget.cost.text()
    assert "first look" in widget.cost.text()
    assert current.way.steps(PRESETS[1])[0] == "train_encoder"
    current.set_label([cell for cell, label in enumerate(current.labels) if label == "metaphase"], "")
    widget.refresh()
    assert not widget.button.isVisibleTo(widget)
    assert "Label at least 10 cells of each class" in widget.cost.text()
    assert "too few of: 0 metaphase." in widget.cost.text()


def test_the_steps_go_on_in_their_study_when_another_one_is_opened(
    buttons, steps, qtbot, trained_study_folder, monkeypatch
):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: None)
    begun = buttons.current.study.path
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    buttons.current.open(trained_study_folder)
    for _ in range(4):
        end(steps[-1])
    assert {run.job.study for run in steps} == {str(begun)}
    assert [run.job.step for run in steps][-1] == "report"


def test_while_they_run_the_steps_are_counted_and_a_failure_stays_to_be_read(
    buttons, steps, qtbot, labelled_study
):
    buttons.current.open(labelled_study)
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    end(steps[-1])
    assert buttons.cost.text().startswith("Step 2 of 4: train the sparse head; then search for a law, write")
    current = buttons.current
    current.set_label([cell for cell, label in enumerate(current.labels) if label == "metaphase"], "")
    steps[-1].sentence = "There is no cell of class 'metaphase'."
    end(steps[-1], "failed")
    assert buttons.runner.error_line.isVisible()
    assert len(steps) == 2


def test_all_panels_show_the_chosen_preset(buttons, qtbot):
    other = WayButtons(buttons.current)
    qtbot.addWidget(other)
    buttons.preset.setFocus()
    qtbot.keyClick(buttons.preset, Qt.Key.Key_Up)
    assert other.preset.currentText() == "Quick look"
    assert "latents" not in other.cost.text()


def test_only_what_is_missing_is_done(labelled_study_folder, trained_study_folder, tmp_path):
    assert remaining_steps(overview(Study.open(trained_study_folder)), TINY) == []
    partly = shutil.copytree(trained_study_folder, tmp_path / "study")
    shutil.rmtree(partly / "classifiers" / "scheme4-hinge")
    assert remaining_steps(overview(Study.open(partly)), TINY) == ["discover_law", "report"]
    stopped = replace(overview(Study.open(partly)), resumable=True)
    assert remaining_steps(stopped, TINY)[0] == "train_encoder"
    assert remaining_steps(overview(Study.open(partly)), PRESETS[0]) == ["discover_law", "report"]
    whole = overview(Study.open(trained_study_folder))
    assert remaining_steps(whole, PRESETS[0]) == []
    searches = [one.model_copy(update={"complete": one.scheme != 4}) for one in whole.classifiers]
    unfinished = replace(whole, classifiers=tuple(searches))
    assert remaining_steps(unfinished, TINY) == remaining_steps(unfinished, PRESETS[0])
    assert remaining_steps(unfinished, TINY) == ["discover_law", "report"]


def test_a_head_over_shapes_is_not_replaced_by_one_over_latents(labelled_study):
    study = Study.open(labelled_study)
    study.train_classifier(3, inputs="shapes", models=1, epochs=2, warmup_epochs=1, threads=1)
    assert remaining_steps(overview(study), TINY) == ["train_encoder", "discover_law", "report"]


def test_a_quick_look_searches_over_shapes_and_leaves_the_rest_to_be_chosen(
    buttons, steps, qtbot, monkeypatch
):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: None)
    buttons.preset.setCurrentIndex(0)
    assert "latents" not in buttons.cost.text()
    qtbot.mouseClick(buttons.button, Qt.MouseButton.LeftButton)
    for _ in range(2):
        end(steps[-1])
    assert [run.job.step for run in steps] == ["discover_law", "report"]
    assert steps[0].job.config["inputs"] == "shapes"
    assert steps[0].job.arguments == {"name": "measured"}  # a law over latents, later, does not replace it


@pytest.mark.slow
def test_a_law_over_shapes_is_found_by_a_quick_look_and_a_law_over_latents_can_follow(
    labelled_study, qtbot, monkeypatch
):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: None)
    short = replace(PRESETS[0], law=LawConfig(inputs="shapes", count=1, evaluations=3_000, processes=1))
    monkeypatch.setattr("morpholaw.widgets.study.way_strip.PRESETS", (short, TINY))
    current = CurrentStudy()
    study = current.open(labelled_study)
    widget = WayButtons(current)
    qtbot.addWidget(widget)
    widget.show()
    widget.preset.setCurrentIndex(0)
    qtbot.mouseClick(widget.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not current.way.running and bool(study.table1().shape[0]), timeout=240_000)
    assert not widget.button.isVisible()
    assert widget.preset.isVisible()
    assert "Quick look is done" in widget.cost.text()
    widget.preset.setCurrentIndex(1)
    assert widget.button.isVisible()
    assert "learn the latents" in widget.cost.text()
    current.steps.end_all()


def test_the_cost_is_shown_before_it_is_paid(buttons):
    assert "minute" in buttons.cost.text()
    assert "search for a law" in buttons.cost.text()
    assert "Only about 30 cells of a class will be held out" in buttons.cost.text()


def test_each_class_needs_enough_labels_and_laws_of_many_classes_take_longer(labelled_study_folder):
    few = replace(
        overview(Study.open(labelled_study_folder)), labels={"interphase": 90, "anaphase": 50, "metaphase": 2}
    )
    assert remaining_steps(few, PRESETS[0]) == []
    assert too_few(few) == {"metaphase": 2}
    five = replace(few, labels=dict.fromkeys("abcde", 20), classes=tuple("abcde"))
    assert remaining_steps(five, PRESETS[0]) == ["discover_law", "report"]
    two, many = (PRESETS[0].seconds("discover_law", 2, 100, 100, classes) for classes in (2, 5))
    assert many > 2 * two


def test_the_way_counts_on_the_classes_that_its_law_will_tell_apart(labelled_study, qtbot):
    study = Study.open(labelled_study)
    name = study.sets[0].name
    study.annotations.set_labels({(name, crop): "anaphase" for crop in range(20)})
    current = CurrentStudy()
    current.open(labelled_study)
    buttons = WayButtons(current)
    qtbot.addWidget(buttons)
    assert "The law is for interphase and metaphase only." in buttons.cost.text()
    study.train_classifier(3, classes="all", inputs="shapes", models=1, epochs=2, warmup_epochs=1, threads=1)
    current.classifiers_changed.emit()
    buttons.refresh()  # as the strip of a panel does
    assert current.overview.classes == study.classes
    assert "only." not in buttons.cost.text()
    study.annotations.set_labels({(name, crop): "" for crop in range(15)})
    current.labels_changed.emit()
    assert too_few(current.overview) == {"anaphase": 5}


def test_a_stopped_training_is_estimated_by_its_own_settings(buttons, monkeypatch):
    buttons.preset.setCurrentIndex(1)
    buttons.refresh()
    before = buttons.current.way.seconds(PRESETS[1], 2)
    for place in ("overview", "stopped_training"):
        monkeypatch.setattr(
            f"morpholaw.store.{place}.resumable_training",
            lambda _: EncoderConfig(epochs=5, epoch_crops=1_200_000),
        )
    buttons.current.encoder_changed.emit()
    buttons.refresh()
    assert buttons.current.way.seconds(PRESETS[1], 2) > 5 * before
    assert buttons.current.way.seconds(PRESETS[0], 2) < before  # a law over shapes needs no encoder
    assert "learn the latents" in buttons.cost.text()


@pytest.mark.parametrize("crops", [2_000, 2_000_000])
def test_a_quick_look_costs_least(crops):
    steps = ("train_encoder", "train_classifier", "discover_law")
    quick, *others = (sum(one.seconds(step, 2, crops, 1_000) for step in steps) for one in PRESETS)
    assert all(2 * quick < other for other in others)


def test_the_papers_preset_is_the_papers_settings():
    settings = (
        (PRESETS[-1].encoder, EncoderConfig),
        (PRESETS[-1].heads, ClassifierConfig),
        (PRESETS[-1].law, LawConfig),
    )
    assert all(config == kind(**kind.PAPER) for config, kind in settings)


def test_presets_reach_a_step_as_they_are():
    for preset in PRESETS:
        for config in (preset.encoder, preset.heads, preset.law):
            if config is None:
                continue
            assert type(config).from_values(config.model_dump(mode="json")) == config  # as a job sends them


@pytest.mark.parametrize(
    ("seconds", "words"), [(12, "about 20 seconds"), (61, "about 2 minutes"), (3 * 3600, "about 3.0 hours")]
)
def test_times_are_said_in_words(seconds, words):
    assert about(seconds) == words
