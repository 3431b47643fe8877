"""Attack curves and panels."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.errors import InputError
from morpholaw.figures.attacks import attack_curves, attack_panels
from morpholaw.figures.style import DARK

EPS = np.linspace(0, 0.5, 6)


@pytest.mark.parametrize("width", [3.2, 4.2])
def test_mean_and_band_of_each_scheme(draw, texts, width):
    accuracy = np.random.default_rng(0).uniform(0.3, 1, (4, 10, 6))
    figure = attack_curves(EPS, accuracy, space="latent", figsize=(width, None))
    draw(figure)
    axes = figure.axes[0]
    for line, runs in zip(axes.lines, accuracy, strict=True):
        np.testing.assert_allclose(line.get_ydata(), 100 * runs.mean(0))
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    top = 100 * (accuracy[0].mean(0) + accuracy[0].std(0, ddof=1))
    assert band.max() == pytest.approx(top.max())
    assert {"scheme 1", "scheme 4", "test accuracy (%)", "perturbation magnitude ε (latent space)"} <= texts(
        figure
    )


def test_the_control_is_a_dotted_line_for_each_scheme(draw, texts):
    rng = np.random.default_rng(0)
    accuracy, control = rng.uniform(size=(2, 3, len(EPS))), rng.uniform(size=(2, 3, len(EPS)))
    figure = attack_curves(EPS, accuracy, schemes=(1, 2), control=control)
    draw(figure)
    dotted = [line for line in figure.axes[0].lines if line.get_linestyle() == ":" and len(line.get_xdata())]
    assert len(dotted) == 2
    np.testing.assert_allclose(dotted[1].get_ydata(), 100 * control[1].mean(0))
    assert "random signs" in texts(figure)
    with pytest.raises(InputError, match="control"):
        attack_curves(EPS, accuracy, schemes=(1, 2), control=control[:1])


def test_one_member_and_missing_members(draw):
    accuracy = np.full((2, 3, 6), np.nan)
    accuracy[0, 0] = np.linspace(1, 0, 6)
    figure = attack_curves(EPS, accuracy, schemes=[2, "law H1"])
    draw(figure)
    assert len(figure.axes[0].lines) == 1


@pytest.mark.parametrize("width", [3.2, 6.4])
def test_panels_say_what_the_attack_did_to_the_score(draw, texts, cells, width):
    original = cells[:4] / 255.0
    figure = attack_panels(
        original, original + 0.2, reconstruction=cells[:4], scores_before=[-1, -2, -3, np.nan],
        scores_after=[1, 2, 3, 4], labels=["interphase"] * 4, figsize=(width, None), theme=DARK,
    )  # fmt: skip
    draw(figure)
    shown = {text.replace("\n", " ") for text in texts(figure)}
    assert {"f: −1.0 → 1.0", "f: n/a → 4.0", "original", "reconstruction", "difference (±0.2)"} <= shown


def test_panels_of_one_unchanged_cell(draw, cells):
    draw(attack_panels(cells[:1], cells[:1], pixel_size=0.333))


def test_shapes_are_checked(cells):
    with pytest.raises(InputError, match="accuracy must have shape"):
        attack_curves(EPS, np.ones((4, 10, 3)))
    with pytest.raises(InputError, match="schemes must have 2 items"):
        attack_curves(EPS, np.ones((2, 10, 6)))
    with pytest.raises(InputError, match="perturbed images must have shape"):
        attack_panels(cells, cells[:2])
    with pytest.raises(InputError, match="scores must have shape"):
        attack_panels(cells, cells, scores_after=[1.0])
