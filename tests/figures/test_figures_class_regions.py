"""The map of the regions of several classes."""

import numpy as np
import pytest

from morpholaw.figures.class_regions import class_regions
from morpholaw.figures.response import CellsOnMap
from morpholaw.interpretation.class_regions import ClassRegions

CLASSES = ("interphase", "prometaphase", "apoptosis")
COLOURS = dict(zip(CLASSES, ("#009e73", "#56b4e9", "#d55e00"), strict=True))
AXIS = np.linspace(-3, 3, 161)


@pytest.fixture
def regions():
    """Interphase on the left, prometaphase on the right, and apoptosis in a corner too small for its name."""
    called = np.zeros((161, 161), np.int64)
    called[:, 80:] = 1
    called[-12:, -12:] = 2
    return ClassRegions(("z1", "z2"), (AXIS, AXIS), called, {})


@pytest.mark.parametrize("width", [3.4, 5.4])
def test_names_stand_in_their_regions_and_beside_the_dots(draw, regions, width):
    dots = np.stack(np.meshgrid(np.linspace(-2.9, 2.9, 40), np.linspace(-2.9, 1, 30)), -1).reshape(-1, 2)
    cells = CellsOnMap(*dots.T, np.full(len(dots), "interphase"), {"interphase": COLOURS["interphase"]})
    figure = class_regions(regions, ("z1", "z2"), CLASSES, COLOURS, cells, figsize=(width, None))
    draw(figure)
    (axes,) = figure.axes
    names = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert set(names) == {"interphase", "prometaphase"}
    for name, extent in names.items():
        (left, low), (right, _) = axes.transData.inverted().transform(extent.get_points())
        assert low > 1  # above the dots
        assert (right < AXIS[80]) if name == "interphase" else (left > AXIS[79])


def test_a_map_full_of_dots_has_no_names(draw, regions):
    dots = np.stack(np.meshgrid(AXIS[::4], AXIS[::4]), -1).reshape(-1, 2)
    cells = CellsOnMap(*dots.T, np.full(len(dots), "interphase"), {"interphase": COLOURS["interphase"]})
    figure = class_regions(regions, ("z1", "z2"), CLASSES, COLOURS, cells)
    draw(figure)
    assert not figure.axes[0].texts
