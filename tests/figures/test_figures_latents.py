"""Latent space: scatter with a marked picture, ranking with correlations."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Ellipse

from morpholaw.errors import InputError
from morpholaw.figures.latents import latent_ranking, latent_scatter
from morpholaw.figures.style import DARK, LIGHT

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(300, 4))
NAMES = ["z3", "z29", "z17", "z21"]


@pytest.mark.parametrize(("theme", "width"), [(LIGHT, 6.4), (DARK, 3.2)])
def test_classes_and_the_blank_image(draw, texts, theme, width):
    labels = ["", "interphase", "metaphase"] * 100
    blank = (np.array([-3, -1, 0, 0.5]), np.array([0.5, 0.2, 0.1, 0.1]))
    figure = latent_scatter(Z, NAMES, labels, blank=blank, theme=theme, figsize=(width, None))
    draw(figure)
    assert {"interphase", "metaphase", "no label", "blank image", "z₃", "z₂₁"} <= texts(figure)
    rings = figure.axes[0].findobj(Ellipse)
    assert [ring.center for ring in rings] == [(-3, -1)] * 2
    assert [ring.width for ring in rings] == pytest.approx([1.0, 2.0])


def test_one_latent_and_one_class(draw):
    draw(latent_scatter(Z[:, :1], ["z3"], ["interphase"] * 300))
    draw(latent_scatter(Z[:0], NAMES, []), colours=5)


def test_many_points_are_pixels_in_a_vector_file():
    many = latent_scatter(RNG.normal(size=(2000, 2)), ["a", "b"], ["metaphase"] * 2000)
    assert all(points.get_rasterized() for points in many.axes[0].collections)


def test_a_scatter_needs_latents_with_names():
    with pytest.raises(InputError, match="no latents to draw"):
        latent_scatter(Z[:, :0], [], [""] * 300)
    with pytest.raises(InputError, match="latent names must have 4 items"):
        latent_scatter(Z, ["a"], [""] * 300)


@pytest.mark.parametrize("width", [3.2, 5.6])
def test_ranking_puts_the_most_active_latent_first(draw, texts, width):
    activity = np.array([0.1, 2.0, np.nan, 1.0])
    correlation = np.array([[0, 0.9], [-0.8, 0], [np.nan, np.nan], [0.1, 0.2]])
    figure = latent_ranking(activity, NAMES, correlation, ["size", "aspect"], kept=[1], figsize=(width, None))
    draw(figure)
    order = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert order == ["z₂₉", "z₂₁", "z₃", "z₁₇"]
    assert {"kept by scheme 3", "not kept", "size", "aspect", "−0.80", "KL (nats)", "correlation"} <= texts(
        figure
    )


def test_ranking_of_one_latent_without_factors(draw):
    draw(latent_ranking([1.0], ["z0"]), colours=10)
    with pytest.raises(InputError, match="correlations must have shape"):
        latent_ranking([1.0], ["z0"], np.ones((1, 2)), ["size"])
