"""Table of the events of tracks. Clicking a row moves the viewer to the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QTableWidgetItem

from morpholaw.display import number
from morpholaw.widgets.forms.row_table import NumberItem, RowTable
from morpholaw.widgets.movie.movie_place import movie_layer
from morpholaw.widgets.napari_versions import camera

if TYPE_CHECKING:
    import pandas as pd
    from napari.components import ViewerModel

    from morpholaw.cells.crop_set import CropSet

COLUMNS = (
    ("Event", "What happened. Click a row to go there."),
    ("Frame", "The first frame after the event."),
    ("Track", "The track of the cell."),
    ("Sure", "Probability of the less certain of the classes before and after the event, from 0 to 1."),
    ("Movie", "The crop set of the movie."),
)
MOST_ROWS = 1000
"""Largest number of events listed; the files contain all of them."""


class EventsTable(RowTable):
    """Table of events.

    Notes
    -----
    ``picked`` is emitted when a row is clicked, with its row in the table of events.
    """

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.setToolTip("Click an event, or press Enter, to see its cell in the viewer.")
        self.pick_one()
        self.stretch(0)
        self.setMinimumHeight(260)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.85)
        self.setFont(small)
        self._rows: list[int] = []
        self.cellClicked.connect(self._clicked)
        self.cellActivated.connect(self._clicked)  # by Enter

    def show_events(self, events: pd.DataFrame) -> None:
        """List the first :data:`MOST_ROWS` events."""
        self.setSortingEnabled(False)
        shown = events.head(MOST_ROWS)
        self.setRowCount(len(shown))
        for row, event in enumerate(shown.to_dict("records")):
            items = (
                QTableWidgetItem(event_text(event)),
                NumberItem(str(event["t"]), float(event["t"])),
                NumberItem(str(event["track_id"]), float(event["track_id"])),
                NumberItem(number(float(event["probability"]), 2), _finite(event["probability"])),
                QTableWidgetItem(str(event["movie"])),
            )
            for column, item in enumerate(items):
                item.setData(
                    0x0100, row
                )  # Qt's user role holds the row of the event, however the table is sorted
                self.setItem(row, column, item)
        self.setSortingEnabled(True)

    def _clicked(self, row: int, _: int) -> None:
        self.picked.emit(int(self.cell(row, 0).data(0x0100)))


def event_text(event: dict[Any, Any]) -> str:
    """Return an event in words, such as "metaphase begins" or "division, found by position"."""
    if event["event"] == "entry":
        return f"{event['class']} begins"
    if event["event"] == "division" and event["source"] == "positions":
        return "division, found by position"
    return str(event["event"])


def go_to(viewer: ViewerModel, crop_set: CropSet, t: int, y: float, x: float) -> bool:
    """Go to a frame and a position in pixels in the movie of a crop set; return False if no layer shows the movie."""
    layer = movie_layer(viewer, crop_set)
    if layer is None:
        return False
    point = layer.data_to_world(tuple(np.array([t, y, x])[-layer.ndim :]))
    if layer.ndim == 3:
        viewer.dims.set_point(viewer.dims.ndim - 3, point[0])
    if np.isfinite([y, x]).all():
        camera(viewer).center = (0.0, *point[-2:])
    return True


def _finite(value: float) -> float:
    return float(value) if np.isfinite(value) else -1.0
