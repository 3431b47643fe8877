import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.evaluation.adaptation import Adaptation, adapt_to_labels, adapt_to_scores
from morpholaw.evaluation.adaptation_check import check_fitted_to_labels, check_fitted_to_scores
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.metrics import balanced_accuracy


def scores_of(n, share, seed=0, shift=0.0, stretch=1.0):
    """Scores of two classes, -3 and 3 apart in their own units, and their classes."""
    rng = np.random.default_rng(seed)
    targets = (rng.random(n) < share).astype(int)
    return stretch * (rng.normal(6 * targets - 3, 1.0) + shift), targets


KNOWN, KNOWN_TARGETS = scores_of(400, 0.5)


def accuracy(adaptation, scores, targets):
    return balanced_accuracy(targets, (adaptation.apply(scores) >= 0).astype(int))


@pytest.mark.parametrize("shift", [-5.0, 0.0, 6.0])
@pytest.mark.parametrize("stretch", [0.5, 1.5])
def test_ten_labels_of_each_class_undo_a_shift_and_a_stretch(shift, stretch):
    scores, targets = scores_of(600, 0.3, 1, shift, stretch)
    few = np.concatenate([np.flatnonzero(targets == k)[:10] for k in (0, 1)])
    found = adapt_to_labels(scores[few], targets[few], Calibration.fit(KNOWN, KNOWN_TARGETS))
    assert accuracy(found, scores, targets) > 0.98


@pytest.mark.parametrize("share", [0.06, 0.3, 0.5])
@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 1.0), (6.0, 1.0), (-4.0, 0.6), (5.0, 1.6)])
def test_the_scores_alone_tell_where_the_boundary_has_gone(share, shift, stretch):
    scores, targets = scores_of(500, share, 2, shift, stretch)
    assert accuracy(adapt_to_scores(scores, KNOWN, KNOWN_TARGETS), scores, targets) > 0.95


def test_scores_like_the_known_ones_stay_nearly_as_they_are():
    scores, _ = scores_of(500, 0.5, 3)
    found = adapt_to_scores(scores, KNOWN, KNOWN_TARGETS)
    assert abs(found.threshold) < 1
    assert 0.6 < found.scale < 1.6


def test_what_cannot_be_adapted_is_said_in_a_sentence():
    with pytest.raises(InputError, match="label some cells of each"):
        adapt_to_labels(np.arange(4.0), np.zeros(4))
    with pytest.raises(InputError, match="contradict"):
        adapt_to_labels(np.arange(20.0), (np.arange(20) < 10).astype(int))
    with pytest.raises(InputError, match="at least 30 are needed"):
        adapt_to_scores(np.arange(5.0), KNOWN, KNOWN_TARGETS)
    with pytest.raises(InputError, match="above 0"):
        Adaptation(0.0, 0.0)


def test_the_check_sees_a_gain_where_scores_are_shifted_and_none_where_they_are_not():
    for shift, gains in ((4.0, True), (0.0, False)):
        scores, targets = scores_of(40, 0.5, 2, shift)
        check = check_fitted_to_labels(scores, targets, np.arange(40), adapt_to_labels)
        assert (check.after > check.before) == gains
    assert check_fitted_to_scores(scores, targets, np.arange(40), Adaptation(20.0, 1.0)).after == 0.5


def test_labels_of_a_single_group_cannot_show_a_gain():
    scores, targets = scores_of(40, 0.5, 2, 4.0)
    assert check_fitted_to_labels(scores, targets, targets, adapt_to_labels) is None  # one group per class
    assert check_fitted_to_labels(scores, targets, np.zeros(40), adapt_to_labels) is None
