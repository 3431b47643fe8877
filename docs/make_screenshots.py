"""Take the screenshots of all panels for the documentation.

Each panel is opened in a real viewer, first without a study and then with a trained one, used as a person would use it,
and saved in both themes and two window sizes, as docs/images/panels/<panel>-[empty-]<theme>-<width>.webp. Check the
screenshots: nothing may be clipped or empty. Without a screen::

    xvfb-run -a -s "-screen 0 1940x1200x24" python docs/make_screenshots.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("NAPARI_CONFIG", str(Path(tempfile.mkdtemp()) / "settings.yaml"))

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QPointF, Qt
from qtpy.QtWidgets import QApplication

from morpholaw.widgets.napari_readers import sample_data
from morpholaw.widgets.network.network_scene import places
from morpholaw.widgets.study.current_study import CurrentStudy

OUT = Path(__file__).parent / "images" / "panels"
SECOND_VIEWS = ("scores",)
"""Screenshots that show a panel once more, which need not be shown empty again."""
THEMES = ("dark", "light")
SIZE = (1280, 800)
SIZES = (SIZE, (1920, 1080))
QUALITY = 60
"""Of the WebP files: the noise of the movie is most of what they hold, and all text can be read."""


def main() -> None:
    """Take the requested screenshots, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("panels", nargs="*", default=list(PANELS), help="names of the screenshots to take")
    parser.add_argument("--study", type=Path, help="a trained study; by default a copy of the sample's")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    study = arguments.study or sample_data.study_copy(Path(tempfile.mkdtemp()) / "sample-study")
    for name in arguments.panels:
        if name not in SECOND_VIEWS:
            take(name, None, arguments.out)
        take(name, study, arguments.out)


def take(name: str, study: Path | None, out: Path) -> None:
    """Open a panel, use it if there is a study, and save the window in all themes and sizes."""
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(*SIZE)
    if study is not None:
        for data, options, kind in sample_data.sample_movie():
            getattr(viewer, f"add_{kind}")(data, **options)
        CurrentStudy.of(viewer).open(study)
    module, class_name, use = PANELS[name]
    widget = getattr(import_module(f"morpholaw.widgets.{module}.panel"), class_name)(viewer)
    viewer.window.add_dock_widget(widget, name=class_name.removesuffix("Widget"), area="right")
    viewer.window._qt_window.resize(*SIZE)
    wait(1)
    if study is not None:
        try:
            use(viewer, widget)
        except Exception as error:  # an incomplete screenshot is more useful than none
            print(f"{name}: {type(error).__name__}: {error}")
    for theme in THEMES:
        viewer.theme = theme
        for width, height in SIZES:
            viewer.window._qt_window.resize(width, height)
            wait(2)
            file = out / f"{name}-{'' if study else 'empty-'}{theme}-{width}.webp"
            picture = viewer.screenshot(canvas_only=False, flash=False)[..., :3]
            Image.fromarray(picture).save(file, quality=QUALITY, method=6)
            print(f"wrote {file}")
    viewer.close()
    wait(0.2)


def wait(seconds: float, until: Callable[[], bool] | None = None) -> None:
    """Process events for some seconds, or until a condition holds."""
    start = time.monotonic()
    while time.monotonic() - start < seconds and not (until is not None and until()):
        QApplication.processEvents()
        time.sleep(0.01)


def use_cells(viewer: Any, widget: Any) -> None:
    """Select a cell of the movie, so that its box shows."""
    cells = widget.labelling.cells
    middle = np.hypot(cells["y"] - cells["y"].max() / 2, cells["x"] - cells["x"].max() / 2)
    widget.current.select([int(middle[cells["t"] >= 0].idxmin())])


def use_classify(viewer: Any, widget: Any) -> None:
    """Apply the sparse head to the movie and show a track that divides."""
    apply = widget.apply_scores
    apply.apply_button.click()
    wait(300, lambda: apply.table is not None)
    tracks = apply.table["track_id"].dropna()
    chosen = next((track for track in apply.divisions if (tracks == track).sum() > 3), tracks.mode()[0])
    apply.show_track(int(chosen))
    wait(2)
    widget.scroll_area.ensureWidgetVisible(apply.plot)


def use_classify_table(viewer: Any, widget: Any) -> None:
    """Compare the schemes."""
    widget.compare_button.click()
    wait(400, lambda: not widget.runner.running)
    wait(1)
    widget.scroll_area.ensureWidgetVisible(widget.confusion)


