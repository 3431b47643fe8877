"""The map of cells: points are hovered, clicked and circled, and what is circled is labelled."""

from __future__ import annotations

import shutil
import sys
import types

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt

from morpholaw.figures.palette import seen_on
from morpholaw.figures.style import DARK, LIGHT
from morpholaw.widgets.map.features import embed, principal_components
from morpholaw.widgets.map.panel import MapWidget
from morpholaw.widgets.study.current_study import CurrentStudy


@pytest.fixture
def panel(tracked_study_folder, make_napari_viewer, tmp_path, qtbot):
    viewer = make_napari_viewer(show=False)
    viewer.add_image(np.load(tracked_study_folder / "movie.npy"), name="movie")
    widget = MapWidget(viewer)
    # measured here rather than in the live process, which takes seconds to start
    widget.current.live.call = lambda function, *arguments, monitor=None: function(*arguments)
    qtbot.addWidget(widget, before_close_func=lambda widget: settle(widget, qtbot))
    widget.resize(420, 780)
    widget.show()
    CurrentStudy.of(viewer).open(shutil.copytree(tracked_study_folder, tmp_path / "study"))
    qtbot.waitUntil(lambda: widget.map.drawing is not None, timeout=60_000)
    return widget


def settle(widget, qtbot) -> None:
    calls = (widget.latent_call, widget.shape_call, widget.umap_call)
    qtbot.waitUntil(lambda: not any(one.running for one in calls) and not widget.map.pending, timeout=60_000)


def spot(panel, cell: int) -> QPoint:
    return QPoint(*(round(value) for value in panel.map.place_of(cell)))


def test_without_an_encoder_shapes_are_mapped(panel):
    assert panel.across.currentText().startswith("PC 1 of shapes")
    assert "28 of 28 cells" in panel.caption.text()
    assert any(panel.up.itemText(k).startswith("area (") for k in range(panel.up.count()))


def test_a_point_that_is_hovered_shows_its_cell_and_a_click_goes_there(panel, qtbot):
    cell = int(panel.map.cells[12])
    panel.map.moved(spot(panel, cell).toPointF(), False)
    hovered = panel.map.hovered
    assert hovered is not None
    assert not panel.facts.picture(hovered).isNull()
    qtbot.mouseClick(panel.map.surface, Qt.MouseButton.LeftButton, pos=spot(panel, cell))
    assert panel.current.selection == [hovered]
    place = panel.current.crops.cells.iloc[hovered]
    assert panel.viewer.dims.point[0] == place.t


