"""Which classes are told apart, and the labelled cells of them."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.store.labelled_cells import all_labels, chosen_classes, labelled_cells
from morpholaw.study import Study


@pytest.fixture
def four_classes(study):
    """A study with cells of four classes."""
    study.annotations.set_labels({("simulated", crop): "late" for crop in range(0, 120, 3)})
    study.annotations.set_labels({("simulated", crop): "early" for crop in range(1, 120, 3)})
    return study


def test_interphase_and_metaphase_are_told_apart_where_both_are_labelled(four_classes):
    assert chosen_classes(four_classes) == ("interphase", "metaphase")
    assert labelled_cells(four_classes, ClassifierConfig()).classes == ("interphase", "metaphase")


def test_every_labelled_class_is_told_apart_on_request_or_without_those_two(four_classes):
    assert set(chosen_classes(four_classes, ("all",))) == {"interphase", "metaphase", "late", "early"}
    metaphase = np.flatnonzero(all_labels(four_classes) == "metaphase")
    four_classes.annotations.set_labels({("simulated", int(crop)): "" for crop in metaphase})
    assert set(chosen_classes(four_classes)) == {"interphase", "late", "early"}


def test_classes_keep_the_order_that_they_are_named_in(four_classes):
    cells = labelled_cells(four_classes, ClassifierConfig(classes=("late", "metaphase", "interphase")))
    names = np.array(cells.classes)
    assert names.tolist() == ["late", "metaphase", "interphase"]
    labels = all_labels(four_classes)
    np.testing.assert_array_equal(names[cells.train_targets], labels[cells.train])
    np.testing.assert_array_equal(names[cells.test_targets], labels[cells.test])


def test_one_labelled_class_is_not_enough(study):
    names = all_labels(study)
    study.annotations.set_labels(
        {("simulated", int(crop)): "" for crop in np.flatnonzero(names == "metaphase")}
    )
    with pytest.raises(InputError, match="labelled cells of interphase; a classifier needs two classes"):
        chosen_classes(study, ("all",))


def test_a_study_whose_only_set_is_damaged_has_no_labels(study):
    (study.path / "crops" / "simulated" / "cells.csv").write_text("")
    damaged = Study(study.path)
    assert len(damaged.labels) == 0
    assert "simulated" in damaged.problems[0]
