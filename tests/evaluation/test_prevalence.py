"""Probabilities where classes are not equally frequent."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.evaluation.prevalence import shift_probabilities, stated_shares

PAIR = ("interphase", "metaphase")


def test_shares_are_stated_of_the_second_class_or_by_name():
    np.testing.assert_allclose(stated_shares(0.02, PAIR), [0.98, 0.02])
    np.testing.assert_allclose(stated_shares({"interphase": 0.9}, PAIR), [0.9, 0.1])
    np.testing.assert_allclose(stated_shares({"b": 0.1}, ("a", "b", "c")), [0.45, 0.1, 0.45])


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, {"telophase": 0.1}, {"interphase": 0.5, "metaphase": 0.4}])
def test_shares_that_are_none_are_refused(wrong):
    with pytest.raises(InputError, match="prevalence"):
        stated_shares(wrong, PAIR)


def test_the_share_of_one_of_several_classes_needs_its_name():
    with pytest.raises(InputError, match=r"c=0\.02"):
        stated_shares(0.02, ("a", "b", "c"))


def test_shifted_probabilities_come_true():
    # Scores of two classes that are normally distributed, whose probabilities are known.
    rng = np.random.default_rng(0)
    share = 0.03
    positive = rng.random(200_000) < share
    score = rng.normal(np.where(positive, 1.0, -1.0))
    equal = 1 / (1 + np.exp(-2 * score))
    equal = np.stack([1 - equal, equal], axis=1)
    shifted = shift_probabilities(equal, stated_shares(share, PAIR))[:, 1]
    assert equal[:, 1].mean() > 5 * share  # as if a fifth of the cells were of the class
    for low, high in ((0.05, 0.2), (0.2, 0.5), (0.5, 1.0)):
        chosen = (shifted > low) & (shifted < high)
        assert positive[chosen].mean() == pytest.approx(shifted[chosen].mean(), abs=0.02)
    same = shift_probabilities(equal, stated_shares(0.5, PAIR))
    np.testing.assert_allclose(same, equal)
