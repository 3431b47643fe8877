"""Pictures of laws: components, boundary, surface and Pareto front."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from morpholaw.errors import InputError
from morpholaw.figures.boundary import boundary_slices
from morpholaw.figures.laws import law_components, law_front
from morpholaw.figures.palette import colours_on
from morpholaw.figures.style import DARK, LIGHT
from morpholaw.interpretation.components import SampledPart
from morpholaw.models.law import Law

GRID = np.linspace(-3, 3, 41)
X, Y = np.meshgrid(GRID, GRID)


@pytest.mark.parametrize("width", [3.2, 6.4])
def test_curves_and_maps_with_their_formula(draw, texts, width):
    parts = [
        SampledPart(r"-e^{e^{z_{3}}}", ("z3",), (GRID,), -np.exp(np.exp(GRID / 3))),
        SampledPart(r"z_{17}^{2} - z_{21}", ("z17", "z21"), (GRID, GRID), X**2 - Y),
    ]
    figure = law_components(parts, figsize=(width, None))
    draw(figure)
    assert {"$-e^{e^{z_{3}}}$", "$z_{17}^{2} - z_{21}$", "z₂₁", "value of the component"} <= texts(figure)


@pytest.mark.parametrize("width", [3.2, 6.4])
def test_a_long_formula_is_in_the_figure_from_end_to_end(draw, width):
    law = Law.parse(
        "-1180 * (abs(solidity - 0.949) + solidity - 0.949) * (contrast - 0.298)", ["solidity", "contrast"]
    )
    part = SampledPart(law.latex(), law.names, (GRID, GRID), X * Y)
    figure = law_components([part], figsize=(width, None))
    draw(figure)
    box = figure.axes[0].title.get_window_extent()
    assert figure.bbox.x0 <= box.x0
    assert box.x1 <= figure.bbox.x1
    written = figure.axes[0].title.get_text()
    for piece in ("1.18", "0.949", "0.298"):
        assert piece in written


def test_axes_of_components_have_the_units_of_shapes(draw, texts):
    part = SampledPart("a", ("area", "z21"), (GRID, GRID), X**2 - Y)
    figure = law_components([part], units={"area": "µm²", "contrast": ""})
    draw(figure)
    assert {"area (µm²)", "z₂₁"} <= texts(figure)


def test_latex_that_matplotlib_cannot_draw_is_shown_as_text(draw, texts):
    figure = law_components([SampledPart(r"\begin{cases} z", ("z1",), (GRID,), GRID)])
    draw(figure)
    assert r"\begin{cases} z" in texts(figure)


def test_component_of_three_latents_is_refused():
    part = SampledPart("z", ("z1", "z2", "z3"), (GRID, GRID, GRID), np.zeros((41, 41, 41)))
    with pytest.raises(InputError, match="one or two latents"):
        law_components([part])
    with pytest.raises(InputError, match="values of a component must have shape"):
        law_components([SampledPart("z", ("z1",), (GRID,), GRID[:4])])
    with pytest.raises(InputError, match="no component"):
        law_components([])


def test_slices_show_both_regions_and_the_boundary(draw, texts):
    scores = np.stack([z * X**2 - np.exp(Y) for z in (-1.0, 0.0, 1.0)])
    figure = boundary_slices(scores, GRID, GRID, [-1, 0, 1], ("z17", "z3", "z29"), held="z21 = 0")
    pixels = draw(figure)[..., :3].reshape(-1, 3).astype(int)
    assert {"z₂₉ = −1.0", "interphase (f < 0)", "metaphase (f ≥ 0)", "f = 0"} <= texts(figure)
    assert "z₁₇   (z₂₁ = 0)" in texts(figure)
    for colour in colours_on(LIGHT.background, ("interphase", "metaphase")).values():
        pale = 255 - 0.55 * (255 - 255 * np.array(to_rgb(colour)))
        assert (np.abs(pixels - pale).max(1) < 8).sum() > 500


def test_slice_without_a_finite_score_says_so(draw, texts):
    figure = boundary_slices(np.stack([X, X * np.nan]), GRID, GRID, [0, 1], ("a", "b", "c"), theme=DARK)
    draw(figure)
    assert "not finite" in texts(figure)


@pytest.mark.parametrize("measure", ["accuracy", "loss"])
def test_front_marks_the_chosen_law(draw, texts, measure):
    figure = law_front([3, 5, 8, 8, 11], [0.7, 0.8, np.nan, 0.9, 0.95], measure=measure, chosen=3)
    draw(figure)
    assert {"complexity", "chosen", "Pareto front"} <= texts(figure)
    draw(law_front([3.0], [np.nan], measure=measure), colours=5)


def test_a_front_has_no_accuracy_above_100_and_whole_complexities():
    axes = law_front([5.0], [1.0], chosen=0).axes[0]
    assert axes.get_ylim()[1] == 100
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks == [4, 5, 6]
