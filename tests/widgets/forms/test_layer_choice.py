"""The choice of a layer follows the viewer and prefers what serves best."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Tracks

from morpholaw.widgets.forms.layer_choice import LayerChoice

VERTICES = np.array([[1, 0, 5, 5], [1, 1, 6, 6], [2, 2, 7, 7], [2, 3, 8, 8]], float)


@pytest.fixture
def viewer():
    return ViewerModel()


def choice_of(viewer, qtbot, *kinds):
    choice = LayerChoice(viewer, *kinds)
    qtbot.addWidget(choice)
    return choice


def shown(choice):
    native = choice.combo.native
    return [native.itemText(row) for row in range(native.count())]


def test_tracks_with_divisions_are_preferred_to_labels_and_to_tracks_without(viewer, qtbot):
    divisions = viewer.add_tracks(VERTICES, graph={2: [1]}, name="with divisions")
    viewer.add_tracks(VERTICES, name="without")
    viewer.add_labels(np.zeros((4, 9, 9), int), name="masks")
    assert choice_of(viewer, qtbot, Tracks, Labels).layer is divisions


def test_tracks_that_come_later_take_the_place_of_labels_unless_those_were_chosen(viewer, qtbot):
    masks = viewer.add_labels(np.zeros((4, 9, 9), int))
    waiting, decided = choice_of(viewer, qtbot, Tracks, Labels), choice_of(viewer, qtbot, Tracks, Labels)
    decided.choose(masks)
    tracks = viewer.add_tracks(VERTICES)
    assert waiting.layer is tracks
    assert decided.layer is masks


def test_another_movie_does_not_take_the_place_of_the_one_shown(viewer, qtbot):
    movie = viewer.add_image(np.zeros((4, 9, 9)))
    choice = choice_of(viewer, qtbot, Image)
    viewer.add_image(np.zeros((4, 9, 9)))
    assert choice.layer is movie


def test_names_follow_the_layers_and_the_choice_stays(viewer, qtbot):
    first, second = (viewer.add_image(np.zeros((4, 9, 9)), name=name) for name in ("a", "b"))
    choice = choice_of(viewer, qtbot, Image)
    assert choice.layer is second
    heard = []
    choice.layer_changed.connect(lambda: heard.append(choice.layer))
    second.name = "movie"
    assert shown(choice) == ["(none)", "a", "movie"]
    assert (choice.layer, heard) == (second, [])
    viewer.layers.remove(second)
    assert (choice.layer, heard) == (first, [first])
    choice.choose(None)
    assert heard == [first, None]
    viewer.add_image(np.zeros((4, 9, 9)))
    assert choice.layer is None
