"""Scores of several classes, shifted by another source, are adapted from labels of each class."""

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.evaluation.class_adaptation import adapt_classes_to_labels

TRUTH = np.repeat([0, 1, 2], 20)
KNOWN = 3 * np.eye(3)[TRUTH] + np.random.default_rng(0).normal(size=(60, 3))
SHIFTED = (KNOWN + np.array([4.0, -1.0, 0.0])).astype(np.float32)


def right(scores: np.ndarray) -> float:
    return float(np.mean(scores.argmax(axis=1) == TRUTH))


@pytest.mark.parametrize("labelled_of_each", [3, 20])
def test_offsets_undo_a_shift_of_classes(labelled_of_each):
    assert right(SHIFTED) < 0.5
    rows = np.concatenate([np.flatnonzero(number == TRUTH)[:labelled_of_each] for number in range(3)])
    found = adapt_classes_to_labels(SHIFTED[rows], TRUTH[rows])
    assert right(found.apply(SHIFTED)) > 0.95
    assert found.apply(SHIFTED).dtype == np.float32
    assert sum(found.offsets) == pytest.approx(0, abs=1e-6)


def test_scores_that_are_as_they_were_change_little():
    found = adapt_classes_to_labels(KNOWN, TRUTH)
    assert max(np.abs(found.offsets)) < 1
    assert right(found.apply(KNOWN)) >= right(KNOWN) - 0.02


def test_labels_of_each_class_that_do_not_contradict_the_scores_are_needed():
    with pytest.raises(InputError, match="label some cells of each"):
        adapt_classes_to_labels(SHIFTED[:30], TRUTH[:30])
    with pytest.raises(InputError, match="contradict the scores"):
        adapt_classes_to_labels(-KNOWN, TRUTH)
