"""A law as the analyst meets it: read, counted, scored, rounded, saved; undefined rows are no class."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.models.law_digits import digits_needed

NAMES = ["z3", "z17", "z21", "z29"]
H1 = "z29*(square(z17) + square(z21)) - exp(exp(z3))"


@pytest.fixture
def law():
    return Law.parse(H1, NAMES)


def test_the_papers_first_law(law):
    assert law.size == 11
    assert law.complexity == 13
    assert law.names == ("z3", "z17", "z21", "z29")
    assert law.latents == (3, 17, 21, 29)
    assert law.latex({"z3": "size"}).endswith(r"e^{e^{\mathrm{size}}}")


def test_scores_and_their_gradient(law):
    z = np.array([[0.0, 1.0, 2.0, 3.0], [-1.0, 0.5, 0.0, 2.0]])
    np.testing.assert_allclose(
        law.score(FeatureTable(z, law.names)),
        z[:, 3] * (z[:, 1] ** 2 + z[:, 2] ** 2) - np.exp(np.exp(z[:, 0])),
    )
    x = torch.from_numpy(z).requires_grad_()
    law.score_torch(x, law.names).sum().backward()
    np.testing.assert_allclose(x.grad[:, 3], z[:, 1] ** 2 + z[:, 2] ** 2)


@pytest.mark.parametrize(
    ("shape", "message"), [((5, 3), "no feature 'z3'"), ((4,), "shape"), ((2, 4, 1), "shape")]
)
def test_a_table_without_the_laws_features_is_refused(law, shape, message):
    with pytest.raises(InputError, match=message):
        law.score(np.zeros(shape))
    with pytest.raises(InputError, match=message):
        law.score_torch(torch.zeros(shape))


def test_columns_are_found_by_name_whatever_their_order():
    law = Law.parse("area - 2*axis_ratio", ["area", "axis_ratio"])
    table = pd.DataFrame({"axis_ratio": [1.0, 2.0], "texture": [9.0, 9.0], "area": [5.0, 3.0]})
    assert law.score(table).tolist() == [3.0, -1.0]
    values = table.to_numpy()
    assert law.score(FeatureTable(values, tuple(table))).tolist() == [3.0, -1.0]
    assert law.score_torch(torch.from_numpy(values), list(table)).tolist() == [3.0, -1.0]
    with pytest.raises(InputError, match="no feature 'area'"):
        law.score(table.drop(columns="area"))


def test_a_plain_array_holds_all_latents():
    z = np.arange(8.0).reshape(2, 4)
    assert Law.parse("z3 - z1", ["z3", "z1"]).score(z).tolist() == [2.0, 2.0]


def test_undefined_rows_are_counted_and_belong_to_no_class():
    law = Law.parse("log(z3) + 1/z17", NAMES)
    z = np.array([[-1.0, 1, 0, 0], [1.0, 0, 0, 0], [1.0, 1, 0, 0], [0.01, 1, 0, 0]])
    table = FeatureTable(z, tuple(NAMES))
    assert law.undefined(table) == 2
    assert law.predict(table).tolist() == [-1, -1, 1, 0]
    assert law.accuracy(table, np.array([1, 0, 1, 0])) == 0.5  # an undefined row is never right


def test_zero_is_the_positive_class():
    assert Law.parse("z3", ["z3"]).predict(np.zeros((1, 4))).tolist() == [1]


def test_rounding_is_for_show_and_leaves_the_law_as_it_was():
    law = Law.parse("0.123456*z3 - 9876.54", NAMES)
    assert law.rounded(3).text() == "0.123 * z3 - 9880"
    assert law.text() == "0.123456 * z3 - 9876.54"


def test_a_rounded_law_hides_no_sign_in_a_constant():
    law = Law.parse("-2.0433 * (z1 + z2) + (-6.1437) - (z1 - (-0.5))", ["z1", "z2"])
    assert law.rounded().text() == "-2.04 * (z1 + z2) - 6.14 - (z1 + 0.5)"


def test_json_keeps_constants_to_the_last_bit():
    law = Law.parse("z3*2", NAMES, {"seed": 3})
    law = Law(law.expression.with_constants([0.1 + 0.2]), law.names, law.metadata)
    again = Law.from_json(json.loads(json.dumps(law.to_json())))
    assert again == law
    assert again.expression.constants() == (0.1 + 0.2,)
    assert again.metadata == {"seed": 3}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "fields 'expression' and 'names'"),
        ({"expression": "z3"}, "fields 'expression' and 'names'"),
        ({"expression": "z3", "names": "z3"}, "list of feature names"),
        ({"expression": "z3", "names": ["z3"], "metadata": 1}, "'metadata'"),
        ({"expression": "z4", "names": ["z3"]}, "'z4'"),
        ({"expression": 4, "names": ["z3"]}, "must be text"),
    ],
)
def test_a_broken_file_ends_in_one_sentence(values, message):
    with pytest.raises(InputError, match=message):
        Law.from_json(values)


def test_a_name_without_a_number_is_no_latent():
    with pytest.raises(InputError, match="'size'"):
        _ = Law.parse("size", ["size"]).latents


def test_laws_and_their_search_need_no_torch():
    code = "import sys, morpholaw.training.symbolic.embedded, morpholaw.models.law; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_as_many_digits_are_printed_as_the_classes_of_the_cells_need():
    cells = FeatureTable(np.array([[0.12341], [0.12348], [0.5]]), ("z1",))
    law = Law.parse("z1 - 0.12345", ["z1"])
    assert [digits_needed(law, cells.rows([0, 2])), digits_needed(law, cells)] == [4, 5]
    laws = ClassLaws({"low": Law.parse("0.12345", ["z1"]), "high": Law.parse("z1", ["z1"])})
    assert digits_needed(laws, cells) == 5
    assert list(laws.rounded(5).predict(cells)) == [0, 1, 1]
    assert list(laws.rounded(3).predict(cells)) == [1, 1, 1]