def test_cells_that_are_circled_are_selected_and_labelled_by_a_key_which_is_undone_there(panel, qtbot):
    (left, top), (right, bottom) = panel.map.drawing.frame
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    surface = panel.map.surface
    qtbot.mousePress(surface, Qt.MouseButton.LeftButton, pos=QPoint(int(left) - 2, int(top) - 2))
    for x, y in corners[1:]:
        panel.map.moved(QPoint(int(x) + 2, int(y) + 2).toPointF(), True)
    panel.map.moved(QPoint(int(left) - 2, int(bottom) + 2).toPointF(), True)
    qtbot.mouseRelease(surface, Qt.MouseButton.LeftButton, pos=QPoint(int(left) - 2, int(bottom) + 2))
    assert sorted(panel.current.selection) == sorted(panel.map.cells.tolist())
    before = panel.current.labels.tolist()
    qtbot.keyClick(panel.map, "1")
    assert set(panel.current.labels) == {panel.labels.buttons.classes[0]}
    qtbot.keyClick(panel.map, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert panel.current.labels.tolist() == before


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_line_around_cells_is_seen_in_either_theme(panel, qtbot, theme):
    panel.viewer.theme = theme
    settle(panel, qtbot)
    panel.map.pressed(QPointF(120, 120))
    for place in ((220.5, 120), (220.5, 220), (120, 220)):
        panel.map.moved(QPointF(*place), True)
    picture = panel.map.surface.grab().toImage()
    drawn = [picture.pixelColor(220, row).getRgb()[:3] for row in range(130, 210)]
    line = panel.map.ink
    assert min(np.abs(np.subtract(line.getRgb()[:3], colour)).sum() for colour in drawn) < 20
    background = {"dark": DARK, "light": LIGHT}[theme].background
    assert seen_on(background, line.name()) == line.name()  # 3 to 1


def test_the_selection_of_another_panel_is_marked(panel):
    panel.current.select([3, 4])
    assert panel.map.selected == [3, 4]
    assert "2 selected" in panel.caption.text()


def test_the_wheel_zooms_around_the_mouse(panel, qtbot):
    x, y = panel.map.place_of(int(panel.map.cells[5]))
    before = panel.map.drawing
    panel.map.zoom(QPoint(round(x), round(y)).toPointF(), 2.0)
    qtbot.waitUntil(lambda: panel.map.drawing is not before, timeout=60_000)
    after = panel.map.drawing.limits
    assert after[1] - after[0] == pytest.approx((before.limits[1] - before.limits[0]) / 2)
    assert panel.map.place_of(int(panel.map.cells[5])) == pytest.approx((x, y), abs=8)


def test_the_keyboard_goes_from_cell_to_cell_and_zooms(panel, qtbot):
    cell = int(panel.map.cells[np.argmin(panel.map.drawing.places[:, 0])])
    panel.current.select([cell])
    qtbot.keyClick(panel.map, Qt.Key.Key_Right)
    (following,) = panel.current.selection
    assert panel.map.place_of(following)[0] > panel.map.place_of(cell)[0]
    before = panel.map.drawing
    qtbot.keyClick(panel.map, "+")
    qtbot.waitUntil(lambda: panel.map.drawing is not before, timeout=60_000)
    zoomed = panel.map.drawing
    assert np.diff(zoomed.limits)[0] < np.diff(before.limits)[0]
    qtbot.keyClick(panel.map, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: panel.map.drawing is not zoomed, timeout=60_000)
    assert panel.map.drawing.limits == pytest.approx(before.limits)


def choose_umap(panel) -> None:
    panel.across.setCurrentText("UMAP 1")
    panel.across.activated.emit(panel.across.currentIndex())


def test_umap_that_is_not_installed_is_asked_for_in_a_sentence(panel, monkeypatch, qtbot):
    monkeypatch.setattr("morpholaw.widgets.map.panel.has_umap", lambda: False)
    choose_umap(panel)
    assert "pip install 'napari-morpholaw[umap]'" in panel.map.sentence.text()
    names = [panel.across.itemText(k) for k in range(panel.across.count())]
    panel.across.setCurrentIndex(next(k for k, name in enumerate(names) if name.startswith("PC 1")))
    panel.across.activated.emit(0)
    qtbot.waitUntil(lambda: panel.map.drawing is not None, timeout=60_000)


def test_the_umap_of_the_cells_is_drawn(panel, qtbot, monkeypatch):
    """With a package in place of umap-learn, which has its two coordinates of each cell."""

    class Package:
        def __init__(self, random_state: int) -> None: ...

        def fit_transform(self, columns: np.ndarray) -> np.ndarray:
            return columns[:, :2]

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=Package))
    monkeypatch.setattr("morpholaw.widgets.map.panel.has_umap", lambda: True)
    qtbot.waitUntil(lambda: not panel.shape_call.running, timeout=60_000)
    choose_umap(panel)
    qtbot.waitUntil(lambda: "UMAP 1" in panel.features.columns, timeout=60_000)
    qtbot.waitUntil(lambda: not panel.map.pending, timeout=60_000)
    assert len(panel.map.cells) == 28


def test_umap_embeds_real_cells(tmp_path):
    pytest.importorskip("umap")
    rng = np.random.default_rng(0)
    columns = np.concatenate([rng.normal(size=(60, 5)), 8 + rng.normal(size=(60, 5))])
    columns[0, 0] = np.nan
    places = np.column_stack(list(embed(columns, np.arange(120)).columns.values()))
    assert np.isnan(places[0]).all()
    apart = np.linalg.norm(places[1:60].mean(axis=0) - places[60:].mean(axis=0))
    assert apart > 3 * places[60:].std()


def test_principal_components_say_their_share_of_the_variance():
    rng = np.random.default_rng(0)
    columns = np.column_stack([3 * rng.normal(size=500), rng.normal(size=500)])
    names = list(principal_components(columns, "latents"))
    assert names[0].startswith("PC 1 of latents (9")
