"""The study that all panels of a viewer share."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy

from morpholaw.cells.crop_set import CropSet
from morpholaw.errors import InputError, StudyGoneError
from morpholaw.study import Study
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.study_bar import StudyBar


@pytest.fixture
def current():
    viewer = ViewerModel()
    current = CurrentStudy.of(viewer)
    current.viewer = viewer  # kept alive for the test
    return current


def test_a_viewer_and_its_proxy_share_one_study_and_two_viewers_do_not():
    first, second = ViewerModel(), ViewerModel()
    assert CurrentStudy.of(first) is CurrentStudy.of(PublicOnlyProxy(first))
    assert CurrentStudy.of(first) is not CurrentStudy.of(second)


def test_opening_tells_every_widget_and_forgets_the_selection(current, labelled_study):
    heard = []
    current.selection = [3]
    current.changed.connect(lambda: heard.append(current.study.name))
    current.selection_changed.connect(heard.append)
    current.open(labelled_study)
    assert heard == ["labelled", []]
    assert len(current.crops) == 240


def test_a_folder_that_is_no_study_leaves_the_open_one_open(current, labelled_study, tmp_path):
    study = current.open(labelled_study)
    with pytest.raises(InputError, match="is not a Morpholaw study"):
        current.open(tmp_path)
    assert current.study is study


def test_a_deleted_study_is_said_to_be_gone(current, labelled_study):
    with pytest.raises(InputError, match="No study is open"):
        current.required()
    current.open(labelled_study)
    shutil.rmtree(labelled_study)
    with pytest.raises(StudyGoneError, match="was moved or deleted"):
        current.required()


def test_a_finished_step_announces_what_it_changed(current, labelled_study):
    heard = []
    current.open(labelled_study)
    before = len(current.crops)
    images = np.asarray(current.crops[[0, 1, 2]])
    current.crops_changed.connect(lambda: heard.append("crops"))
    current.encoder_changed.connect(lambda: heard.append("encoder"))
    CropSet.write(  # as a job does in another process
        Study.open(labelled_study).new_set_folder("more"), images, pd.DataFrame(index=range(3))
    )
    current.announce("crop")
    current.announce("train_encoder")
    assert heard == ["crops", "encoder"]
    assert len(current.crops) == before + 3


def test_selecting_the_same_crops_again_is_silent(current):
    heard = []
    current.selection_changed.connect(heard.append)
    current.select([2, 1])
    current.select([2, 1])
    assert heard == [[2, 1]]


def test_the_bar_opens_makes_and_remembers_studies(qtbot, current, labelled_study, tmp_path):
    line = ErrorLine()
    bar = StudyBar(current, line)
    qtbot.addWidget(bar)
    qtbot.addWidget(line)
    current.changed.connect(bar.show_name)
    assert bar.name.text() == "No study open"
    bar.open_study(labelled_study)
    assert bar.name.text() == "Study: labelled"
    bar.create_study(tmp_path / "new")
    assert bar.name.text() == "Study: new"
    assert [path.rsplit("/", 1)[-1] for path in bar.recent_paths()] == ["new", "labelled"]
    shutil.rmtree(tmp_path / "new")
    bar.recent_menu.aboutToShow.emit()
    assert [action.text().rsplit("/", 1)[-1] for action in bar.recent_menu.actions()] == ["labelled"]
    bar.open_study(tmp_path)
    assert "is not a Morpholaw study" in line.text()


def test_sets_that_do_not_go_together_are_a_sentence_and_the_study_before_stays(
    current, labelled_study, tmp_path
):
    current.open(labelled_study)
    mixed = Study.create(tmp_path / "mixed")
    for side in (16, 32):
        images = np.zeros((3, side, side), np.uint8)
        CropSet.write(mixed.new_set_folder(f"of {side}"), images, pd.DataFrame(index=range(3)))
    with pytest.raises(InputError, match="the same crop size"):
        current.open(tmp_path / "mixed")
    assert current.study.path == labelled_study


def test_two_viewers_of_one_study_see_each_others_labels(current, labelled_study, qtbot):
    other = CurrentStudy()
    for one in (current, other):
        one.open(labelled_study)
    told = []
    current.labels_changed.connect(lambda: told.append("own"))
    current.set_label([0], "anaphase")
    qtbot.waitUntil(lambda: other.labels[0] == "anaphase", timeout=10_000)
    current._study_watch.look()
    assert told == ["own"]  # a window is not told of its own labels twice


def test_a_study_that_is_collected_in_another_thread_leaves_no_timer_running(labelled_study_folder, qtbot):
    """Without an owner, the next tick of the timer crashed PySide6."""
    current = CurrentStudy()
    current.open(labelled_study_folder)
    timers, gone = [current._study_watch._timer, current.collection._timer], weakref.ref(current)
    ended = []
    for timer in timers:
        timer.setInterval(1)
        timer.start()
        timer.destroyed.connect(lambda: ended.append(threading.current_thread()))
    current.itself = current
    del current, timer
    gc.disable()
    try:
        collector = threading.Thread(target=gc.collect)
        collector.start()
        collector.join()
    finally:
        gc.enable()
    assert gone() is None
    qtbot.waitUntil(lambda: ended == 2 * [threading.main_thread()], timeout=5000)


def test_what_another_window_does_to_the_study_is_seen(current, trained_study, qtbot):
    current.open(trained_study)
    current.select([3])
    told = []
    for name in ("crops", "encoder", "classifiers", "laws", "names", "timeline", "validations"):
        getattr(current, f"{name}_changed").connect(lambda name=name: told.append(name))
    current._study_watch.look()
    assert told == []
    current._study_watch._timer.setInterval(100)
    Study.open(trained_study).apply_law(1)
    qtbot.waitUntil(lambda: told == ["classifiers", "laws"], timeout=10_000)
    Study.open(trained_study).name_latent(0, "size")
    qtbot.waitUntil(lambda: told[2:] == ["names"], timeout=10_000)
    assert current.selection == [3]
    Study.open(trained_study).rename_set("simulated", "cells")
    qtbot.waitUntil(lambda: told[3:4] == ["crops"], timeout=10_000)
    assert current.crops.sets[0].name == "cells"
    results = trained_study / "cross_validation" / "scheme2.csv"
    results.parent.mkdir()
    results.write_text("classifier,fold\n")
    qtbot.waitUntil(lambda: told[-1] == "validations", timeout=10_000)
    assert current.selection == []  # the number may now be that of another cell
