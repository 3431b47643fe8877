"""A sentence about a veto holds for every cell: directions, signs of names, units and rounded numbers."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.interpretation.law_sentence import law_sentence
from morpholaw.interpretation.vetoes import find_vetoes, in_words
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from random_laws import random_laws, rounded

NAMES = ("z0", "z1")
LAWS = random_laws(
    NAMES, rounded(-3, 3), ("+", "-", "*", "min", "max"), ("square", "exp", "abs"), max_leaves=6
)
CELLS = FeatureTable(np.random.default_rng(0).uniform(-3, 3, (400, 2)), NAMES)
SPAN = re.compile(r"(above|below|between) (−?[\d.]+)(?: and (−?[\d.]+))?")


def inside(sentence: str, values: np.ndarray) -> np.ndarray:
    """Where values are in the ranges that a sentence names."""
    if "at any value" in sentence:
        return np.ones(len(values), bool)
    found = np.zeros(len(values), bool)
    for kind, first, second in SPAN.findall(sentence):
        a = float(first.replace("−", "-"))
        if kind == "between":
            found |= (values >= a) & (values <= float(second.replace("−", "-")))
        else:
            found |= values >= a if kind == "above" else values <= a
    return found


@settings(max_examples=60)
@given(LAWS, st.sampled_from([1, -1]), st.sampled_from([(-3.0, 3.0), (-4.0, 0.5)]))
def test_no_veto_contradicts_its_law_or_its_sentence(expression, sign, limits):
    law = Law(expression, NAMES)
    words = {"z0": "−size" if sign < 0 else "size"}
    ranges = dict.fromkeys(NAMES, limits)
    random = np.random.default_rng(0)
    rows = random.uniform(*limits, (2_000, 2))
    predicted = law.predict(FeatureTable(rows, NAMES))
    pushes = {push.feature.name: push.direction for push in law_sentence(law, CELLS, ("no", "yes")).pushes}
    for veto in find_vetoes(law, ranges, groups=[(name,) for name in law.expression.variables()], cells=30):
        (name,) = veto.latents
        sentence = in_words(veto, "no", "yes", words, ranges)
        assert ("size (−z0)" in sentence) == (name == "z0" and sign < 0)
        assert ("z0 (size)" in sentence) == (name == "z0" and sign > 0)
        values = rows[:, NAMES.index(name)] * (sign if name == "z0" else 1)
        excluded = 1 if "excludes yes" in sentence else 0
        assert not np.any(predicted[inside(sentence, values)] == excluded), sentence
        if limits == (-3.0, 3.0) and pushes.get(name) and "any value" not in sentence:
            towards_yes = pushes[name] * (sign if name == "z0" else 1) > 0
            assert ("below" in sentence) == (towards_yes == (excluded == 1)), sentence


def test_a_veto_of_a_shape_has_its_unit():
    # proved in boxes of 0.125 µm, and rounded inwards
    (veto, *_) = find_vetoes(Law.parse("9 - width", ("width",)), {"width": (3.0, 18.0)})
    sentence = in_words(veto, "interphase", "metaphase", None, {"width": (3.0, 18.0)}, {"width": "µm"})
    assert sentence == "width above 9.2 µm excludes metaphase, whatever the other inputs are."
