"""The Cells panel: cut a movie's cells into crops, look at them, label them."""

from morpholaw.widgets.cells.panel import CellsWidget

__all__ = ["CellsWidget"]
