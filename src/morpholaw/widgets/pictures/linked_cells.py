"""A figure of cells that shares the selection of the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from morpholaw.widgets.pictures.cell_picture import CellPicture
from morpholaw.widgets.study.cell_facts import CellFacts
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LinkedCells(CellPicture):
    """Figure of cells in which the selected ones are marked; a click or a line selects cells in every panel.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study and its selected cells.
    sentence : str
        Text shown until there is a figure.
    """

    def __init__(self, viewer: ViewerModel, current: CurrentStudy, sentence: str = "") -> None:
        self._facts = CellFacts(current)
        super().__init__(viewer, sentence, self._facts.picture, self._facts.lines)
        self.zooms = False  # the panel scrolls
        self.setToolTip(
            "Point at a dot to see its cell, click it to select the cell in every panel, or draw a line around several "
            "dots; Shift adds to the selection."
        )
        self.chosen.connect(current.select)
        current.selection_changed.connect(self.select)
        self.select(current.selection)