def use_latents(viewer: Any, widget: Any) -> None:
    """Move a latent of one cell."""
    select(widget, "interphase")
    widget.tabs.setCurrentIndex(1)
    wait(60, lambda: not widget.traversals.pictures.empty)
    widget.traversals.sliders.sliders[widget.traversals.table.picks[0]].setValue(2.0)


def use_perturb(viewer: Any, widget: Any) -> None:
    """Perturb two cells, one of each class."""
    widget.choice.scheme_box.setCurrentIndex(widget.choice.scheme_box.findData("scheme3"))
    select(widget, "interphase", "metaphase")
    wait(60, lambda: widget.cells.result is not None)
    widget.cells.slider.setValue(0.05)
    wait(10, lambda: widget.cells.result.eps > 0)


def use_laws(viewer: Any, widget: Any) -> None:
    """Show the boundary of the best law."""
    wait(3)
    widget.tabs.setCurrentIndex(2)
    wait(60, lambda: widget.boundary.slices.figure.canvas is not None)


def use_network(viewer: Any, widget: Any) -> None:
    """Follow the stream of a neuron of the first hidden layer."""
    wait(3)
    widget.scene.clicked.emit(min(neuron for neuron in places(widget.scene.network) if neuron[0] == 1))
    wait(60, lambda: widget.response.figure.canvas is not None)


def use_timeline(viewer: Any, widget: Any) -> None:
    """Make the timeline of the movie."""
    widget.make_button.click()
    wait(400, lambda: widget.tables is not None)
    wait(20, lambda: widget.durations.canvas is not None)


def use_table(viewer: Any, widget: Any) -> None:
    """Score the cells and go to a metaphase in the movie."""
    widget.scorer.score()
    wait(400, lambda: widget.current.last_scores is not None)
    widget.filters.movie.setCurrentText("movie")
    widget.refresh()
    widget.table.sortByColumn(
        [column.title for column in widget.table.cells.columns].index("Score"), Qt.SortOrder.DescendingOrder
    )
    widget.table.selectRow(3)


def use_map(viewer: Any, widget: Any) -> None:
    """Draw a line around some cells."""
    wait(120, lambda: widget.map.drawing is not None)
    wait(60, lambda: not widget.shape_call.running)
    places = widget.map.drawing.places
    middle = places[np.argmax(places.sum(axis=1))] - 25  # the cells at the lower right
    for angle in np.linspace(0, 2 * np.pi, 40):
        place = QPointF(*(middle + 30 * np.array([np.cos(angle), np.sin(angle)])))
        if angle == 0:
            widget.map.pressed(place)
        widget.map.moved(place, True)
    widget.map.released(place, False)
    widget.map.moved(QPointF(*places[np.argmin(places.sum(axis=1))]), False)


def use_lineages(viewer: Any, widget: Any) -> None:
    """Show the families of the movie, coloured by predicted class."""
    widget.scorer.score()
    wait(400, lambda: widget.current.last_scores is not None)
    widget.colour.setCurrentText("predicted class")
    widget.draw()
    wait(20, lambda: widget.tree.drawing is not None)
    widget.current.select([int(widget.shown.images[len(widget.shown.images) // 2])])


def select(widget: Any, *classes: str) -> None:
    """Select the first cell of each class."""
    labels = widget.current.study.labels
    widget.current.select([int(np.flatnonzero(labels == name)[0]) for name in classes])


PANELS: dict[str, tuple[str, str, Callable[[Any, Any], None]]] = {
    "cells": ("cells", "CellsWidget", use_cells),
    "latents": ("latents", "LatentsWidget", use_latents),
    "classify": ("classify", "ClassifyWidget", use_classify_table),
    "scores": ("classify", "ClassifyWidget", use_classify),
    "perturb": ("perturb", "PerturbWidget", use_perturb),
    "laws": ("laws", "LawsWidget", use_laws),
    "network": ("network", "NetworkWidget", use_network),
    "timeline": ("timeline", "TimelineWidget", use_timeline),
    "table": ("table", "TableWidget", use_table),
    "map": ("map", "MapWidget", use_map),
    "lineages": ("lineages", "LineagesWidget", use_lineages),
}
"""For each screenshot: package of the panel, its class, and the function that uses it before the screenshot."""


if __name__ == "__main__":
    main()
