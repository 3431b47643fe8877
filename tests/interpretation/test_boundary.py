"""The surface where a score is zero, and the components of a law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.errors import InputError
from morpholaw.interpretation.boundary import (
    boundary_surface,
    crossings,
    member_score,
    slice_scores,
    undecided_cells,
)
from morpholaw.interpretation.components import (
    additive_terms,
    deciding_terms,
    drawable_parts,
    readable,
    sample_parts,
)
from morpholaw.models.law import Law

NAMES = ("z0", "z1", "z2")


def ball(z):
    return 4.0 - np.square(z[:, :3]).sum(axis=1)


def test_the_surface_of_a_ball_is_a_sphere_in_latent_units():
    surface = boundary_surface(ball, np.zeros(5), (0, 1, 2), steps=15)
    np.testing.assert_allclose(np.linalg.norm(surface.vertices, axis=1), 2.0, atol=1e-6)
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert area == pytest.approx(16 * np.pi, rel=0.05)


def test_the_other_latents_stay_at_the_base():
    def plane(z):
        return z[:, 4] + z[:, 0] - 1

    surface = boundary_surface(plane, np.array([0, 0, 0, 0, 3.0]), (0, 1, 2), steps=9)
    np.testing.assert_allclose(surface.vertices[:, 0], -2, atol=1e-6)


def test_a_law_that_overflows_has_an_exact_surface():
    law = Law.parse("5*z0*(square(z1) + square(z2)) - exp(exp(3*z0))", NAMES)
    surface = boundary_surface(law.score, np.zeros(3), (0, 1, 2), steps=31)
    assert len(surface.vertices) > 100
    assert np.abs(law.score(surface.vertices)).max() < 1e-5


@pytest.mark.parametrize("text", ["square(z0) + 1", "-1 - square(z1)", "log(-1 - square(z0))"])
def test_no_change_of_sign_gives_an_empty_surface(text):
    surface = boundary_surface(Law.parse(text, NAMES).score, np.zeros(3), (0, 1, 2), steps=9)
    assert surface.vertices.shape == (0, 3)
    assert surface.faces.shape == (0, 3)


def test_the_undefined_part_has_no_surface():
    law = Law.parse("log(z0)", NAMES)
    surface = boundary_surface(law.score, np.zeros(3), (0, 1, 2), steps=20)
    np.testing.assert_allclose(surface.vertices[:, 0], 1, atol=1e-6)


def test_slices_are_in_the_order_of_the_axes():
    values = np.array([-1.0, 0.0, 2.0])
    grid = slice_scores(
        lambda z: 100 * z[:, 3] + 10 * z[:, 0] + z[:, 1], np.array([0, 0, 0, 0.0]), (3, 0), values
    )
    np.testing.assert_array_equal(grid, 100 * values[:, None] + 10 * values)
    two = slice_scores(lambda z: z[:, 0] + z[:, 1], np.zeros(2), (0, 1), [np.arange(2.0), np.arange(3.0)])
    assert two.shape == (2, 3)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_crossings_lie_on_the_boundary(seed):
    rng = np.random.default_rng(seed)
    inside, outside = rng.uniform(-1, 1, (5, 3)), rng.uniform(2.1, 3, (5, 3))
    np.testing.assert_allclose(ball(crossings(ball, inside, outside)), 0, atol=1e-6)


def test_undecided_cells_lie_between_cells_of_the_two_calls():
    z = np.random.default_rng(0).normal(scale=2, size=(200, 3))
    points = undecided_cells(ball, z, count=8)
    assert points.shape == (8, 3)
    np.testing.assert_allclose(ball(points), 0, atol=1e-6)
    with pytest.raises(InputError, match="same predicted class"):
        undecided_cells(lambda p: np.ones(len(p)), z)


def test_a_member_is_scored_in_batches():
    class Pair:
        members, encoder, scheme = 2, None, 2

        def score_latents(self, z):
            return torch.stack([z.sum(-1), -z.sum(-1)])

    z = np.random.default_rng(0).normal(size=(7, 3))
    np.testing.assert_allclose(member_score(Pair(), 1, batch=3)(z), -z.sum(axis=1), atol=1e-6)
    with pytest.raises(InputError, match="models 0 to 1"):
        member_score(Pair(), 2)


@pytest.mark.parametrize("axes", [(0, 3), (1, 1), (-1, 0)])
def test_latents_that_are_not_there_are_refused(axes):
    with pytest.raises(InputError, match="different and among 0 to 2"):
        slice_scores(ball, np.zeros(3), axes, np.arange(2.0))


def test_terms_add_up_to_the_law():
    law = Law.parse("z0*(square(z1) + square(z2)) - (exp(exp(z0)) - 2.5*z1)", NAMES)
    parts = additive_terms(law)
    assert [p.text for p in parts] == ["z0 * (square(z1) + square(z2))", "-exp(exp(z0))", "2.5 * z1"]
    z = np.random.default_rng(0).normal(size=(9, 3))
    np.testing.assert_allclose(sum(p.values(z) for p in parts), law.score(z))


def test_the_deciding_term_has_the_sign_of_the_score():
    law = Law.parse("z0*(square(z1) + square(z2)) - exp(exp(z0))", NAMES)
    table = deciding_terms(law, np.array([[2.0, 0.0, 0.0], [1.0, 9.0, 0.0]]))
    assert table["decides"].tolist() == ["-exp(exp(z0))", "z0 * (square(z1) + square(z2))"]
    np.testing.assert_allclose(table["score"], law.score(np.array([[2.0, 0, 0], [1.0, 9, 0]])))
    undefined = Law.parse("log(z0) + 1", NAMES)
    assert deciding_terms(undefined, np.array([[-1.0, 0, 0]]))["decides"].tolist() == [""]


def test_a_law_of_any_latents_has_deciding_terms():
    law = Law.parse("z7 - square(z3)", ["z3", "z7"])
    table = deciding_terms(law, np.array([[0.5, 3.0], [4.0, 1.0]]))
    assert table["decides"].tolist() == ["z7", "-square(z3)"]
    assert table["score"].tolist() == [2.75, -15.0]


def test_drawable_parts_depend_on_one_or_two_latents():
    law = Law.parse("z0*(square(z1) + square(z2)) - exp(exp(z0)) - (z1 - 2*z2) + z1 + 0.5", NAMES)
    assert [part.text for part in drawable_parts(law)] == [
        "square(z1) + square(z2)",
        "-exp(exp(z0))",
        "2 * z2",
    ]
    crowded = Law.parse("exp(z0 - sin(z1)*z2)", NAMES)
    assert [part.text for part in drawable_parts(crowded)] == ["-(sin(z1) * z2)"]


def test_parts_are_sampled_with_their_sign_and_names():
    law = Law.parse("z2 - log(z0) - exp(z1 * z2)", NAMES)
    axis = np.linspace(-2, 2, 5)
    curve, surface = sample_parts(law, dict.fromkeys(NAMES, axis), {"z0": "size"})
    assert (curve.names, curve.latex) == (("size",), r"-\log\left(\mathrm{size}\right)")
    np.testing.assert_allclose(curve.values[3:], -np.log([1, 2]))
    assert np.isnan(curve.values[:3]).all()
    assert surface.names == ("z1", "z2")
    assert surface.values.shape == (5, 5)
    assert surface.values[3, 3] == pytest.approx(-np.exp(1))


def test_outliers_are_limited_and_signs_stay():
    values = np.array([-1e9, -1.0, 0.5, 1.0, 2.0])
    assert np.array_equal(np.sign(readable(values)), np.sign(values))
    assert readable(values).min() == -6
    assert np.isnan(readable(values, gaps=True)[0])
    ordinary = np.linspace(-3, 3, 49)
    assert np.array_equal(readable(ordinary), ordinary)


def test_where_a_law_is_flat_rounding_errors_hide_nothing():
    """abs(x - 0.949) + x - 0.949 is zero below 0.949, but for the last digits."""
    x = np.linspace(0.6, 1, 500)
    values = -1180 * (np.abs(x - 0.949) + x - 0.949) * -0.1
    shown = readable(values)
    assert (shown[x < 0.949] == 0).all()
    np.testing.assert_allclose(shown[x > 0.95], values[x > 0.95])
