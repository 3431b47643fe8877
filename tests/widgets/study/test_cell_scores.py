"""Scores of all cells are shared by the panels until models or crops change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.store.classifiers import readable_records
from morpholaw.widgets.study.cell_scores import CellScores, disagreement
from morpholaw.widgets.study.current_study import CurrentStudy


@pytest.fixture
def current(trained_study_folder):
    shared = CurrentStudy()
    shared.open(trained_study_folder)
    return shared


def scores_of(current, name: str, predicted: list[str]) -> CellScores:
    record = next(one for one in readable_records(current.study, lambda _: None) if one.name == name)
    every = np.resize(np.array(predicted, object), len(current.crops))
    table = pd.DataFrame({"score": np.where(every == "metaphase", 2.0, -1.0), "class": every})
    return CellScores.of_table(record, table, current.crops)


def test_scores_are_kept_once_and_forgotten_with_the_models(current):
    heard = []
    current.scores_changed.connect(lambda: heard.append(len(current.scores)))
    current.add_scores(scores_of(current, "scheme3", ["metaphase", "interphase"]))
    current.add_scores(scores_of(current, "scheme3", ["metaphase", "interphase"]))  # heard by a second panel
    assert heard == [1]
    assert current.last_scores.sureness[:2].tolist() == [2.0, 1.0]
    current.announce("train_classifier")
    assert current.last_scores is None


def test_labels_that_a_classifier_contradicts_are_found(current):
    scores = scores_of(current, "scheme3", ["metaphase"])
    wrong = scores.contradicts(current.labels)
    assert set(current.labels[wrong]) == {"interphase"}
    assert wrong.sum() == 120


def test_classifiers_that_disagree_are_counted_per_cell(current):
    pair = [
        scores_of(current, "scheme2", ["metaphase", "interphase"]),
        scores_of(current, "scheme3", ["metaphase", "metaphase"]),
    ]
    assert disagreement(pair)[:4].tolist() == [0, 1, 0, 1]


def test_scores_of_other_cells_are_not_taken(current):
    record = readable_records(current.study, lambda _: None)[0]
    assert CellScores.of_table(record, pd.DataFrame({"score": [1.0], "class": ["a"]}), current.crops) is None
