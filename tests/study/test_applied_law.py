"""What is evaluated and printed of scheme 4 is the law that is applied."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cli import main
from morpholaw.errors import InputError
from morpholaw.models.classes import predicted_classes
from morpholaw.models.classifier import Classifier
from morpholaw.models.law import Law
from morpholaw.store import classifiers

LAWS = ("z0 + 0.5", "-z0 - 2", "z1 * 3", "z2")


@pytest.fixture
def four_laws(study):
    """A study whose scheme 4 is of four laws that disagree."""
    laws = [Law.parse(text, ["z0", "z1", "z2"]) for text in LAWS]
    classifier = Classifier.with_laws(study.encoder, laws, ("interphase", "metaphase"))
    study.add_classifier(classifier, "scheme4-hinge")
    return study


def law_scores(study, k):
    return study.laws()[k].score(study.latents()[0].astype(float))


@pytest.mark.parametrize(("law", "k"), [(None, 0), (0, 0), (2, 2)])
def test_the_first_law_is_applied_unless_another_is_chosen(four_laws, law, k):
    table = four_laws.classify(4, law=law)
    assert np.allclose(table["score"], law_scores(four_laws, k), atol=1e-4)


def test_the_median_is_applied_only_when_asked_for(four_laws):
    scores = np.stack([law_scores(four_laws, k) for k in range(4)])
    assert np.allclose(four_laws.classify(4, law="median")["score"], np.median(scores, axis=0), atol=1e-4)


def test_what_is_recorded_is_measured_of_the_applied_law(four_laws):
    evaluation = classifiers.record(four_laws, "scheme4-hinge").evaluation
    cells, targets = four_laws.held_out("scheme4-hinge")
    right = np.mean(predicted_classes(law_scores(four_laws, 0)[cells]) == targets)
    assert evaluation.law == 0
    assert evaluation.ensemble_accuracy.value == pytest.approx(right) == evaluation.accuracy[0]
    assert np.trace(evaluation.confusion) == round(right * len(cells))
    assert len(evaluation.accuracy) == 4


def test_the_first_law_of_an_older_study_is_measured_when_it_is_applied(four_laws):
    path = four_laws.path / "classifiers" / "scheme4-hinge" / "model.json"
    values = json.loads(path.read_text())
    del values["evaluation"]["law"]  # what older versions recorded is the median's
    path.write_text(json.dumps(values))
    expected = four_laws.classify(4, law=0)
    assert four_laws.classify(4)[["score", "probability"]].equals(expected[["score", "probability"]])


def test_the_command_applies_the_law_that_is_named(four_laws, tmp_path):
    out = tmp_path / "scores.csv"
    common = ["classify", "--study", str(four_laws.path), "--scheme", "4", "--out", str(out)]
    assert CliRunner().invoke(main, [*common, "--law", "3"]).exit_code == 0
    scores = np.genfromtxt(out, delimiter=",", names=True, dtype=None, encoding="utf-8")["score"]
    assert np.allclose(scores, law_scores(four_laws, 2), atol=1e-4)
    refused = CliRunner().invoke(main, [*common, "--law", "first"])
    assert refused.exit_code == 2
    assert "neither the number of a law, such as 1, nor median" in refused.output
    with pytest.raises(InputError, match="no law 9"):
        four_laws.classify(4, law=8)
