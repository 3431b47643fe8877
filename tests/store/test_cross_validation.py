"""The results of cross-validations that a study keeps."""

from __future__ import annotations

import numpy as np

from morpholaw.evaluation.cross_validation import CrossValidation, Fold
from morpholaw.store.cross_validation import keep, kept_names, read_kept, title
from morpholaw.study import Study


def test_kept_results_are_read_as_they_were_written(tmp_path):
    study = Study.create(tmp_path / "study")
    result = CrossValidation(np.array(["NA", "1"]), np.array([0, 1]), classes=("NA", "1"))
    for name, called in {"scheme3": [[0, 1], [0, 0]], "scheme3-median": [[0, 1]]}.items():
        result.add(name, Fold(1, 1, np.array([0]), np.array([0, 1])), np.array(called))
    keep(study, result, "scheme3-shapes-tuned")
    assert kept_names(study) == ["scheme3-shapes-tuned"]
    kept = read_kept(study, "scheme3-shapes-tuned")
    assert kept.classifiers == ["scheme3-median"]
    classes, counts = kept.matrix()
    assert classes == ("NA", "1")
    assert counts.tolist() == [[1, 0], [0, 1]]
    assert set(kept.groups["group"]) == {"NA", "1"}
    assert title(kept.name) == "scheme 3: sparse head, shapes, tuned"
