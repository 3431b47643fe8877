"""Classes that the movie alone tells apart are found, and designs that are sound are not reported."""

import numpy as np
import pytest

from morpholaw.evaluation.confounding import confounded_pairs


def cells(*rows):
    """Return sets, groups and labels of rows (set, class, tracks), where each track has two cells."""
    parts = [(s, f"{s}/{name}{k}", name) for s, name, tracks in rows for k in range(tracks) for _ in range(2)]
    return (np.array(column) for column in zip(*parts, strict=True))


@pytest.mark.parametrize(
    ("rows", "accuracy"),
    [
        ([("m1", "a", 30), ("m2", "b", 30)], 1.0),
        ([("m1", "a", 18), ("m1", "b", 2), ("m2", "a", 2), ("m2", "b", 18)], 0.9),
        ([("m1", "a", 40), ("m2", "a", 40), ("m2", "b", 12)], 0.75),  # b was labelled in one movie only
    ],
)
def test_classes_from_different_movies_are_confounded(rows, accuracy):
    (pair,) = confounded_pairs(*cells(*rows), 0.75)
    assert (pair.first, pair.second) == ("a", "b")
    assert pair.accuracy == pytest.approx(accuracy)


@pytest.mark.parametrize(
    "rows",
    [
        [("m1", "a", 20), ("m1", "b", 20)],
        [("m1", "a", 20), ("m1", "b", 10), ("m2", "a", 10), ("m2", "b", 20)],
        [(f"m{k}", name, 1) for k in range(20) for name in "ab"],
        [("m1", "a", 500), ("m1", "b", 5), ("m2", "a", 100), ("m2", "b", 1)],
    ],
)
def test_classes_from_the_same_movies_are_not(rows):
    assert confounded_pairs(*cells(*rows), 0.75) == []


def test_movies_that_are_held_out_whole_are_not():
    sets, _, labels = cells(*((f"m{k}", "ab"[k % 2], 10) for k in range(6)))
    assert confounded_pairs(sets, sets, labels, 0.75) == []


def test_only_the_class_of_another_movie_is_named():
    rows = [("m1", "a", 20), ("m1", "b", 20), ("m2", "c", 20)]
    assert {frozenset(pair[:2]) for pair in confounded_pairs(*cells(*rows), 0.75)} == {
        frozenset("ac"),
        frozenset("bc"),
    }
