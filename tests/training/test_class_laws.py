"""One law a class: the largest names the class."""

import numpy as np
import pytest

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classes import NO_CLASS
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.training import class_law_rows
from morpholaw.training.class_law_rows import log_odds
from morpholaw.training.class_laws import discover_class_laws

NAMES = ("z3", "z17")
CLASSES = ["low", "round", "high"]
CONFIG = LawConfig(engine="embedded", count=2, evaluations=4_000, processes=1)


def cells(rows=400, seed=0):
    """Three classes: two ends of z3, and between them what lies near 0 in z17."""
    z = np.random.default_rng(seed).uniform(-3, 3, (rows, 2))
    return z, np.where(z[:, 0] < -1, 0, np.where(z[:, 0] > 1, 2, 1))


def table(z):
    return FeatureTable(z, NAMES)


@pytest.mark.parametrize("loss", ["hinge", "mse"])
def test_three_classes_are_told_apart_by_three_laws(loss):
    z, truth = cells()
    odds = np.stack([-4 * z[:, 0] - 4, np.zeros(len(z)), 4 * z[:, 0] - 4], axis=1)
    config = CONFIG.model_copy(update={"loss": loss})
    laws = discover_class_laws(table(z), truth, CLASSES, config, outputs=odds if loss == "mse" else None)
    assert laws.classes == ("low", "round", "high")
    unseen, unseen_truth = cells(1000, seed=1)
    predicted = laws.predict(table(unseen))
    assert np.mean(predicted == unseen_truth) > 0.9
    np.testing.assert_array_equal(predicted, laws.score(table(unseen)).argmax(axis=1))
    assert ClassLaws.from_json(laws.to_json()) == laws


def test_log_odds_are_those_of_the_softmax():
    logits = np.random.default_rng(0).normal(size=(50, 4))
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(log_odds(logits, 2), np.log(chance[:, 2] / (1 - chance[:, 2])))


def test_a_law_without_a_value_does_not_win():
    laws = ClassLaws({name: Law.parse(text, NAMES) for name, text in (("a", "log(z3)"), ("b", "1/z17"))})
    z = np.array([[-1.0, -9.0], [2.0, 0.0], [-1.0, 0.0], [2.0, 9.0]])
    assert laws.predict(table(z)).tolist() == [1, 0, NO_CLASS, 0]
    assert laws.undefined(table(z)) == 3


def test_a_stop_before_every_class_has_a_law_gives_none(monkeypatch):
    z, truth = cells()
    answers = iter([[object()], []])
    monkeypatch.setattr(class_law_rows, "law_candidates", lambda *_, **__: next(answers))
    assert (
        discover_class_laws(table(z), truth, CLASSES, CONFIG, monitor=Monitor(should_stop=lambda: True))
        is None
    )


def test_bad_input_ends_in_one_sentence():
    z, truth = cells()
    with pytest.raises(InputError, match="'odd'"):
        discover_class_laws(table(z), truth, [*CLASSES, "odd"], CONFIG)
    with pytest.raises(InputError, match="need the same features"):
        ClassLaws({"a": Law.parse("z3", ["z3"]), "b": Law.parse("z3", NAMES)})
    for values in (None, [], {"laws": 1}, {"laws": [{"expression": "z3", "names": ["z3"]}]}, {"laws": []}):
        with pytest.raises(InputError, match=r"[Ll]aws per class"):
            ClassLaws.from_json(values)
