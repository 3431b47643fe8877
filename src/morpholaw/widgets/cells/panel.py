"""The Cells panel: cut crops from a movie, look at them and label them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QSizePolicy, QTabWidget

from morpholaw.widgets.cells.crop_box import CropBox
from morpholaw.widgets.cells.cutting import CutFromMovie
from morpholaw.widgets.cells.importing import ImportFolder, ImportLabels
from morpholaw.widgets.cells.labelling import Labelling
from morpholaw.widgets.forms.tabs_and_sections import Section, add_tab
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.movie.movie_place import is_cut_from, movie_layer
from morpholaw.widgets.movie.selection_in_movie import set_of
from morpholaw.widgets.study.study_widget import StudyWidget

if TYPE_CHECKING:
    import pandas as pd


BOX_AFTER = 100
"""Milliseconds from the opening of the panel to the box in the movie."""


class CellsWidget(StudyWidget):
    """Panel that cuts or imports crops, shows and labels them, and finds the cells that are most useful to label.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    _hides_box, _opening = False, True

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.runner = JobRunner(self.current, "cells")
        self.cutting = CutFromMovie(self.viewer, self.current, self.runner)
        self.folder = ImportFolder(self.current, self.runner)
        self.import_labels = ImportLabels(self.current)
        self.labelling = Labelling(self.current, self.runner)
        self.gallery = self.labelling.gallery
        self.box = CropBox(self.viewer)
        self.tabs = QTabWidget()
        for page, title, tip in (
            (self.cutting, "From a movie", "Cut crops around the tracked cells of a movie."),
            (self.folder, "From a folder", "Import crops that exist as image files."),
            (self.import_labels, "Labels", "Import labels from a table, or export them."),
        ):
            add_tab(self.tabs, page, title, tip)
        self.tabs.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.adding = Section("Cut, import, export", "Cut crops from a movie, or import crops or labels.")
        self.adding.add_widget(self.tabs)
        self.keep_in_view(self.runner)
        self.body.addWidget(self.adding)
        self.body.addWidget(self.labelling, 1)
        self._connect()
        self._show_crops()

    def _connect(self) -> None:
        self.listen(self.current.changed, self._refresh)
        self.listen(self.current.crops_changed, self._refresh)
        self.listen(self.current.labels_changed, self._labels_changed)
        self.listen(self.current.background_changed, self._labels_changed)
        self.listen(self.current.scores_changed, self._scores_changed)
        self.listen(self.current.selection_changed, self._selected)
        self.listen(self.in_movie.picked, self._picked)
        for event in (self.viewer.layers.events.inserted, self.viewer.layers.events.removed):
            self.listen(event, self._layers_changed)
        self.cutting.size_changed.connect(self.show_box)
        self.cutting.image.layer_changed.connect(self.show_box)
        self.cutting.tracks.layer_changed.connect(self.show_box)
        self.import_labels.imported.connect(self.current.labels_changed.emit)
        self.runner.finished.connect(self._finished)

    def _refresh(self) -> None:
        self._show_crops()
        self.show_box()

    def _show_crops(self) -> None:
        self.adding.expand(self.current.crops is None)  # once there are crops, the gallery needs the room
        self.labelling.refresh()

    def _labels_changed(self) -> None:
        self.labelling.refresh_labels()

    def _scores_changed(self) -> None:
        self.labelling.apply_filter()

    def _layers_changed(self, _: Any = None) -> None:
        self.cutting.image.refresh()
        self.cutting.tracks.refresh()

    def _finished(self, result: dict[str, Any]) -> None:
        # the runner announces the results of jobs, but not those of functions run in a thread
        if hasattr(result.get("result"), "images"):
            self.current.announce("crop")

    def showEvent(self, event: Any) -> None:
        """Show the box again, which is removed while the panel is hidden."""
        super().showEvent(event)
        self._hides_box = False
        if self._opening:  # the panel is painted first
            self._opening = False
            QTimer.singleShot(BOX_AFTER, self.show_box)
        else:
            self.show_box()

    def hideEvent(self, event: Any) -> None:
        """Remove the box when the panel is closed or another one is in front of it."""
        super().hideEvent(event)
        if not event.spontaneous():  # a spontaneous event means that the window was minimised
            self._hides_box = True  # set this first, because removing a layer shows the box again
            self.box.remove()

    def _selected(self, crops: list[int]) -> None:
        self.gallery.select(crops)
        self.show_box(move=True)

    def _picked(self, _: int) -> None:
        """Focus the gallery, so that the labelling keys act on the cell that was clicked in the movie."""
        self.labelling.stay_on_track()
        if self.isVisible():
            self.gallery.setFocus()

    def show_box(self, *_: Any, move: bool = False) -> None:
        """Draw the crop box around the current cell; with ``move``, also go to its frame."""
        if self._hides_box:
            return
        movie = self._movie_of_selected() or self.cutting.image.layer
        cell = None if movie is None or movie.ndim < 3 else self._current_cell(movie)
        if cell is None:
            self.box.remove()
            return
        t, y, x, size = cell
        if move:
            world = movie.data_to_world((*(0,) * (movie.ndim - 3), t, y, x))
            self.viewer.dims.set_point(self.viewer.dims.ndim - 3, world[-3])
        self.box.show(movie, t, y, x, size)

    def _current_cell(self, movie: Any) -> tuple[int, float, float, float] | None:
        """Return frame, y, x and side of the selected crop.

        Before any crop is cut, it is the crop of the tracked cell nearest to the middle of the frame on display.
        """
        selected, cells = self.current.selection, self._cells_of_movie(movie)
        if selected and cells is not None:
            row = cells[cells["index"] == selected[0]]
            if len(row):
                cell = row.iloc[0]
                return int(cell["t"]), float(cell["y"]), float(cell["x"]), self._side_in_movie(cell["set"])
        tracks = self.cutting.tracks.layer
        if (
            self.current.crops is not None
            or tracks is None
            or not hasattr(tracks, "graph")
            or not len(tracks.data)
        ):
            return None
        frame = round(float(movie.world_to_data(self.viewer.dims.point)[-3]))
        here = np.asarray(tracks.data)[np.round(tracks.data[:, 1]) == frame]
        if not len(here):
            here = np.asarray(tracks.data)[:1]
        middle = np.asarray(movie.data.shape[-2:]) / 2
        nearest = here[np.argmin(np.hypot(*(here[:, -2:] - middle).T))]
        return int(nearest[1]), float(nearest[-2]), float(nearest[-1]), float(self.cutting.crop_size)

    def _side_in_movie(self, set_name: str) -> float:
        """Return the side of a crop in pixels of the movie; resampled crops have another pixel size."""
        crop_set = self.current.required().crop_set(set_name)
        record = crop_set.record
        if record.pixel_size is None or record.movie_pixel_size is None:
            return float(crop_set.size)
        return float(crop_set.size * record.pixel_size / record.movie_pixel_size)

    def _movie_of_selected(self) -> Any:
        """Return the layer that shows the movie of the selected cell; None if there is none."""
        crops, selected = self.current.crops, self.current.selection
        if crops is None or not selected or selected[0] >= len(crops):
            return None
        return movie_layer(self.viewer, set_of(crops, selected[0])[0])

    def _cells_of_movie(self, movie: Any) -> pd.DataFrame | None:
        """Return the cells that were cut from a movie, of the chosen set if there is one; None if none."""
        cells, crops = self.labelling.cells, self.current.crops
        if cells is None or crops is None:
            return None
        chosen = self.labelling.sets.currentText() if self.labelling.sets.currentIndex() > 0 else None
        names = [
            crop_set.name
            for crop_set in crops.sets
            if chosen in (None, crop_set.name) and is_cut_from(crop_set, movie)
        ]
        of_movie = cells[cells["set"].isin(names) & (cells["t"] >= 0)]
        return of_movie if len(of_movie) else None
