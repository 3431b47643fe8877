"""A law as a function to paste elsewhere: it gives the very values that the law gives here."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.models.expressions.operators import BINARY, UNARY
from morpholaw.models.law import Law
from random_laws import random_laws

NAMES = ("z3", "z17")
EDGES = [-np.inf, -1e300, -1.5, -0.0, 0.0, 1e-300, 0.7, 2.0, 800.0, 1e300]
GRID = np.array([(a, b) for a in EDGES[1:] for b in EDGES[1:]])
TREES = random_laws(NAMES, st.floats(-5, 5), BINARY, UNARY, max_leaves=10)


def run(source, rows):
    """The function's values; the source is ours, written from a tree."""
    space = {}
    exec(compile(source, "law", "exec"), space)
    return np.array([space["law"](*map(float, row)) for row in rows])


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_the_function_has_the_values_of_the_law_even_at_the_edges(tree):
    law = Law(tree, NAMES)
    np.testing.assert_allclose(run(law.to_python(), GRID), tree.evaluate(GRID), rtol=1e-9)


def test_the_file_runs_with_the_standard_library_alone(tmp_path):
    law = Law.parse("z17*square(z3) - exp(exp(z3))/sqrt(abs(z17)) + 0.1", NAMES)
    path = tmp_path / "law.py"
    path.write_text(law.to_python("f") + "\n\nprint(repr(f(z3=0.5, z17=-2.0)))\n")
    told = subprocess.run([sys.executable, "-I", "-S", str(path)], capture_output=True, text=True, check=True)
    assert float(told.stdout) == pytest.approx(law.expression.evaluate(np.array([[0.5, -2.0]]))[0], rel=1e-12)


@pytest.mark.parametrize("function", ["z3", "lambda", "f()", "exp", "f): import os #"])
def test_a_name_that_python_would_misread_is_refused(function):
    with pytest.raises(InputError, match=r"not a valid name|cannot be called"):
        Law.parse("exp(z3)", NAMES).to_python(function)


def test_a_law_without_functions_imports_nothing():
    assert Law.parse("z3 - 0.5", NAMES).to_python().startswith("def law(z3, z17):")


@pytest.mark.parametrize(
    "name", ['metaphase"""', "'; import os; '", "\n    os.abort()", "\\N{BULLET}", "é\u2028x", "\ud800", "\0"]
)
def test_class_names_are_only_ever_text(name):
    source = Law.parse("z3 - 0.5", NAMES).to_python("law", ("interphase", name))
    space = {}
    exec(compile(source, "law", "exec"), space)
    assert name in space["law"].__doc__
    assert space["law"](1.0, 0.0) == 0.5
