"""The results of cross-validations that a study keeps."""

from __future__ import annotations

import numpy as np

from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.evaluation.cross_validation import CrossValidation, Design, Fold
from morpholaw.store.cross_validation import accuracy_in_words, keep, kept_names, read_kept, title
from morpholaw.study import Study
from morpholaw.study.cross_validation_step import table_name


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


def test_stopped_results_replace_no_complete_ones_and_complete_ones_replace_them(tmp_path):
    study = Study.create(tmp_path / "study")
    results, cells = [], np.arange(4)
    for folds in (2, 1):
        result = CrossValidation(np.array(["a", "b", "c", "d"]), np.array([0, 1, 0, 1]), classes=("x", "y"))
        for number in range(folds):
            result.add("scheme3", Fold(1, number + 1, cells, cells[2 * number :][:2]), np.array([[0, 1]]))
        results.append(result)
    complete, stopped = results
    design = Design(folds=2)
    names = [
        table_name(3, LawConfig(), ClassifierConfig(), design, result.tested)
        for result in (complete, stopped)
    ]
    assert names == ["scheme3", "scheme3-incomplete"]
    keep(study, complete, names[0])
    keep(study, stopped, names[1])
    assert set(kept_names(study)) == set(names)
    assert read_kept(study, names[0]).stopped_after is None
    assert read_kept(study, names[1]).stopped_after == 1
    for name, of_folds in zip(names, (True, False), strict=True):
        assert ("folds" in accuracy_in_words(read_kept(study, name).folds, "scheme3")) == of_folds
    keep(study, complete, names[0])
    assert kept_names(study) == ["scheme3"]
    assert len(list((study.path / "cross_validation").iterdir())) == 3
