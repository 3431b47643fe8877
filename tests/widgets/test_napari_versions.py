"""The camera and the axes are found in every supported version of napari, and a 3D view is fitted to its layers."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from morpholaw.widgets.napari_versions import axes_overlay, camera, fit_3d_view

CANVAS = 800
"""Height of the canvas of a viewer without a window, which the points fill: they are twice as high as wide."""


class ViewerBeforeScenes:
    """A viewer with the names of napari 0.8, over one of the installed version."""

    def __init__(self, viewer: ViewerModel) -> None:
        self.layers, self.dims = viewer.layers, viewer.dims
        self.camera, self.axes = camera(viewer), axes_overlay(viewer)

    def fit_to_view(self, *, margin: float = 0.05) -> None:
        raise AssertionError("fits hidden layers too")

    def _get_3d_camera_zoom(self, extent: np.ndarray, scale_factor: float) -> float:
        return scale_factor * CANVAS / np.ptp(extent, axis=0).max()


@pytest.mark.parametrize("version", [lambda viewer: viewer, ViewerBeforeScenes], ids=["installed", "0.8"])
def test_a_3d_view_is_fitted_to_its_own_layers_beside_a_large_hidden_movie(version):
    installed = ViewerModel()
    installed.add_image(np.zeros((5, 400, 400), np.uint8), visible=False)
    points = installed.add_points([[2, -3, -3], [4, 5, 1], [3, 0, 0]], size=0.01)
    installed.dims.ndisplay = 3
    viewer = version(installed)
    fit_3d_view(viewer, [points])
    assert camera(installed).center == pytest.approx((3, 1, -1))
    assert camera(installed).zoom * 8 == pytest.approx(0.95 * CANVAS, rel=0.01)


def test_axes_are_shown_by_the_viewer_of_every_version():
    installed = ViewerModel()
    axes_overlay(ViewerBeforeScenes(installed)).visible = True
    assert axes_overlay(installed).visible
