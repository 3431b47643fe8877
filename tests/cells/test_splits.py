"""Splits: no group on two sides, the same split for the same cells, every class on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.cells.splits import grouped_folds, grouped_split, split_fingerprint
from morpholaw.errors import InputError


@st.composite
def tracked_cells(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Tracks of 1-12 cells; most have one class, some hold both, as dividing cells do; a few no label."""
    groups, labels = [], []
    for g in range(draw(st.integers(8, 40))):
        kinds = draw(st.sampled_from([("a",), ("b",), ("a", "b"), ("a", "")])) if g > 3 else ("ab"[g % 2],)
        n = draw(st.integers(1, 12))
        groups += [f"track {g}"] * n
        labels += [kinds[i % len(kinds)] for i in range(n)]
    return np.array(groups), np.array(labels)


@settings(max_examples=60, deadline=None)
@given(tracked_cells(), st.sampled_from([0.1, 0.2, 0.5]), st.integers(0, 5))
def test_no_group_is_on_both_sides_and_every_class_is(cells, fraction, seed):
    groups, labels = cells
    train, test = grouped_split(groups, labels, fraction, seed)
    assert not set(groups[train]) & set(groups[test])
    assert sorted([*train, *test]) == list(np.flatnonzero(labels != ""))
    assert set(labels[train]) == set(labels[test]) == {"a", "b"}
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()


@settings(max_examples=40, deadline=None)
@given(tracked_cells(), st.randoms(use_true_random=False))
def test_the_split_does_not_depend_on_the_order_of_the_cells(cells, random):
    groups, labels = cells
    order = list(range(len(groups)))
    random.shuffle(order)
    _, test = grouped_split(groups, labels, 0.2, 3)
    _, shuffled = grouped_split(groups[order], labels[order], 0.2, 3)
    assert sorted(np.array(order)[shuffled]) == list(test)


def test_the_share_is_met_for_each_class():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(400), 10)
    labels = np.where(np.repeat(random.random(400) < 0.2, 10), "metaphase", "interphase")
    _, test = grouped_split(groups, labels, 0.1, 0)
    for name in ("metaphase", "interphase"):
        share = (labels[test] == name).sum() / (labels == name).sum()
        assert share == pytest.approx(0.1, abs=0.01)


def test_another_seed_is_another_split_and_more_cells_hardly_move_it():
    groups = np.arange(300).astype(str)
    labels = np.where(np.arange(300) % 3, "a", "b")
    first, again, other = (set(grouped_split(groups, labels, 0.2, seed)[1]) for seed in (0, 0, 1))
    assert first == again != other
    _, test = grouped_split(groups[:290], labels[:290], 0.2, 0)
    assert len(first ^ set(test)) <= 10


def test_groups_that_are_all_too_large_are_still_split():
    train, test = grouped_split(["p"] * 50 + ["q"] * 60, ["a", "b"] * 55, 0.1, 0)
    assert {len(train), len(test)} == {50, 60}


@pytest.mark.parametrize(
    ("groups", "labels", "sentence"),
    [
        (["1", "2"], ["a", "a"], "at least two classes; found only 'a'"),
        ([], [], "found none"),
        (["1", "2", "3"], ["a", "a", "b"], "'b' comes from 1 group of cells"),
        (["1", "1", "2", "3"], ["a", "b", "a", ""], "'b' comes from 1 group"),
        (["1", "2"], ["a"], r"\(2,\) groups and \(1,\) labels"),
    ],
)
def test_what_cannot_be_split_is_said(groups, labels, sentence):
    with pytest.raises(InputError, match=sentence):
        grouped_split(groups, labels, 0.1, 0)


def test_classes_that_share_all_their_groups_crosswise_are_refused():
    # b is in groups 1 and 2, c in 2 and 3, d in 3 and 1: the side with two groups holds a class whole
    with pytest.raises(InputError, match=r"No split has cells of the class '[bcd]' on both sides"):
        grouped_split(["1", "1", "2", "2", "3", "3"], ["b", "d", "b", "c", "c", "d"], 0.1, 0)


@settings(max_examples=30, deadline=None)
@given(tracked_cells(), st.integers(0, 3))
def test_folds_test_each_cell_once_and_split_no_group(cells, seed):
    groups, labels = cells
    folds = grouped_folds(groups, labels, 2, seed)
    assert sorted(np.concatenate([test for _, test in folds])) == list(np.flatnonzero(labels != ""))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert set(labels[train]) == set(labels[test]) == {"a", "b"}


def test_folds_need_a_group_of_each_class_for_each():
    with pytest.raises(InputError, match=r"'b' comes from 2 groups of cells .* at least 3"):
        grouped_folds(list("123456"), list("aaaabb"), 3)


def test_a_split_is_named_by_its_test_groups():
    assert split_fingerprint(["b", "a", "a"]) == split_fingerprint(["a", "b"])
    assert split_fingerprint(["a", "b"]) != split_fingerprint(["ab"])
    assert len(split_fingerprint([])) == 12
