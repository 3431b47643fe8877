"""The strip says what the study holds and opens the panel for what comes next."""

from __future__ import annotations

import shutil

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices

from morpholaw.events import Monitor, Progress, StopFlag
from morpholaw.store.overview import _next_step
from morpholaw.study import Study
from morpholaw.widgets.cells.panel import CellsWidget
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.docks import dock_of


@pytest.fixture
def panel(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    widget = CellsWidget(viewer)
    viewer.window.add_dock_widget(widget)
    qtbot.wait(50)
    return widget


def test_without_a_study_the_strip_says_how_to_begin(panel):
    strip = panel.way_strip
    assert "press New..." in strip.contents.text()
    assert not strip.next_button.isVisible()
    assert not strip.way.isVisible()


def test_a_labelled_study_is_led_to_its_encoder(panel, qtbot, labelled_study_folder):
    CurrentStudy.of(panel.viewer).open(labelled_study_folder)
    strip = panel.way_strip
    assert strip.isVisible()
    contents = strip.contents.text().replace("\N{NO-BREAK SPACE}", " ")
    assert contents == "240 crops · 240 labelled · no encoder · no scheme · no law"
    assert "(Latents)" in strip.next_button.text()
    qtbot.mouseClick(strip.next_button, Qt.MouseButton.LeftButton)
    latents = panel.viewer.window.dock_widgets["Latents (Morpholaw)"]  # as the menu names it
    dock_of(latents).close()
    qtbot.mouseClick(strip.next_button, Qt.MouseButton.LeftButton)
    assert not dock_of(latents).isHidden()
    assert panel.viewer.window.dock_widgets["Latents (Morpholaw)"] is latents


def test_a_training_that_was_stopped_is_resumed_next_and_no_text_is_cut_off(panel, qtbot, labelled_study):
    study = Study.open(labelled_study)
    tiny = {"latents": 4, "filters": (4, 8, 8, 16), "hidden": 16, "epochs": 3, "epoch_crops": 480}
    stop = StopFlag()
    monitor = Monitor(lambda event: stop.set() if isinstance(event, Progress) else None, stop)
    study.train_encoder(**tiny, threads=1, device="cpu", monitor=monitor)
    CurrentStudy.of(panel.viewer).open(study.path)
    strip = panel.way_strip
    assert strip.next_button.text() == "Next: Resume the training of the encoder (Latents)"
    assert "encoder stopped" in strip.contents.text().replace("\N{NO-BREAK SPACE}", " ")
    wide = strip.next_button.fontMetrics().horizontalAdvance
    crops, enough = {"movie": 100}, {"interphase": 50, "metaphase": 50}
    steps = [
        _next_step(study, *state)
        for state in (
            ({}, {}, False, False, set()),
            (crops, {}, False, False, set()),
            (crops, {}, True, False, set()),
            (crops, enough, True, False, set()),
            (crops, enough, True, False, {3}),
        )
    ]
    assert len({step.text for step in steps}) == 5
    assert all(wide(f"Next: {step.text} ({step.panel})") < 380 for step in steps)


def test_the_strip_follows_labels_and_says_what_is_out_of_date(panel, trained_study_folder, tmp_path):
    current = CurrentStudy.of(panel.viewer)
    study = current.open(shutil.copytree(trained_study_folder, tmp_path / "study"))
    assert not panel.way_strip.warning.isVisible()
    study.annotations.set_labels({(study.sets[0].name, crop): "apoptosis" for crop in range(3)})
    current.labels_changed.emit()
    assert panel.way_strip.warning.isVisible()
    assert "labelled cells; there are 237 now" in panel.way_strip.warning.text()


def test_a_study_that_is_deleted_while_it_is_open_is_said_to_be_gone(panel, labelled_study):
    panel.current.open(labelled_study)
    assert "240" in panel.way_strip.contents.text()
    shutil.rmtree(labelled_study)
    panel.current.announce_change("crops")
    assert "no longer exists; it was moved or deleted. Press Open..." in panel.way_strip.contents.text()
    assert not panel.way_strip.next_button.isVisible()


def test_a_long_warning_leaves_room_for_the_panel_until_it_is_unfolded(panel, qtbot):
    warning = panel.way_strip.warning
    warning.say("Sets differ by 97 %. Label <both> in each.\nAn encoder is old.", "1 more warning")
    warning.show()
    folded = warning.text()
    assert "Sets differ by 97 %." in folded
    assert "1 more warning" in folded
    assert "Label" not in folded
    warning.setFocus()
    qtbot.keyClick(warning, Qt.Key.Key_Tab)  # to the link
    qtbot.keyClick(warning, Qt.Key.Key_Return)
    assert "Label &lt;both&gt; in each.<br>An encoder is old." in warning.text()
    assert "Less" in warning.text()
    warning.say("Another. One.")
    assert "One." not in warning.text()


def test_where_all_is_there_a_button_writes_the_report_and_opens_it(
    panel, qtbot, trained_study_folder, tmp_path, monkeypatch
):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    folder = shutil.copytree(trained_study_folder, tmp_path / "study")
    shutil.rmtree(folder / "classifiers" / "scheme2")  # the way needs 3 and 4, and a report of two is quicker
    study = CurrentStudy.of(panel.viewer).open(folder)
    strip = panel.way_strip
    with qtbot.waitSignal(strip.report.finished, timeout=240_000):
        qtbot.mouseClick(strip.next_button, Qt.MouseButton.LeftButton)
    assert [url.toLocalFile() for url in opened] == [str(study.path / "report.html")]
    assert (study.path / "report.html").is_file()
