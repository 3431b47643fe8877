"""No sentence contradicts its law: what it says pushes towards a class, and thresholds are where the class changes."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.cells.shape_features import choose_features
from morpholaw.interpretation.law_sentence import law_sentence
from morpholaw.interpretation.monotone import directions
from morpholaw.models.features import FeatureTable, ModelColumns
from morpholaw.models.law import Law
from morpholaw.models.law_units import law_in_units
from random_laws import random_laws, rounded

NAMES = ("width", "axis_ratio", "contrast")
FEATURES = choose_features(NAMES, 0.33)
CLASSES = ("interphase", "metaphase")
CELLS = FeatureTable(
    np.random.default_rng(0).normal([12, 1.6, 0.3], [3, 0.3, 0.1], (300, 3)).clip([2, 1, 0.02]), NAMES
)


@settings(max_examples=300)
@given(random_laws(NAMES, rounded(-3, 12)), st.integers(0, 2**32 - 1))
def test_no_sentence_contradicts_its_law(expression, seed):
    law = Law(expression, NAMES)
    found = law_sentence(law, CELLS, CLASSES, FEATURES)
    random = np.random.default_rng(seed)
    low, high = np.quantile(CELLS.values, [0.005, 0.995], axis=0)
    for push in found.pushes:
        column = NAMES.index(push.feature.name)
        one = random.uniform(low, high, (60, 3))
        other = one.copy()
        other[:, column] = random.uniform(one[:, column], high[column])
        before, after = (law.predict(FeatureTable(rows, NAMES)) for rows in (one, other))
        clear = np.minimum(
            np.abs(law.score(FeatureTable(one, NAMES))), np.abs(law.score(FeatureTable(other, NAMES)))
        )
        defined = (before >= 0) & (after >= 0) & (clear > 1e-9)
        if push.direction > 0:
            assert np.all(before[defined] <= after[defined]), found.text
        if push.direction < 0:
            assert np.all(before[defined] >= after[defined]), found.text
        if push.threshold is not None:
            middle = np.median(CELLS.values, axis=0)
            below, above = middle.copy(), middle.copy()
            below[column], above[column] = push.threshold * (1 - 1e-6), push.threshold * (1 + 1e-6)
            sides = law.predict(FeatureTable(np.stack([below, above]), NAMES)).tolist()
            assert sides == ([0, 1] if push.direction > 0 else [1, 0]), found.text


def test_a_law_is_said_in_words_and_units():
    law = Law.parse("2*exp(9 - width + 0.5*(axis_ratio - 1.9)) - 2", NAMES)
    found = law_sentence(law, CELLS, CLASSES, FEATURES)
    assert (
        "Called metaphase rather than interphase: nuclei that are narrower and more elongated." in found.text
    )
    assert "width is below 8.8" in found.text
    assert " µm" in found.text
    assert found.inequality == "axis_ratio - 2 * width >= -16.1"


@pytest.mark.parametrize(
    ("formula", "limits"),
    [("3 - abs(width - 12)", "between 9 and 15 µm"), ("abs(width - 12) - 3", "below 9 µm or above 15 µm")],
)
def test_a_single_input_that_counts_in_both_directions_comes_with_its_limits(formula, limits):
    found = law_sentence(Law.parse(formula, NAMES), CELLS, CLASSES, FEATURES)
    assert found.text == f"Cells are called metaphase if width is {limits}."


@pytest.mark.parametrize("formula", ["area - 1038.46", "30 - abs(area - 1041.27)"])
def test_the_limits_of_a_single_input_have_the_digits_that_classes_need(formula):
    area = np.random.default_rng(0).normal(1040, 30, 400)
    cells, law = FeatureTable(area[:, None], ("area",)), Law.parse(formula, ["area"])
    text = law_sentence(law, cells, CLASSES, choose_features(("area",), None)).text
    limits = [float(one.replace(",", "")) for one in re.findall(r"(?:above|between|and) ([\d.,]+)", text)]
    inside = area > limits[0] if len(limits) == 1 else (area > limits[0]) & (area < limits[1])
    assert inside.tolist() == (law.predict(cells) == 1).tolist()


def test_the_limits_of_a_latent_are_those_of_its_name():
    cells = FeatureTable(np.random.default_rng(0).normal(size=(200, 1)), ("z1",))
    found = law_sentence(Law.parse("1 - abs(z1 - 0.5)", ("z1",)), cells, CLASSES, words={"z1": "−size"})
    assert found.text == "Cells are called metaphase if size (−z1) is between −1.5 and 0.5."


def test_inputs_that_count_in_both_directions_come_with_their_limits_and_how_often_they_favour_each_class():
    width, contrast = CELLS.select(["width", "contrast"]).T
    found = law_sentence(Law.parse("(width - 9)*(contrast - 0.2)", NAMES), CELLS, CLASSES, FEATURES)
    assert found.text == (
        "With all other inputs at their median, cells are called metaphase if width is above 9 µm or contrast is "
        f"above 0.2. Larger values of width favour metaphase in {np.mean(contrast > 0.2):.0%} of the cells and "
        f"interphase in the others; larger values of contrast favour metaphase in {np.mean(width > 9):.0%} of the "
        "cells and interphase in the others."
    ).replace("%", " %")


def test_how_often_a_latent_favours_a_class_refers_to_its_name():
    rng = np.random.default_rng(0)
    cells = FeatureTable(np.column_stack([rng.normal(size=200), rng.uniform(1, 2, 200)]), ("z1", "z2"))
    law = Law.parse("z1*z2*(z2 - 1.2)", ("z1", "z2"))
    text = law_sentence(law, cells, CLASSES, words={"z1": "−size"}).text
    share = np.mean(cells.values[:, 1] < 1.2)  # there, smaller z1 and therefore larger size favours metaphase
    assert f"Larger values of size (−z1) favour metaphase in {share:.0%}".replace("%", " %") in text


def test_a_law_whose_threshold_no_cell_reaches_is_said_to_call_one_class():
    found = law_sentence(Law.parse("width - 1000", NAMES), CELLS, CLASSES, FEATURES)
    assert (
        found.text
        == "All labelled cells are called interphase: none reaches the value at which the class changes."
    )


def test_latents_are_said_by_their_names_and_signs():
    cells = FeatureTable(np.random.default_rng(0).normal(size=(200, 2)), ("z1", "z2"))
    law = Law.parse("z1 - z2", ("z1", "z2"))
    found = law_sentence(law, cells, CLASSES, words={"z1": "−size"})
    assert "nuclei that are smaller (−z1), with a lower z2." in found.text
    assert "called metaphase if size (−z1) is below " in found.text
    both = law_sentence(
        Law.parse("z1 + 10 - width", ("z1", "width")),
        FeatureTable(np.column_stack([cells.values[:, 0], np.linspace(5, 15, 200)]), ("z1", "width")),
        CLASSES,
        FEATURES,
    )
    assert "nuclei that are narrower, with a higher z1." in both.text


def test_a_constant_law_says_so():
    assert "Every cell is called metaphase" in law_sentence(Law.parse("3", NAMES), CELLS, CLASSES).text


def test_directions_are_proved_where_an_input_occurs_twice():
    law = Law.parse("square(width) - width", NAMES)
    assert directions(law.expression, {"width": (1.0, 9.0)}) == {"width": 1}
    assert directions(law.expression, {"width": (0.0, 9.0)}) == {"width": 0}


def test_a_law_in_units_has_the_scores_of_the_standardised_law():
    measured = pd.DataFrame(CELLS.values, columns=list(NAMES))
    columns = ModelColumns.fitted(FEATURES, measured, (), 0.33)
    law = Law.parse("2*contrast - abs(width)*axis_ratio + 0.3", NAMES)
    standardised = FeatureTable(columns.standardise(CELLS), NAMES)
    assert law_in_units(law, columns).score(CELLS) == pytest.approx(law.score(standardised))
    assert law_in_units(law, None) is law
