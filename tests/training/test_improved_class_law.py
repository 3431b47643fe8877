"""The law of one of several classes is searched on from, beside the laws of the others."""

import numpy as np
import pytest

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.expressions import parse
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.training.class_law_rows import ClassLawRows
from morpholaw.training.improved_class_law import improve_class_law

NAMES = ("a", "b")
QUICK = LawConfig(count=1, evaluations=1_500, processes=1, engine="embedded", max_complexity=9)


def rows() -> ClassLawRows:
    """Three classes: either end of a, and between them what b alone says nothing about."""
    x = np.random.default_rng(0).uniform(-3, 3, (400, 2))
    return ClassLawRows(FeatureTable(x, NAMES), np.where(x[:, 0] < -1, 0, np.where(x[:, 0] > 1, 2, 1)), 3)


def laws(high: str) -> ClassLaws:
    texts = {"low": "-4*a - 4", "middle": "0.1", "high": high}
    return ClassLaws({name: Law.parse(text, NAMES) for name, text in texts.items()})


def right(found: ClassLaws, of: ClassLawRows) -> float:
    return float(np.mean(found.predict(of.features) == of.targets))


def test_a_poor_law_of_a_class_becomes_better_and_the_others_keep_their_form():
    own, poor = rows(), laws("b - 1")
    better = improve_class_law(own, poor, "high", poor.laws["high"].expression, QUICK)
    assert better is not None
    assert right(better, own) > right(poor, own) + 0.1
    assert "a" in better.laws["high"].expression.variables()
    assert better.laws["low"].expression.variables() == ("a",)
    assert better.laws["middle"].expression.variables() == ()
    assert better.laws["high"].metadata["improved_from"] == poor.laws["high"].expression.text()


def test_a_formula_of_a_person_takes_the_place_of_the_law_with_a_scale_of_its_own():
    own, poor = rows(), laws("b - 1")
    config = QUICK.model_copy(update={"evaluations": 1_000})
    better = improve_class_law(own, poor, "high", parse("a", NAMES), config)
    assert better is not None
    assert right(better, own) > 0.95


def test_good_laws_stay_and_the_ones_that_came_in_are_not_changed():
    own, poor = rows(), laws("b - 1")
    good = improve_class_law(own, poor, "high", parse("a", NAMES), QUICK)
    assert good is not None
    again = improve_class_law(own, good, "high", good.laws["high"].expression, QUICK)
    assert again is None or right(again, own) >= right(good, own) - 0.02
    assert poor == laws("b - 1")
    with pytest.raises(InputError, match="does not support max"):
        improve_class_law(own, poor, "high", parse("max(a, b)", NAMES), QUICK)
