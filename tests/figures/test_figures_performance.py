"""Rashomon set, confusion matrix, ROC curves and score histogram."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.figures.performance import class_roc, confusion, roc, roc_curve
from morpholaw.figures.rashomon import rashomon
from morpholaw.figures.style import DARK

RNG = np.random.default_rng(0)
LABELS = np.where(np.arange(200) % 2, 1, -1)


def test_rashomon_on_a_log_axis(draw, texts):
    figure = rashomon([9697, 8641, 180, 17], [0.997, 0.99, 0.97, 0.974], [1, 2, 3, 4], within=0.03)
    draw(figure)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert {
        "scheme 1",
        "scheme 4",
        "smallest within 3 %",
        "expression size (nodes)",
        "test accuracy (%)",
    } <= texts(figure)
    ring = axes.lines[-1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == pytest.approx((17, 97.4))


def test_rashomon_coloured_by_a_constraint(draw, texts):
    figure = rashomon(
        [9697, 180, 17],
        [0.99, 0.97, 0.97],
        [1, 3, 4],
        colour=[0.3, np.nan, 0.1],
        colour_name="pixel $",
        theme=DARK,
    )
    draw(figure)
    assert r"pixel \$" in texts(figure)


def test_rashomon_without_a_tested_model(draw, texts):
    figure = rashomon([], [], [])
    draw(figure, colours=5)
    assert "no model has been tested" in texts(figure)


def test_confusion_gives_shares_and_counts(draw, texts):
    figure = confusion([[90, 10], [0, 0]], ["interphase", "metaphase"])
    draw(figure)
    assert {"90.0 %\n(90)", "10.0 %\n(10)", "n/a", "true class", "predicted class"} <= texts(figure)


@pytest.mark.parametrize("width", [3.2, 5.0])
def test_confusion_of_five_classes_fits(draw, width):
    classes = ["interphase", "prometaphase", "metaphase", "anaphase", "apoptosis"]
    draw(confusion(RNG.integers(1, 99, (5, 5)), classes, figsize=(width, None)))
    with pytest.raises(InputError, match="confusion matrix must have shape"):
        confusion(np.ones((2, 3)), classes)


@pytest.mark.parametrize("width", [4.2, 8.0])
def test_counts_of_sixteen_classes_do_not_touch(draw, texts, width):
    classes = [f"a class with a long name {place}" for place in range(16)]
    figure = confusion(np.full((16, 16), 88), classes, figsize=(width, None))
    draw(figure)
    assert {"1 a class with a long name 0", "16"} <= texts(figure)
    counts = [text.get_window_extent() for text in figure.axes[0].texts]
    assert all(one.x1 < other.x0 for one, other in pairwise(counts[:16]))


@pytest.mark.parametrize("count", [3, 16])
def test_roc_curves_of_three_classes_share_axes_and_of_sixteen_have_each_its_own(draw, texts, count):
    names = [f"a longer class {place}" for place in range(count)]
    targets = np.arange(20 * count) % count
    scores = RNG.normal(size=(len(targets), count))
    scores[:, 0] = targets == 0  # told apart without an error
    figure = class_roc(scores, targets, names, dict.fromkeys(names, "#0072b2"))
    draw(figure)
    assert len(figure.axes) == (1 if count == 3 else 16)
    assert any(text.startswith(names[0]) and text.endswith("area 1.000") for text in texts(figure))
    labels = [figure.axes[0].yaxis.label] if count == 3 else figure.texts
    assert all(label.get_window_extent().x0 >= 0 for label in labels)


def test_roc_zooms_in_where_all_schemes_are_good(draw, texts):
    good = LABELS * 2 + RNG.normal(size=(10, 200))
    figure = roc({1: good, 4: good[0]}, LABELS)
    draw(figure)
    assert len(figure.axes[0].child_axes) == 1
    assert any(text.startswith("scheme 1: area 0.99") and "±" in text for text in texts(figure))
    assert not roc({1: RNG.normal(size=200)}, LABELS).axes[0].child_axes


def test_roc_of_one_class_or_nan_scores(draw, texts):
    figure = roc({1: np.zeros(200)}, np.ones(200))
    draw(figure)
    assert "cells of both classes are needed" in texts(figure)
    scores = np.where(LABELS > 0, 1.0, np.nan)
    draw(roc({1: scores, 2: LABELS.astype(float)}, LABELS))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40))
def test_roc_area_is_the_probability_of_the_right_order(cells):
    scores, positive = np.array([c[0] for c in cells], float), np.array([c[1] for c in cells])
    fpr, tpr = roc_curve(scores, positive)
    if positive.all() or not positive.any():
        assert len(fpr) == 0
        return
    differences = scores[positive][:, None] - scores[~positive]
    expected = ((differences > 0) + 0.5 * (differences == 0)).mean()
    assert np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2) == pytest.approx(expected)
