"""Curves over time: training, one track's score; and the search of settings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import same_color

from morpholaw.errors import InputError
from morpholaw.figures.style import DARK
from morpholaw.figures.tracks import probabilities_over_time, score_over_time
from morpholaw.figures.training import running_mean, training_curves

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("width", [3.2, 6.4])
def test_a_panel_for_each_loss(draw, texts, width):
    steps = np.arange(200) * 10
    history = {
        "reconstruction": 1e3 * np.exp(-steps / 200),
        "I (nats)": steps / 500,
        "TC (nats)": RNG.random(200),
    }
    figure = training_curves(history, steps, figsize=(width, None))
    draw(figure)
    assert {"reconstruction", "I (nats)", "TC (nats)", "step"} <= texts(figure)
    assert [axes.get_yscale() for axes in figure.axes[:3]] == ["log", "linear", "linear"]


def test_members_missing_values_and_the_first_step(draw, texts):
    runs = RNG.random((10, 50))
    runs[:, 10] = np.nan
    draw(training_curves({"loss": runs}))
    draw(training_curves({"loss": [1.0]}))
    figure = training_curves({"loss": np.full(5, np.nan)})
    draw(figure)
    assert "no finite value yet" in texts(figure)


def test_history_is_checked():
    with pytest.raises(InputError, match="no training history"):
        training_curves({})
    with pytest.raises(InputError, match="history of loss must have shape"):
        training_curves({"loss": np.ones(3)}, np.arange(4))


@given(st.lists(st.floats(-10, 10) | st.just(np.nan), min_size=5, max_size=40), st.sampled_from([3, 5]))
def test_running_mean_stays_within_its_window(values, window):
    values = np.array(values)
    smooth = running_mean(values, window)
    for index, mean in enumerate(smooth):
        near = values[max(0, index - window // 2) : index + window // 2 + 1]
        near = near[np.isfinite(near)]
        assert np.isnan(mean) if not len(near) else mean == pytest.approx(near.mean(), abs=1e-9)


def test_track_with_its_division(draw, texts):
    scores = RNG.normal(-3, 0.2, (10, 40))
    scores[:, 35:38] += 6
    scores[:, 12] = np.nan
    figure = score_over_time(np.arange(40), scores, divisions=[38], title="track 17")
    draw(figure)
    assert {"frame", "score f(x)", "division", "interphase", "metaphase", "track 17"} <= texts(figure)
    division = next(line for line in figure.axes[0].lines if line.get_label() == "division")
    assert division.get_xdata()[0] == 38


def test_calls_along_a_track_are_dots_in_their_class_colour(draw):
    figure = score_over_time([0, 1, 2], [-1.0, 2.0, 3.0], called=["interphase", "interphase", "metaphase"])
    draw(figure)
    first, second, third = figure.axes[0].collections[-1].get_facecolors()
    assert (first == second).all()
    assert (second != third).any()
    with pytest.raises(InputError, match="2 classes for 3 frames"):
        score_over_time([0, 1, 2], [1, 2, 3], called=["interphase", "metaphase"])


def test_a_score_far_out_does_not_flatten_the_others(draw):
    axes = score_over_time([0, 1, 2, 3], [-66.0, -2.0, -1.5, 1.5]).axes[0]
    assert axes.get_yscale() == "symlog"
    assert score_over_time([0, 1, 2, 3], [-6.0, -2.0, -1.5, 1.5]).axes[0].get_yscale() == "linear"
    heights = axes.transData.transform([(0, y) for y in (-66, -2, 1.5)])[:, 1]
    assert heights[2] - heights[1] > 0.2 * (heights[1] - heights[0])
    draw(axes.figure)


def test_track_of_one_frame_and_without_scores(draw, texts):
    draw(score_over_time([3], [0.5], theme=DARK))
    figure = score_over_time([1, 2], [np.nan, np.nan])
    draw(figure, colours=5)
    assert "no score is finite" in texts(figure)
    with pytest.raises(InputError, match="scores must have shape"):
        score_over_time([1, 2], [1, 2, 3])


def test_frames_have_whole_numbers_and_the_legend_shows_the_classes():
    axes = score_over_time(
        [0, 1, 2, 3], [-1.0, 2.0, 3.0, 1.0], colours={"interphase": "#112233", "metaphase": "#445566"}
    ).axes[0]
    assert all(tick == round(tick) for tick in axes.get_xticks())
    patches = axes.get_legend().get_patches()
    assert [patch.get_facecolor()[3] for patch in patches] == [0.6, 0.6]
    assert patches[0].get_facecolor()[:3] == pytest.approx((0x11 / 255, 0x22 / 255, 0x33 / 255))


def test_probabilities_of_a_track_are_stacked_with_a_gap_where_undefined():
    shares = np.array([[0.7, 0.2, 0.1], [np.nan] * 3, [0.1, 0.1, 0.8]])
    figure = probabilities_over_time(np.arange(3), shares, ("a", "b", "c"), divisions=[2])
    areas = figure.axes[0].collections
    assert len(areas) == 3
    highest = areas[-1].get_paths()
    assert len(highest) == 2  # the gap
    np.testing.assert_allclose(highest[0].vertices[:, 1].max(), 1)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "c", "division"]


def test_the_legend_of_probabilities_is_read_in_the_dark_and_over_no_title(draw):
    classes = ("interphase", "prometaphase", "metaphase", "anaphase", "apoptosis")
    figure = probabilities_over_time(
        np.arange(3), np.full((3, 5), 0.2), classes, title="Track 9", theme=DARK, figsize=(3.3, None)
    )
    draw(figure)
    legend, title = figure.legends[0], figure.axes[0].title
    assert all(same_color(text.get_color(), DARK.foreground) for text in legend.get_texts())
    renderer = figure.canvas.get_renderer()
    inside = figure.bbox
    for text in legend.get_texts():
        box = text.get_window_extent(renderer)
        assert not box.overlaps(title.get_window_extent(renderer))
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
