"""A law in a spreadsheet has its classes there, and is a TrackMate filter where it is a set of thresholds."""

from __future__ import annotations

import csv
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings

from morpholaw.errors import InputError
from morpholaw.exchange.formula_table import write_law_table
from morpholaw.exchange.law import SpotFilter, spot_filters, write_law
from morpholaw.models.expressions import parse, parse_rule
from morpholaw.models.expressions.spreadsheet import column_letters, to_spreadsheet
from morpholaw.models.law import Law
from random_laws import random_laws, rounded

NAMES = ["area", "axis_ratio", "solidity"]
CLASSES = ("interphase", "metaphase")
FUNCTIONS = {
    "POWER": math.pow, "EXP": math.exp, "LN": math.log, "SIN": math.sin, "SQRT": math.sqrt, "ABS": abs,
    "MIN": min, "MAX": max,
}  # fmt: skip
LAWS = random_laws(NAMES, rounded(-3, 3, 3), unary=("square", "exp", "abs", "sin"), max_leaves=7)


@settings(max_examples=100)
@given(LAWS)
def test_a_spreadsheet_computes_the_score(expression):
    row = {"area": 1.3, "axis_ratio": -0.7, "solidity": 0.4}
    formula = to_spreadsheet(expression, columns={"area": "A", "axis_ratio": "AB", "solidity": "C"})
    assert formula[0] == "="
    cells = {"A2": row["area"], "AB2": row["axis_ratio"], "C2": row["solidity"]}
    assert not re.search(r"[^A-Z0-9+\-*/().,E]", formula[1:])
    expected = expression.evaluate(np.array([list(row.values())]))[0]
    try:
        found = eval(formula[1:], {"__builtins__": {}}, {**FUNCTIONS, **cells})  # of our own making
    except (ZeroDivisionError, OverflowError, ValueError):
        return
    if math.isfinite(expected):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_classes_cannot_break_out_of_the_formula():
    formula = to_spreadsheet(parse("area - 2", NAMES), ('a"&CMD()&"', "b\n=1"))
    assert formula == '=IFERROR(IF(A2-2>=0,"b =1","a""&CMD()&"""),"undefined")'
    with pytest.raises(InputError, match="needs column letters"):
        to_spreadsheet(parse("area - 2", NAMES), columns={"area": 'A2&"'})
    assert [column_letters(k) for k in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_a_table_has_a_formula_in_each_row(tmp_path):
    law = Law.parse("area - 2*solidity", NAMES)
    path = write_law_table(
        tmp_path / "law.csv", law, CLASSES, np.array([[3.0, 1.0], [np.nan, 1.0]]), {"label": ["=1+1", "b"]}
    )
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["label", "area", "solidity", "f", "class"]
    assert rows[1][:4] == ["'=1+1", "3.0", "1.0", "=B2-2*C2"]
    assert rows[1][4].startswith("=IFERROR(")
    assert rows[2] == ["b", "", "1.0", "", "undefined"]  # an empty cell would count as 0


def test_thresholds_are_filters_of_trackmate(tmp_path):
    rule = parse_rule("area < 100 and axis_ratio > 1.9", NAMES)
    kept, filters = spot_filters(rule, CLASSES)
    assert kept == "metaphase"
    assert set(filters) == {SpotFilter("AREA", 100.0, False), SpotFilter("ELLIPSE_ASPECTRATIO", 1.9, True)}
    kept, filters = spot_filters(parse_rule("area < 100 or axis_ratio > 1.9", NAMES), CLASSES)
    assert kept == "interphase"
    assert set(filters) == {SpotFilter("AREA", 100.0, True), SpotFilter("ELLIPSE_ASPECTRATIO", 1.9, False)}
    path = write_law(tmp_path / "law.xml", Law(rule, tuple(NAMES)), CLASSES)
    assert '<Filter feature="AREA" value="100.0" isabove="false" />' in path.read_text()


def test_what_is_no_filter_is_said_in_a_sentence():
    with pytest.raises(InputError, match="one feature at a time"):
        spot_filters(parse("area - 100*solidity", NAMES), CLASSES)
    with pytest.raises(InputError, match="no feature for contrast"):
        spot_filters(parse("contrast - 0.3", ["contrast"]), CLASSES)
