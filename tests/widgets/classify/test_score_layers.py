"""Scores reach the right vertices, labels and points, quickly."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Labels, Tracks

from morpholaw.errors import InputError
from morpholaw.figures.palette import class_colours
from morpholaw.widgets.classify.score_layers import score_labels, score_points, score_tracks

CLASSES = ("interphase", "metaphase")


def scores(track_ids, frames, values) -> pd.DataFrame:
    values = np.asarray(values, float)
    names = np.where(np.isnan(values), "undefined", np.where(values >= 0, *CLASSES[::-1]))
    return pd.DataFrame(
        {
            "track_id": pd.array(track_ids, "Int64"), "t": pd.array(frames, "Int64"),
            "y": np.arange(len(values), dtype=float), "x": 2.0 * np.arange(len(values)),
            "score": values, "class": names,
        }
    )  # fmt: skip


def test_scores_reach_their_vertices_whatever_the_order_of_the_layer():
    # given out of order, which napari sorts
    data = np.array([[7, 1, 0, 0], [2, 0, 1, 1], [7, 0, 2, 2], [2, 1, 3, 3], [9, 0, 4, 4]], float)
    layer = Tracks(data, features={"area": [10.0, 20.0, 30.0, 40.0, 50.0]})
    area_before = dict(zip(map(tuple, layer.data[:, :2]), layer.features["area"], strict=True))
    table = scores([2, 2, 7, 7], [1, 0, 0, 1], [21, -20, -70, 71])
    assert score_tracks(layer, table, CLASSES) == 4
    found = dict(zip(map(tuple, layer.data[:, :2]), layer.features["score"], strict=True))
    assert {key: value for key, value in found.items() if key != (9, 0)} == {
        (2, 0): -20, (2, 1): 21, (7, 0): -70, (7, 1): 71
    }  # fmt: skip
    assert np.isnan(found[9, 0])
    assert layer.features["class"].tolist() == [0, 1, 0, 1, -1]
    assert dict(zip(map(tuple, layer.data[:, :2]), layer.features["area"], strict=True)) == area_before
    assert layer.color_by == "score"


def test_colours_are_the_classes_colours_on_either_side_of_zero():
    layer = Tracks(np.array([[1, t, 0, 0] for t in range(4)], float))
    score_tracks(layer, scores([1, 1, 1], [0, 1, 2], [-5, 0, 5]), CLASSES)
    low, high = (
        np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for c in class_colours(CLASSES).values()
    )
    np.testing.assert_allclose(layer.track_colors[[0, 1, 2], :3], [low, [1, 1, 1], high], atol=0.02)
    layer.color_by = "class"
    np.testing.assert_allclose(layer.track_colors[[0, 1, 2], :3], [low, high, high], atol=0.02)
    np.testing.assert_allclose(layer.track_colors[3, :3], 0.5, atol=0.02)


def test_a_quarter_of_a_million_vertices_take_less_than_two_seconds():
    ids, frames = np.repeat(np.arange(2500), 100), np.tile(np.arange(100), 2500)
    rng = np.random.default_rng(0)
    layer = Tracks(np.column_stack([ids, frames, rng.random((len(ids), 2)) * 500]))
    order = rng.permutation(len(ids))
    table = scores(ids[order], frames[order], rng.normal(size=len(ids)))
    began = time.process_time()
    assert score_tracks(layer, table, CLASSES) == 250_000
    assert time.process_time() - began < 2


def test_tracks_of_another_movie_are_refused_in_a_sentence():
    layer = Tracks(np.array([[100, 0, 0, 0], [100, 1, 0, 0]], float), name="other")
    with pytest.raises(InputError, match="'other' is among the 1 scored cells"):
        score_tracks(layer, scores([1], [0], [3]), CLASSES)


def test_labels_get_an_index_and_the_median_over_time():
    layer = Labels(np.array([[[0, 1], [2, 0]]] * 3))
    count = score_labels(
        layer, scores([1, 1, 1, 2], [0, 1, 2, 0], [-1, -3, 9, np.nan]), CLASSES, class_colours(CLASSES)
    )
    assert count == 1
    assert layer.features[["index", "score", "class", "frames"]].values.tolist() == [
        [1, -1.0, "interphase", 3]
    ]


def test_points_stand_where_the_movie_stands_and_are_renewed():
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((3, 8, 8)), scale=(1, 0.5, 0.5), translate=(0, 10, 10))
    table = scores([1, 2, pd.NA], [0, 1, pd.NA], [-1, 2, 0.5])
    for _ in range(2):
        points = score_points(viewer, table, CLASSES, "scheme 3", like=image)
    assert len(viewer.layers) == 2
    assert len(points.data) == 2
    np.testing.assert_array_equal(points.scale, image.scale)
    assert points.features["class"].tolist() == ["interphase", "metaphase"]
    assert not np.allclose(points.border_color[0], points.border_color[1])


def test_crops_without_a_movie_cannot_be_points():
    with pytest.raises(InputError, match="has a place in a movie"):
        score_points(ViewerModel(), scores([pd.NA], [pd.NA], [1]), CLASSES, "scheme 3")


def test_three_classes_are_coloured_by_class():
    classes = ("interphase", "metaphase", "anaphase")
    table = scores([1, 1, 1, 2], [0, 1, 2, 0], [0.5, 0.4, 2.0, 1.0])
    table["class"] = ["interphase", "metaphase", "metaphase", "anaphase"]
    layer = Tracks(np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 2, 0, 0], [2, 0, 5, 5]], float))
    assert score_tracks(layer, table, classes) == 4
    assert layer.features["class"].tolist() == [0, 1, 1, 2]
    assert layer.color_by == "class"
    drawn = layer.colormaps_dict["class"].map(np.array([0, 1, 2]))
    expected = [[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in class_colours(classes).values()]
    np.testing.assert_allclose(drawn[:, :3], expected, atol=0.01)
    labels = Labels(np.array([[1, 2]]))
    assert score_labels(labels, table, classes, class_colours(classes)) == 2
    assert labels.features["class"].tolist() == ["metaphase", "anaphase"]
    viewer = ViewerModel()
    points = score_points(viewer, table, classes, "scores")
    assert len({tuple(colour) for colour in points.border_color}) == 3
