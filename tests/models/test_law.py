"""A law as the analyst meets it: read, counted, scored, rounded, saved; undefined rows are no class."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from morpholaw.errors import InputError
from morpholaw.models.law import Law

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
        law.score(z), z[:, 3] * (z[:, 1] ** 2 + z[:, 2] ** 2) - np.exp(np.exp(z[:, 0]))
    )
    x = torch.from_numpy(z).requires_grad_()
    law.score_torch(x).sum().backward()
    np.testing.assert_allclose(x.grad[:, 3], z[:, 1] ** 2 + z[:, 2] ** 2)


@pytest.mark.parametrize("shape", [(5, 3), (4,), (2, 4, 1)])
def test_rows_of_another_width_are_refused(law, shape):
    with pytest.raises(InputError, match="4 latents z3, z17, z21, z29"):
        law.score(np.zeros(shape))
    with pytest.raises(InputError, match="4 latents"):
        law.score_torch(torch.zeros(shape))


def test_undefined_rows_are_counted_and_belong_to_no_class():
    law = Law.parse("log(z3) + 1/z17", NAMES)
    z = np.array([[-1.0, 1, 0, 0], [1.0, 0, 0, 0], [1.0, 1, 0, 0], [0.01, 1, 0, 0]])
    assert law.undefined(z) == 2
    assert law.calls(z).tolist() == [0, 0, 1, -1]
    assert law.accuracy(z, np.array([1, -1, 1, -1])) == 0.5  # an undefined row is never right


def test_zero_is_the_positive_class():
    assert Law.parse("z3", NAMES).calls(np.zeros((1, 4))).tolist() == [1]


def test_rounding_is_for_show_and_leaves_the_law_as_it_was():
    law = Law.parse("0.123456*z3 - 9876.54", NAMES)
    assert law.rounded(3).text() == "0.123 * z3 - 9880"
    assert law.text() == "0.123456 * z3 - 9876.54"


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
        ({"expression": "z3", "names": "z3"}, "list of latents' names"),
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
