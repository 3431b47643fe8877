"""A picture of cells that shares the selection of its viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from morpholaw.widgets.pictures.cell_picture import CellPicture
from morpholaw.widgets.study.cell_facts import CellFacts
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LinkedCells(CellPicture):
    """Shows a figure of cells, in which the selected ones are marked; a click or a line selects in every panel.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure has.
    current : CurrentStudy
        The study and its selected cells.
    sentence : str
        The text shown until there is a figure.
    """

    def __init__(self, viewer: ViewerModel, current: CurrentStudy, sentence: str = "") -> None:
        self._facts = CellFacts(current)
        super().__init__(viewer, sentence, self._facts.picture, self._facts.lines)
        self.zooms = False  # the panel scrolls
        self.setToolTip(
            "Rest the mouse on a dot to see its cell, click it to select the cell everywhere, or draw a line around "
            "many; Shift adds to the selection."
        )
        self.chosen.connect(current.select)
        current.selection_changed.connect(self.select)
        self.select(current.selection)
