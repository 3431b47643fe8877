"""The components of a law are drawn over what the names of its inputs say."""

from __future__ import annotations

import numpy as np
import pytest

from morpholaw.figures.style import LIGHT
from morpholaw.models.law import Law
from morpholaw.widgets.laws.law_figures import components_figure


def test_a_latent_that_decreases_with_what_its_name_says_is_drawn_the_other_way_round():
    law = Law.parse("exp(2 * z1) - z2", ["z1", "z2"])
    figure = components_figure(law, {"z1": "\u2212size"}, {"z1": (-1.0, 3.0)}, {}, (4, 3), LIGHT)
    axes = next(one for one in figure.axes if one.lines)
    assert axes.get_xlabel() == "size"
    assert "-2" in axes.get_title()  # exp(-2 size)
    x, y = axes.lines[-1].get_data()
    assert (min(x), max(x)) == pytest.approx((-3.0, 1.0))
    drawn = np.isfinite(y)
    assert np.all(np.diff(y[drawn]) < 0)  # exp(2 z1) decreases with the size
