"""The results of cross-validations that a study keeps."""

from __future__ import annotations

import numpy as np

from morpholaw.evaluation.cross_validation import CrossValidation, Fold
from morpholaw.store.cross_validation import (
    accuracy_in_words,
    keep,
    kept_names,
    read_kept,
    results_name,
    title,
    whole_title,
)
from morpholaw.store.cross_validation_record import CrossValidationRecord
from morpholaw.study import Study


def of_settings(**settings) -> CrossValidationRecord:
    values = {"scheme": 3, "classes": ("x", "y"), "folds": 2, "prevalence": 0.02}
    return CrossValidationRecord(**values | settings)


def results(folds: int = 2) -> CrossValidation:
    result, cells = (
        CrossValidation(np.array(list("abcd")), np.array([0, 1, 0, 1]), classes=("x", "y")),
        np.arange(4),
    )
    for number in range(folds):
        result.add("scheme3", Fold(1, number + 1, cells, cells[2 * number :][:2]), np.array([[0, 1]]))
    return result


def test_kept_results_are_read_as_they_were_written(tmp_path):
    study = Study.create(tmp_path / "study")
    result = CrossValidation(np.array(["NA", "1"]), np.array([0, 1]), classes=("NA", "1"))
    for name, called in {"scheme3": [[0, 1], [0, 0]], "scheme3-median": [[0, 1]]}.items():
        result.add(name, Fold(1, 1, np.array([0]), np.array([0, 1])), np.array(called))
    record = of_settings(inputs="shapes", trials=5, classes=("NA", "1"), folds=1, settings={"epochs": 7})
    keep(study, result, record)
    assert kept_names(study) == ["scheme3-shapes-tuned"]
    kept = read_kept(study, "scheme3-shapes-tuned")
    assert kept.classifiers == ["scheme3-median"]
    classes, counts = kept.matrix()
    assert classes == ("NA", "1")
    assert counts.tolist() == [[1, 0], [0, 1]]
    assert set(kept.groups["group"]) == {"NA", "1"}
    assert kept.record == record
    assert title(kept.name, kept.record) == "scheme 3: sparse head, shapes"
    whole = "scheme 3: sparse head, shapes, 1 fold, tuned in 5 trials, epochs 7, NA and 1"
    assert whole_title(study, kept.name) == whole


def test_results_of_other_classes_or_settings_stand_beside_each_other(tmp_path):
    study = Study.create(tmp_path / "study")
    records = [
        of_settings(),
        of_settings(classes=("x", "z")),
        of_settings(settings={"models": 3}),
        of_settings(inputs="both"),
    ]
    for record in (*records, records[1]):  # the same settings replace their earlier results
        keep(study, results(), record)
    names = ["scheme3", "scheme3-2", "scheme3-3", "scheme3-both"]
    assert set(kept_names(study)) == set(names)
    assert [read_kept(study, name).record for name in names] == records
    assert len({whole_title(study, name) for name in names}) == len(names)
    assert results_name(study, records[2]) == "scheme3-3"


def test_results_of_unknown_settings_are_not_replaced(tmp_path):
    study = Study.create(tmp_path / "study")
    keep(study, results(), of_settings())
    for damage in (lambda file: file.write_text("{}"), lambda file: file.unlink()):
        damage(study.path / "cross_validation" / "scheme3.json")
        assert read_kept(study, "scheme3").record is None
        assert whole_title(study, "scheme3") == "scheme 3: sparse head"
        assert results_name(study, of_settings()) == "scheme3-2"


def test_stopped_results_replace_no_complete_ones_and_complete_ones_replace_them(tmp_path):
    study = Study.create(tmp_path / "study")
    record = of_settings()
    keep(study, results(), record)
    keep(study, results(folds=1), record)
    names = ["scheme3", "scheme3-incomplete"]
    assert set(kept_names(study)) == set(names)
    assert read_kept(study, names[0]).stopped_after is None
    assert read_kept(study, names[1]).stopped_after == 1
    assert whole_title(study, names[1]) == "scheme 3: sparse head, stopped, 2 folds, x and y"
    for name, of_folds in zip(names, (True, False), strict=True):
        assert ("folds" in accuracy_in_words(read_kept(study, name).folds, "scheme3")) == of_folds
    keep(study, results(), record)
    assert kept_names(study) == ["scheme3"]
    assert len(list((study.path / "cross_validation").iterdir())) == 4
