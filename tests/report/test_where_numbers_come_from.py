"""A report says which cells its numbers are of where classifiers were trained on another study."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from morpholaw.cells.shape_features import Feature, choose_features
from morpholaw.models.features import ModelColumns
from morpholaw.report.sections.law import inputs_table, span_of_cells
from morpholaw.report.sections.study import _elsewhere


@pytest.mark.parametrize(
    ("elsewhere", "begins"),
    [
        ({"scheme2": True, "scheme3": True}, "The classifiers were trained on cells of another study"),
        ({"scheme2": True, "scheme3": False}, "scheme2 was trained"),
        ({"a": True, "b": True, "c": False}, "a, b were trained"),
    ],
)
def test_cells_of_another_study_are_told_from_those_of_this_one(elsewhere, begins):
    records = {name: SimpleNamespace(trained_elsewhere=there) for name, there in elsewhere.items()}
    (said,) = _elsewhere(SimpleNamespace(records=records))
    assert said.text.startswith(begins)
    assert "on the labelled cells of this study" in said.text


def test_nothing_is_said_of_classifiers_of_the_study_itself():
    assert _elsewhere(SimpleNamespace(records={"a": SimpleNamespace(trained_elsewhere=False)})) == []


def test_a_latent_has_no_mean_in_the_table_of_inputs():
    """Its column is not scaled: 0 and 1 are not its mean and standard deviation over the cells."""
    columns = ModelColumns(
        (Feature("z1", source="latent"), *choose_features(["width"])), (0.0, 9.5), (1.0, 2.0)
    )
    latent, width = inputs_table(columns, {"z1", "width"}).rows
    assert latent[-2:] == ("", "")
    assert width[-2:] == ("9.5", "2")


def test_a_law_is_drawn_where_there_are_cells():
    """Beyond them decoded pictures show what no cell looks like."""
    cloud = np.random.default_rng(0).normal(0.5, 0.2, (2_000, 2))
    shown = span_of_cells(cloud, 1)
    low, high = np.quantile(cloud[:, 1], [0.005, 0.995])
    assert low - 0.2 < shown[0] < low
    assert high < shown[-1] < high + 0.2
    nothing = span_of_cells(np.zeros((1, 2)), 0)  # the cells cannot be had
    assert (nothing[0], nothing[-1]) == (-3, 3)
