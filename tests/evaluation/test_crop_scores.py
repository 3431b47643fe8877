"""A cell has the same score alone, among the cells of its frame and in its study, on one core and on two."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from morpholaw.cells.crop_set import CropSet
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.models.classifier import Classifier
from morpholaw.sample import sample_folder


@pytest.mark.parametrize("name", ["scheme1", "scheme3", "scheme4-hinge"])
def test_a_cells_score_does_not_hang_on_what_is_scored_with_it(name):
    classifier = Classifier.load(sample_folder() / "classifiers" / name)
    crops = np.array(CropSet(sample_folder() / "labelled").images[:300])
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        together = score_crops(classifier, crops)
        torch.set_num_threads(1)
        for count in (1, 3, 21, 130):
            assert np.array_equal(score_crops(classifier, crops[:count]), together[:, :count])
    finally:
        torch.set_num_threads(before)
