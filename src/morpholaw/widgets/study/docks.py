"""The docks that panels are in, and a panel that is opened by another part of the program than napari's menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from npe2 import PluginManager
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QDockWidget, QWidget

if TYPE_CHECKING:
    from napari import Viewer

PLUGIN = "napari-morpholaw"
SUFFIX = " (Morpholaw)"
"""What napari's menu adds to the name of a panel; docks are told apart by both."""


def dock_of(widget: QWidget) -> QDockWidget | None:
    """Return the dock that a widget is in."""
    place: QObject | None = widget.parent()
    while place is not None and not isinstance(place, QDockWidget):
        place = place.parent()
    return place


def open_panel(viewer: Viewer, name: str) -> None:
    """Open a panel as napari's menu does, or bring the one that is there to the front.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in whose window it opens.
    name : str
        The panel's name in the menu, e.g. "Laws".
    """
    panel = viewer.window.dock_widgets.get(f"{name}{SUFFIX}")
    if panel is None:
        offered = PluginManager.instance().get_manifest(PLUGIN).contributions.widgets or []
        contribution = next(one for one in offered if one.display_name == name)
        panel = contribution.get_callable()(napari_viewer=viewer)
        viewer.window.add_dock_widget(panel, name=f"{name}{SUFFIX}", tabify=True)
    dock = dock_of(panel)
    if dock is not None:
        dock.show()
        dock.raise_()
