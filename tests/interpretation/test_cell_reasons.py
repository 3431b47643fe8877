"""Why a cell is called what it is: every change that is named does change the class, and terms add up."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from morpholaw.cells.shape_features import choose_features
from morpholaw.errors import InputError
from morpholaw.interpretation.cell_reasons import cell_reasons
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import Call, Constant, Variable
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from random_laws import random_laws, rounded

NAMES = ("width", "contrast", "z1")
FEATURES = choose_features(NAMES[:2], 0.33)
CLASSES = ("interphase", "metaphase")
CELLS = FeatureTable(
    np.random.default_rng(0).normal([12, 0.3, 0], [3, 0.1, 1], (300, 3)).clip([2, 0.02, -3], [20, 1, 3]),
    NAMES,
)
LAWS = random_laws(NAMES, rounded(-3, 12), unary=("square", "exp", "log", "abs"), max_leaves=6)


@settings(max_examples=80)
@example(
    Call("/", (Constant(1.0), Call("log", (Variable("z1", 2),)))), 0, "size"
)  # no value where the class changes
@given(LAWS, st.integers(0, 299), st.sampled_from(["size", "−size", ""]))
def test_every_change_that_is_named_changes_the_class(expression, cell, word):
    law, row = Law(expression, NAMES), CELLS.values[cell]
    found = cell_reasons(law, row, CELLS, CLASSES, FEATURES, {"z1": word} if word else {})
    before = int(law.predict(FeatureTable(row[None], NAMES))[0])
    if before < 0:
        assert "has no class" in found.text
        return
    assert found.predicted == CLASSES[before]
    for flip in found.flips:
        latent = "z1" in flip.feature.name
        column = 2 if latent else NAMES.index(flip.feature.name)
        sign = -1 if latent and word == "−size" else 1
        assert flip.value == pytest.approx(sign * row[column])
        changed = row.copy()
        changed[column] = sign * flip.at
        assert int(law.predict(FeatureTable(changed[None], NAMES))[0]) == 1 - before, flip.text
        assert ("above" in flip.text) == (sign * (changed[column] - row[column]) > 0)
    assert list(found.flips) == sorted(found.flips, key=lambda one: one.deviations)


def test_a_cell_is_explained_in_units():
    law = Law.parse("9 - width + 20*contrast", NAMES)
    found = cell_reasons(law, np.array([8.0, 0.1, 0.0]), CELLS, CLASSES, FEATURES)
    assert found.predicted == "metaphase"
    assert found.inequality == "20 * contrast - width >= -9"
    assert found.decisive is not None
    assert found.decisive.text == "-width"
    assert [term.value for term in found.terms] == pytest.approx([2.0, -8.0])
    assert "Decisive: width, 8 µm here and 11.6 µm in the median cell" in found.text
    assert "It would be called interphase with width above 11 µm (8 µm here)" in found.text
    assert "closer to the boundary" in found.text


def test_the_condition_of_a_rule_that_fails_decides():
    law = Law.parse("min(9 - width, contrast - 0.25)", NAMES)
    found = cell_reasons(law, np.array([8.0, 0.1, 0.0]), CELLS, CLASSES, FEATURES)
    assert found.predicted == "interphase"
    assert "Decisive: contrast >= 0.25 does not hold." in found.text
    assert "called metaphase with contrast above 0.25 (0.1 here)" in found.text


def test_conditions_in_different_units_are_compared_by_their_spread():
    """Width is 0.5 µm from its limit, a sixth of its spread; contrast 0.15, one and a half times its spread."""
    law = Law.parse("min(9 - width, contrast - 0.25)", NAMES)
    found = cell_reasons(law, np.array([8.5, 0.4, 0.0]), CELLS, CLASSES, FEATURES)
    assert found.predicted == "metaphase"
    assert "Decisive: width <= 9 holds." in found.text
    assert found.flips[0].feature.name == "width"


def test_a_latent_is_spoken_of_in_the_direction_of_its_name():
    law = Law.parse("z1 - 0.5", NAMES)
    found = cell_reasons(law, np.array([8.0, 0.1, 2.0]), CELLS, CLASSES, FEATURES, {"z1": "−size"})
    assert found.inequality == "size <= -0.5"
    assert "interphase with size (−z1) above −0.5 (−2 here)" in found.text


def test_a_cell_without_a_nucleus_has_no_class():
    law = Law.parse("width - 9", NAMES)
    found = cell_reasons(law, np.array([np.nan, 0.1, 2.0]), CELLS, CLASSES, FEATURES)
    assert found.text == "This cell has no class: width could not be measured."
    with pytest.raises(InputError, match="one value for each"):
        cell_reasons(law, np.zeros(2), CELLS, CLASSES, FEATURES)


def test_a_change_that_holds_between_two_values_is_not_said_to_hold_beyond():
    law = Law.parse("1 - square(width - 12)", NAMES)  # positive from 11 to 13 µm
    row = np.array([8.0, 0.3, 0.0])
    found = cell_reasons(law, row, CELLS, CLASSES, FEATURES)
    (flip,) = found.flips
    assert flip.at == pytest.approx(11)
    assert flip.until == pytest.approx(13, abs=0.1)  # to the nearest value of a grid
    first, last = re.search(r"width from (\S+) to (\S+) µm \(8 µm here\)", found.text).groups()
    rows = np.tile(row, (50, 1))
    rows[:, 0] = np.linspace(float(first), float(last), 50)
    assert (law.predict(FeatureTable(rows, NAMES)) == 1).all()


def test_a_cell_on_the_boundary_is_told_from_it():
    law = Law.parse("width - 12.0004", NAMES)
    found = cell_reasons(law, np.array([12.0, 0.3, 0.0]), CELLS, CLASSES, FEATURES)
    assert "width above 12.0004 µm (12 µm here)" in found.text


THREE = ClassLaws(
    {
        name: Law.parse(text, NAMES)
        for name, text in {
            "apoptosis": "3 - width + 4*contrast",
            "metaphase": "1 - square(width - 10) + z1",
            "interphase": "width - 16 - z1",
        }.items()
    }
)


@pytest.mark.parametrize("cell", range(0, 300, 5))
@pytest.mark.parametrize("word", ["size", "−size"])
def test_among_several_classes_the_named_class_is_the_one_that_a_changed_cell_gets(cell, word):
    row = CELLS.values[cell]
    scores = THREE.score(FeatureTable(row[None], NAMES))[0]
    first, second = (THREE.classes[number] for number in np.argsort(-scores)[:2])
    found = cell_reasons(
        THREE.against(first, second), row, CELLS, (second, first), FEATURES, {"z1": word}, THREE
    )
    assert found.predicted == first
    assert found.flips
    assert found.flips[0].becomes in found.text.replace(f"class: {first}", "")
    for flip in found.flips:
        column = 2 if "z1" in flip.feature.name else NAMES.index(flip.feature.name)
        sign = -1 if column == 2 and word == "−size" else 1
        assert flip.becomes != first
        for value in (flip.at, flip.at if flip.until is None else (flip.at + flip.until) / 2):
            changed = row.copy()
            changed[column] = sign * value
            (number,) = THREE.predict(FeatureTable(changed[None], NAMES))
            assert THREE.classes[number] == flip.becomes, flip.text


def limits(text: str) -> tuple[float, float | None]:
    """Return the numbers of "width above 11.2 µm (8.4 µm here)", or the two of "width from 11.2 to 13 µm (...)"."""
    first, last = re.search(
        r"(?:above|below|from) ([\d.,e\u2212-]+)(?: to ([\d.,e\u2212-]+))?", text
    ).groups()
    plain = [None if one is None else one.replace(",", "").replace("\u2212", "-") for one in (first, last)]
    return tuple(None if one is None else float(one) for one in plain)


@settings(max_examples=60)
@given(LAWS, st.integers(0, 299))
def test_a_cell_with_the_value_that_is_printed_has_the_class_that_is_named(expression, cell):
    law, row = Law(expression, NAMES), CELLS.values[cell]
    for flip in cell_reasons(law, row, CELLS, CLASSES, FEATURES).flips:
        if abs(flip.at - flip.value) < 1e-5 * abs(flip.at):
            continue  # seven digits cannot tell the two apart
        column = 2 if "z1" in flip.feature.name else NAMES.index(flip.feature.name)
        for printed in limits(flip.text):
            if printed is None:
                continue
            changed = row.copy()
            changed[column] = printed
            assert CLASSES[int(law.predict(FeatureTable(changed[None], NAMES))[0])] == flip.becomes
