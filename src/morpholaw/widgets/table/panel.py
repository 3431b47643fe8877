"""The Cell table panel: the cells of the study as rows to sort, filter and label, linked to every other panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QLabel, QTabWidget, QVBoxLayout, QWidget

from morpholaw.widgets.forms.tabs_and_sections import add_tab
from morpholaw.widgets.movie.movie_place import movie_layer
from morpholaw.widgets.movie.selection_in_movie import set_of
from morpholaw.widgets.study.cell_scorer import CellScorer
from morpholaw.widgets.study.label_selected import LabelSelected
from morpholaw.widgets.study.study_widget import StudyWidget
from morpholaw.widgets.table.cell_table import CellTable
from morpholaw.widgets.table.columns import cell_columns
from morpholaw.widgets.table.filters import Filters
from morpholaw.widgets.table.movies import Movies

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops

NO_CELLS = (
    "The cells of the study appear here. Cut crops from a tracked movie, or import a folder of crops, in the Cells "
    "panel."
)

WIDTHS = {"Movie": 72, "Class": 104, "Predicted": 104, "Score": 56, "Brightness": 76, "Disagree": 64}
"""Widths in pixels of the columns that are wider than a short number."""


class TableWidget(StudyWidget):
    """Panel that lists the cells of the study; a row that is selected here is selected in every panel.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.filters = Filters()
        self.table = CellTable()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.scorer = CellScorer(self.current)
        self.labels = LabelSelected(self.current, self.table)
        self.movies = Movies(self.viewer, self.current)
        cells = QWidget()
        layout = QVBoxLayout(cells)
        layout.setContentsMargins(4, 4, 4, 4)
        for part in (self.filters, self.summary, self.table, self.labels):
            layout.addWidget(part)
        layout.setStretchFactor(self.table, 1)
        self.tabs = QTabWidget()
        add_tab(self.tabs, cells, "Cells", "List the cells of the study.")
        add_tab(self.tabs, self.movies, "Movies", "List the movies and folders that the cells come from.")
        self.body.addWidget(self.tabs, 1)
        self.body.addWidget(self.scorer)
        self.table.chosen.connect(self._choose)
        self.filters.changed.connect(self.refresh)
        self.movies.chosen.connect(self._list_movie)
        current = self.current
        for signal in (
            current.changed,
            current.crops_changed,
            current.labels_changed,
            current.scores_changed,
            current.background_changed,
        ):
            self.listen(signal, self.refresh)
        self.listen(current.selection_changed, self._selected)
        for event in (self.viewer.layers.events.inserted, self.viewer.layers.events.removed):
            self.listen(event, self._layers_changed)
        self.refresh()

    def refresh(self) -> None:
        """Show the cells of the study that pass the filters."""
        crops, study = self.current.crops, self.current.study
        self.labels.refresh()
        self.movies.refresh()
        self.filters.setEnabled(crops is not None)
        if crops is None or study is None:
            self.table.cells.show_cells([], {}, np.empty(0))
            self.summary.setText(self.current.or_no_study(NO_CELLS))
            return
        labels, scores = self.current.labels, self.current.last_scores
        self.filters.refresh([crop_set.name for crop_set in crops.sets], self.labels.buttons.classes, scores)
        with self.error_line.catch():
            chosen = self.filters.chosen(crops, labels, scores, self.current.selection)
            several = len(crops.sets) > 1 and self.filters.movie.currentIndex() <= 0
            columns = cell_columns(crops, labels, list(self.current.scores.values()), several)
            self._show(columns, chosen)

    def _show(self, columns: Any, chosen: np.ndarray) -> None:
        titles = [column.title for column in self.table.cells.columns]
        self.table.cells.show_cells(columns, self.labels.colours, chosen)
        if titles != [column.title for column in columns]:
            for place, column in enumerate(columns):
                self.table.setColumnWidth(place, WIDTHS.get(column.title, 48))
        self.table.select(self.current.selection)
        self._say()

    def _layers_changed(self, _: Any = None) -> None:
        self.movies.refresh()
        self._say()

    def _list_movie(self, name: str) -> None:
        """List the cells of one movie."""
        self.filters.movie.setCurrentText(name)
        self.tabs.setCurrentIndex(0)
        self.refresh()

    def _choose(self, cells: list[int]) -> None:
        self.current.select(cells)

    def _selected(self, cells: list[int]) -> None:
        if self.filters.selected.isChecked() and set(cells) != set(self.table.selected):
            self.refresh()
        self.table.select(cells)
        self._say()

    def _say(self) -> None:
        crops = self.current.crops
        if crops is not None:
            rows, selected = self.table.cells.rowCount(), len(self.current.selection)
            text = f"{rows:,} of {len(crops):,} cells shown, {selected:,} selected."
            self.summary.setText(text + self._not_in_view(crops))

    def _not_in_view(self, crops: Crops) -> str:
        """Return a sentence if the movie of the first selected cell is not open, else ""."""
        selection = self.current.selection
        if not selection or selection[0] >= len(crops):
            return ""
        crop_set, _ = set_of(crops, selection[0])
        if crop_set.record.movie is None or movie_layer(self.viewer, crop_set) is not None:
            return ""
        return f" The movie of {crop_set.name} is not open; open it in the tab Movies to see the cell."
