"""Response maps: contours, gradients and decoded cells stand where the latents say."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from matplotlib.quiver import Quiver

from morpholaw.errors import InputError
from morpholaw.figures.response import CellsOnMap, ResponseAxis, response_map_1d, response_map_2d
from morpholaw.figures.style import DARK

GRID = np.linspace(-3, 3, 31)
X, Y = np.meshgrid(GRID, GRID)
VALUES = np.linspace(-3, 3, 7)
Z1, Z2 = ResponseAxis(GRID, "z1"), ResponseAxis(GRID, "z2")


def pictures_beside(axes) -> list[AxesImage]:
    """The decoded cells along the axes, first those below."""
    return [image for image in axes.images if not image.get_clip_on()]


@pytest.mark.parametrize("width", [3.2, 4.2])
def test_curve_with_decoded_cells(draw, cells, width):
    axis = ResponseAxis(GRID, "z29", cells[:7], VALUES)
    figure = response_map_1d(axis, np.tanh(GRID), figsize=(width, None))
    draw(figure)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z₂₉", "response")
    assert len(pictures_beside(axes)) == 7


@pytest.mark.parametrize("size", [(3.2, None), (4.6, None), (6, 3), (3.2, 5)])
def test_cells_stand_at_their_values(draw, cells, size):
    across, up = (ResponseAxis(GRID, name, cells[:7], VALUES) for name in ("z3", "z29"))
    figure = response_map_2d(across, up, Y - X, theme=DARK, figsize=size)
    draw(figure, margin=4)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z₃", "z₂₉")
    for value, picture in zip(VALUES, pictures_beside(axes)[:7], strict=True):
        box = picture.get_window_extent()
        middle = axes.transData.inverted().transform(((box.x0 + box.x1) / 2, 0))[0]
        assert middle == pytest.approx(value, abs=0.01)
        assert box.width == pytest.approx(box.height, rel=0.02)


def test_arrows_point_up_the_response():
    figure = response_map_2d(Z1, Z2, 2 * X - Y)
    (arrows,) = figure.findobj(Quiver)
    np.testing.assert_allclose(arrows.U / -arrows.V, 2, rtol=1e-6)
    assert (arrows.U > 0).all()
    assert not response_map_2d(Z1, Z2, X, arrows=0).findobj(Quiver)


@pytest.mark.parametrize(
    "response", [X + 9, -9 + X, X * 0, X * 0 - 2, np.where(X > 0, X, np.nan), X * np.nan]
)
def test_one_sign_constant_and_missing_values(draw, response):
    draw(response_map_2d(Z1, Z2, response))


def test_one_value_only(draw):
    draw(response_map_1d(ResponseAxis([0.5], "z1"), [1.0]))


def test_shapes_are_checked():
    with pytest.raises(InputError, match=r"response must have shape \(31, 31\)"):
        response_map_2d(Z1, Z2, X[:5])
    with pytest.raises(InputError, match="response must have shape"):
        response_map_1d(Z1, GRID[:3])


def test_pictures_of_both_axes_do_not_overlap():
    values = np.linspace(-3, 3, 5)
    pictures = np.random.default_rng(0).random((5, 8, 8))
    x = y = np.linspace(-3, 3, 9)
    across, up = (ResponseAxis(x, name, pictures, values) for name in ("z1", "z2"))
    figure = response_map_2d(across, up, np.add.outer(y, x))
    figure.canvas.draw()
    boxes = [picture.get_window_extent() for picture in pictures_beside(figure.axes[0])]
    assert len(boxes) == 10
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_cells_and_the_sides_of_a_map_are_named():
    cells = CellsOnMap(
        np.array([0.0, 1.0, 9.0]), np.array([1.0, 0.0, 0.0]), np.array(["no", "yes", "other"]),
        {"no": "#009e73", "yes": "#e69f00"},
    )  # fmt: skip
    figure = response_map_2d(Z1, Z2, X, cells=cells, sides=("no", "yes"))
    map_axes, bar = figure.axes
    dots = [dots for dots in map_axes.collections if isinstance(dots, PathCollection)]
    assert [len(one.get_offsets()) for one in dots] == [1, 1]
    assert (bar.get_xlabel(), bar.get_title(loc="left")) == ("no", "yes")
    assert map_axes.get_xlim() == (GRID[0], GRID[-1])  # the third cell is outside
