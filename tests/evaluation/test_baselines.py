"""The simple methods that schemes are compared with can name every class."""

import numpy as np
import pytest

from morpholaw.evaluation.baselines import BASELINES, predict_baseline


@pytest.mark.parametrize("classes", [2, 5, 9])
@pytest.mark.parametrize("name", BASELINES)
def test_classes_that_two_shapes_tell_apart_are_told_apart(name, classes):
    targets = np.repeat(np.arange(classes), 12)
    random = np.random.default_rng(0)
    angle = 2 * np.pi * targets / classes
    features = np.stack([np.cos(angle), np.sin(angle)], axis=1) + random.normal(0, 0.02, (len(targets), 2))
    features[0] = np.nan  # a crop without a nucleus
    predicted = predict_baseline(name, features, targets, features[1:])
    assert (predicted == targets[1:]).mean() > 0.95
