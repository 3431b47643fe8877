"""Cross-validation over groups, and the baselines that schemes are compared with."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from morpholaw.cells.simulator import simulate_crops
from morpholaw.errors import InputError
from morpholaw.evaluation.baselines import BASELINES, baseline_features, predict_baseline
from morpholaw.evaluation.cross_validation import CrossValidation, Design, Fold, folds, shuffled_targets


@pytest.fixture(scope="module")
def cells():
    images, table = simulate_crops(phases={"interphase": 90, "metaphase": 90}, seed=3)
    targets = (table["label"] == "metaphase").to_numpy().astype(int)
    return baseline_features(images), targets, table["group"].to_numpy(str)


def validated(features: np.ndarray, targets: np.ndarray, groups: np.ndarray) -> CrossValidation:
    result = CrossValidation(groups, targets)
    for fold in folds(groups, targets, 5, 2):
        for name in BASELINES:
            rows = features[fold.train], targets[fold.train], features[fold.test]
            result.add(name, fold, predict_baseline(name, *rows))
    return result


def test_each_cell_is_tested_once_in_each_repeat_and_no_group_is_on_both_sides(cells):
    _, targets, groups = cells
    tested = np.zeros((2, len(targets)), int)
    dealt = {1: [], 2: []}
    for fold in folds(groups, targets, 5, 2):
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert len(fold.train) + len(fold.test) == len(targets)
        tested[fold.repeat - 1, fold.test] += 1
        dealt[fold.repeat].append(tuple(fold.test))
    assert (tested == 1).all()
    assert set(dealt[1]) != set(dealt[2])
    with pytest.raises(InputError, match="at least one repeat"):
        next(folds(groups, targets, 5, 0))


def test_movies_of_unequal_size_are_dealt_otherwise_in_every_repeat():
    sizes = np.array([44, 31, 29, 24, 22, 19, 17, 16, 13, 12, 11, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    groups = np.repeat(np.arange(len(sizes)), 2 * sizes)
    targets = np.concatenate([np.repeat([0, 1], size) for size in sizes])
    together: dict[int, set[tuple[int, int]]] = {1: set(), 2: set(), 3: set()}
    for fold in folds(groups, targets, 5, 3):
        together[fold.repeat] |= set(combinations(np.unique(groups[fold.test]).tolist(), 2))
        assert 0.15 < len(fold.test) / len(targets) < 0.25
    for one, other in combinations(together.values(), 2):
        assert len(one & other) < 0.7 * len(one)


def test_confusions_count_each_cell_once_per_model_and_repeat():
    groups, targets = np.array(list("aabb")), np.array([0, 1, 1, 2])
    result = CrossValidation(groups, targets, classes=("NA", "1", "metaphase"))
    first, second = np.array([0, 1]), np.array([2, 3])
    result.add("one", Fold(1, 1, second, first), np.array([[0, 1], [0, 2]]))
    result.add("one", Fold(1, 2, first, second), np.array([[1, 2], [1, 0]]))
    counted = result.confusion().pivot(index="class", columns="predicted", values="cells")
    assert counted.loc["NA", "NA"] == 2
    assert counted.loc["1"].to_dict() == {"1": 3, "NA": 0, "metaphase": 1}
    assert counted.loc["metaphase"].to_dict() == {"1": 0, "NA": 1, "metaphase": 1}


def test_measured_shapes_tell_simulated_phases_apart(cells):
    result = validated(*cells)
    assert result.estimate("shapes-logistic").value > 0.95
    assert result.estimate("shapes-tree").value > 0.9


def test_shuffled_labels_are_at_chance(cells):
    features, targets, groups = cells
    found = validated(features, shuffled_targets(groups, targets, 1), groups).estimate("shapes-logistic")
    assert found.low < 0.5 < found.high
    assert found.value == pytest.approx(0.5, abs=0.15)


def test_the_interval_allows_for_the_luck_that_cells_of_a_fold_share():
    """The models of a fold are right in 30 to 70 % of its cells, by chance the same for all of them."""
    rng = np.random.default_rng(0)
    targets, groups = np.arange(200) % 2, np.arange(200)
    hits = []
    for seed in range(60):
        found = CrossValidation(groups, targets)
        for fold in folds(groups, targets, 5, 1, seed):
            right = rng.random(len(fold.test)) < rng.uniform(0.3, 0.7)
            found.add("m", fold, np.where(right, targets[fold.test], 1 - targets[fold.test]))
        accuracy = found.estimate("m")
        hits.append(accuracy.low <= 0.5 <= accuracy.high)
    assert np.mean(hits) > 0.9


def test_shuffled_labels_keep_the_cells_of_a_group_alike_where_they_were():
    groups = np.repeat(np.arange(20), 5)
    alike, mixed = (np.repeat(np.arange(20) % 2, 5), np.arange(100) % 2)
    shuffled = shuffled_targets(groups, alike)
    assert (shuffled.reshape(20, 5) == shuffled.reshape(20, 5)[:, :1]).all()
    assert (shuffled != alike).any()
    for targets in (alike, mixed):
        assert np.bincount(shuffled_targets(groups, targets)).tolist() == [50, 50]


@pytest.mark.parametrize("wrong", [{"repeats": 0}, {"trials": -1}, {"prevalence": 1.0}])
def test_a_design_that_cannot_be_carried_out_is_refused(wrong):
    with pytest.raises(InputError):
        Design(**wrong)


def test_the_table_has_a_row_for_each_fold_and_one_of_all(cells):
    result = validated(*cells)
    table = result.table()
    one = table[table["classifier"] == "shapes-tree"]
    assert list(one["fold"]) == ["1", "2", "3", "4", "5"] * 2 + ["all"]
    total = one.iloc[-1]
    assert total["test_cells"] == 180
    assert total["low"] <= total["balanced_accuracy"] <= total["high"]
    assert total["balanced_accuracy"] == pytest.approx(one["balanced_accuracy"][:-1].mean(), abs=0.03)
    assert total["prevalence"] == 0.02
    assert total["precision_low"] <= total["precision"] <= total["precision_high"]
    assert one["precision"][:-1].isna().all()
    groups = result.by_group()
    assert groups[groups["classifier"] == "shapes-tree"]["cells"].sum() == 180


def test_a_crop_without_a_nucleus_is_classified_too():
    images, table = simulate_crops(phases={"interphase": 20, "metaphase": 20}, seed=4)
    targets = (table["label"] == "metaphase").to_numpy().astype(int)
    features = baseline_features(np.concatenate([images, np.zeros((1, 64, 64), np.uint8)]))
    assert np.isnan(features[-1]).all()
    for name in BASELINES:
        assert predict_baseline(name, features[:-1], targets, features)[-1] in (0, 1)
