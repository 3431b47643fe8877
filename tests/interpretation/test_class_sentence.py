"""Sentences, vetoes and regions of one class among several say what the largest of the laws does."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.cells.shape_features import choose_features
from morpholaw.errors import InputError
from morpholaw.interpretation.class_regions import class_regions
from morpholaw.interpretation.class_sentence import class_sentence, input_ranges
from morpholaw.interpretation.vetoes import find_class_vetoes
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law

NAMES = ("area", "axis_ratio", "contrast")
FEATURES = choose_features(NAMES, 0.33)
LAWS = ClassLaws(
    {
        name: Law.parse(text, NAMES)
        for name, text in {
            "interphase": "0.05*area - 4",
            "metaphase": "2*axis_ratio - 3",
            "apoptosis": "8*contrast - square(axis_ratio - 1)",
        }.items()
    }
)


def cells(count=600, seed=0):
    values = np.random.default_rng(seed).uniform([20, 1, 0.02], [160, 3, 0.5], (count, 3))
    table = FeatureTable(values, NAMES)
    return table, np.array(LAWS.classes)[LAWS.predict(table)]


@pytest.mark.parametrize("name", LAWS.classes)
def test_no_sentence_contradicts_the_largest_law(name):
    table, labels = cells()
    said = class_sentence(LAWS, name, table, labels, FEATURES)
    number = LAWS.classes.index(name)
    assert labels[said.typical] == name
    row = table.values[said.typical]
    for room in said.rooms:
        column = NAMES.index(room.feature.name)
        low, high = input_ranges(table, NAMES)[room.feature.name]
        inside = np.linspace(room.low or low, room.high or high, 50)
        around = np.tile(row, (50, 1))
        around[:, column] = inside
        assert (LAWS.predict(FeatureTable(around, NAMES)) == number).all()
        for limit, beyond, side in ((room.low, room.below, -1), (room.high, room.above, 1)):
            if limit is not None:
                past = row.copy()
                past[column] = limit + side * 0.002 * (high - low)
                assert LAWS.classes[LAWS.predict(FeatureTable(past[None], NAMES))[0]] == beyond[0]
    called = LAWS.predict(table) == number
    for push in said.pushes:  # more of it never takes the class away
        more = table.values.copy()
        column = NAMES.index(push.feature.name)
        more[:, column] += push.direction * 0.1 * np.ptp(more[:, column])
        inside = (more[:, column] >= table.values[:, column].min()) & (
            more[:, column] <= table.values[:, column].max()
        )
        assert (LAWS.predict(FeatureTable(more, NAMES)) == number)[called & inside].all()


def test_all_classes_beyond_a_limit_are_named():
    formulas = {"small": "4 - 0.02*area", "medium": "3 - 0.001*square(area - 300)", "large": "0.02*area - 8"}
    laws = ClassLaws({name: Law.parse(text, ("area",)) for name, text in formulas.items()})
    table = FeatureTable(np.linspace(50, 700, 400)[:, None], ("area",))
    labels = np.array(laws.classes)[laws.predict(table)]
    found = {
        name: class_sentence(laws, name, table, labels, choose_features(("area",), 0.33)).text
        for name in laws.classes
    }
    assert found["large"].endswith(" µm² (else medium, then small).")
    assert found["small"].endswith(" µm² (else medium, then large).")
    assert found["medium"].endswith(" µm² (small below, large above).")


def test_a_class_is_put_into_words_with_units_and_the_class_beyond():
    table, labels = cells()
    said = class_sentence(LAWS, "interphase", table, labels, FEATURES)
    assert said.text.startswith(
        "More likely interphase, whatever the other inputs are: nuclei that are larger."
    )
    assert "µm² (else " in said.text
    wrong = np.where(LAWS.predict(table) == 1, "interphase", "metaphase")
    assert (
        "labelled cells of interphase is classified correctly."
        in class_sentence(LAWS, "interphase", table, wrong, FEATURES).text
    )


def test_a_veto_of_a_class_holds_for_every_cell():
    table, labels = cells(4000, seed=1)
    ranges = input_ranges(table, NAMES)
    found = find_class_vetoes(LAWS, "interphase", ranges)
    assert ("area",) in {veto.latents for veto in found}
    for veto in found:
        column = table.values[:, NAMES.index(veto.latents[0])]
        for low, high in veto.ranges:
            inside = (column >= low) & (column <= high)
            assert inside.any()
            assert not (labels[inside] == "interphase").any()


def test_regions_are_those_of_the_largest_law():
    table, _ = cells()
    shown = class_regions(LAWS, table, input_ranges(table, NAMES), ("area", "axis_ratio"))
    y, x = np.unravel_index(77, shown.called.shape)
    cell = [shown.axes[0][x], shown.axes[1][y], shown.held["contrast"]]
    assert shown.called[y, x] == LAWS.predict(FeatureTable(np.array([cell]), NAMES))[0]
    assert len(np.unique(class_regions(LAWS, table, input_ranges(table, NAMES)).called)) == 3
    with pytest.raises(InputError, match="over two inputs of the laws: area, axis_ratio, contrast"):
        class_regions(LAWS, table, input_ranges(table, NAMES), ("area", "width"))


def test_a_sentence_knows_which_inputs_it_mentions():
    names = tuple(f"z{k}" for k in range(6))
    formulas = {"interphase": "z0*z1 - z2*z3 + z4*z5", "metaphase": "z0 + z2", "apoptosis": "0.3 - z0 - z2"}
    laws = ClassLaws({name: Law.parse(text, names) for name, text in formulas.items()})
    table = FeatureTable(np.random.default_rng(0).normal(size=(300, 6)), names)
    said = class_sentence(laws, "interphase", table, np.array(laws.classes)[laws.predict(table)])
    assert 0 < len(said.mentioned) < 6
    assert {name for name in names if name in said.text} == set(said.mentioned)


def test_inputs_that_change_no_class_are_said_to_do_so_only_within_the_range_of_the_cells():
    laws = ClassLaws(
        {
            name: Law.parse(text, NAMES)
            for name, text in {"a": "max(area - 300, 4 - contrast)", "b": "area * (axis_ratio - 6)"}.items()
        }
    )
    table, _ = cells()
    text = class_sentence(laws, "a", table, np.full(len(table), "a"), FEATURES).text
    assert text.endswith(
        "No single input, within the range of 99 % of the labelled cells, changes the class of a typical a cell."
    )
